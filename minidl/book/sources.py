"""The file, the lines and the code of a function or class."""

import ast
import inspect
import sys
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

from minidl.dispatch import definition_of

ROOT = Path(__file__).parents[1]  # the package


class Line(NamedTuple):
    """A line of code and its number in its file."""

    number: int
    text: str


class Source(NamedTuple):
    """Where a function or class is defined.

    path: from the folder that contains the package. lines: its code, without the docstring.
    """

    path: str
    lines: list[Line]

    def __str__(self) -> str:
        return f"{self.path}:{self.lines[0].number}"


def source(thing: Any) -> Source:
    """Return the Source of a function or a class. Of an op or a replaceable function, it is that of
    the definition.

    >>> print(source(source).path)
    minidl/book/sources.py
    """
    thing = inspect.unwrap(definition_of(thing))
    lines, first = inspect.getsourcelines(thing)
    path = Path(sys.modules[thing.__module__].__file__ or "").relative_to(ROOT.parent)
    hidden = _docstring_lines("".join(lines))
    numbered = [
        Line(first + place, line.rstrip("\n"))
        for place, line in enumerate(lines)
        if place not in hidden
    ]
    return Source(path.as_posix(), numbered)


def docstring(thing: Any) -> str:
    """Return the docstring of a function or class without indentation, or an empty text."""
    return inspect.getdoc(inspect.unwrap(definition_of(thing))) or ""


def _docstring_lines(code):
    """Return the places of the lines that belong to the docstring of a definition."""
    [definition] = ast.parse(textwrap.dedent(code)).body
    first = definition.body[0]  # type: ignore[attr-defined]
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    if not is_text or not isinstance(first.value.value, str):
        return range(0)
    return range(first.lineno - 1, first.end_lineno)
