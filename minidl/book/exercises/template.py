"""The file that a reader fills in."""

import shlex

import numpy as np

from minidl.book.chapters import chapters
from minidl.book.exercises.calls import calls
from minidl.book.exercises.code import assignments, code_of, filled, with_arguments
from minidl.book.exercises.exercise import Exercise
from minidl.typing import Path as AnyPath

WANTED = """\
Fill in the function. It needs NumPy only, and may not write to the arrays that it gets. There is a
hint at the end of this file. Check your function with the command"""


def template(exercise: Exercise, file: AnyPath | None = None) -> str:
    """Return the text of the file to fill in.

    file: where it will be written, for the command that it names; by default NAME.py.
    """
    path = str(file or f"{exercise.name}.py")
    [chapter] = [one.title for one in chapters() if one.name == exercise.chapter]
    example = "".join(f"    {line}\n" for line in worked_example(exercise))
    example = f"Example:\n\n{example}\n" if example else ""
    hint = filled(f"# Hint: {' '.join(exercise.hint.split())}", "# ")
    return f'''"""{exercise.title}.

An exercise of the chapter "{chapter}".

{exercise.task}

{example}{WANTED}

    minidl exercise {exercise.name} {shlex.quote(path)}
"""

import numpy as np


{exercise.stub}


{hint}
'''


def worked_example(exercise: Exercise) -> list[str]:
    """Return the lines of code that call the function with the arguments of the example, and a
    comment with the result. An exercise without arguments has none."""
    if not exercise.parameters:
        return []
    call = calls(exercise)[0]
    head = f"{', '.join(exercise.returns)} = {exercise.function}"
    lines = [with_arguments(head, ", ".join(exercise.parameters))]
    for name, value in zip(exercise.returns, call.right, strict=True):
        # an array begins a line of its own, because it would not fit on a phone
        between = "\n# " if np.ndim(value) else " "
        lines.append(f"# {name} is{between}" + filled(code_of(value), "#     "))
    return [*assignments(call.arguments), *"\n".join(lines).splitlines()]
