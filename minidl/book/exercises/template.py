"""The file that a reader fills in."""

import shlex
import textwrap
from typing import Any

import numpy as np

from minidl.book.chapters import chapters
from minidl.book.exercises.calls import calls
from minidl.book.exercises.exercise import Exercise
from minidl.typing import Path as AnyPath

WIDTH = 92  # columns
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
    hint = _filled(f"# Hint: {' '.join(exercise.hint.split())}", "# ")
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
    lines = [_filled(f"{name} = {_code(value)}", "    ") for name, value in call.arguments.items()]
    arguments = ", ".join(exercise.parameters)
    lines.append(f"{', '.join(exercise.returns)} = {exercise.function}({arguments})")
    lines += [
        _filled(f"# {name} is {_code(value[()])}", "#     ")
        for name, value in zip(exercise.returns, call.right, strict=True)
    ]
    return "\n".join(lines).splitlines()


def _filled(line, indent):
    return textwrap.fill(line, WIDTH, subsequent_indent=indent, break_long_words=False)


def _code(value: Any) -> str:
    """Return an expression in one line that makes an argument or a result. Numbers of arrays are
    rounded to six digits."""
    if isinstance(value, np.ndarray):
        is_nested = value.ndim < 3
        numbers = value.reshape(value.shape if is_nested else -1)
        if value.dtype.kind == "f":
            numbers = np.vectorize(lambda number: float(f"{number:.6g}"))(numbers)
        text = f"np.array({numbers.tolist()})"
        return text if is_nested else f"{text}.reshape{value.shape}"
    return repr(value.item() if isinstance(value, np.generic) else value)
