"""The exercises of a chapter as HTML. The served book checks them in the page."""

from html import escape

from minidl.book.exercises import EXERCISES, Exercise, worked_example
from minidl.book.site.code import program
from minidl.book.site.text import Links, Writer


def exercises(chapter: str, links: Links) -> str:
    """Return the exercises of a chapter as HTML, or an empty text if it has none."""
    found = [exercise for exercise in EXERCISES.values() if exercise.chapter == chapter]
    return "".join(_exercise(exercise, links) for exercise in found)


def _exercise(exercise: Exercise, links: Links) -> str:
    name = exercise.name
    stub = f"import numpy as np\n\n\n{exercise.stub}\n"
    task = Writer(links, exercise.parameters).text(exercise.task)
    lines = worked_example(exercise)
    example = f"<p>An example:</p>{program(chr(10).join(lines))}" if lines else ""
    anchor = f"exercise-{name}"
    return (
        f'<section class="exercise" id="{anchor}" aria-labelledby="{anchor}-title">'
        f'<h3 id="{anchor}-title">{escape(exercise.title)}</h3><div class="text">{task}</div>'
        f'<div class="solve" data-exercise="{name}" data-program="{escape(stub)}">{program(stub)}'
        f"</div>{example}"
        f"<details><summary>Hint</summary><p>{escape(exercise.hint)}</p></details>"
        f"<p>The first command writes the file, and the second checks it:</p>"
        f"<pre>minidl exercise {name}\nminidl exercise {name} {name}.py</pre></section>"
    )
