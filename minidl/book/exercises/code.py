"""Arguments and results as Python code."""

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np

WIDTH = 92  # columns
NARROW = 60  # columns that can be read on a phone


def code_of(value: Any) -> str:
    """Return an expression in one line that makes an argument or a result. Numbers of arrays are
    rounded to six digits.

    >>> code_of(np.ones((1, 2, 1)))
    'np.array([1.0, 1.0]).reshape(1, 2, 1)'
    """
    if isinstance(value, np.ndarray) and value.ndim:
        is_nested = value.ndim < 3
        numbers = value.reshape(value.shape if is_nested else -1)
        if value.dtype.kind == "f":
            numbers = np.vectorize(lambda number: float(f"{number:.6g}"), otypes=[float])(numbers)
        text = f"np.array({numbers.tolist()})"
        return text if is_nested else f"{text}.reshape{value.shape}"
    return repr(value.item() if isinstance(value, np.ndarray | np.generic) else value)


def assignments(arguments: Mapping[str, Any]) -> list[str]:
    """Return the lines of code that assign the arguments to their names."""
    lines = [filled(f"{name} = {code_of(value)}", "    ") for name, value in arguments.items()]
    return "\n".join(lines).splitlines()


def filled(line: str, indent: str) -> str:
    """Return a line broken at spaces into lines of at most WIDTH columns. indent: before all but
    the first."""
    return textwrap.fill(line, WIDTH, subsequent_indent=indent, break_long_words=False)


def with_arguments(head: str, arguments: str, end: str = "") -> str:
    """Return `head(arguments)end` in one line, or in three if it is long."""
    line = f"{head}({arguments}){end}"
    return line if len(line) <= NARROW else f"{head}(\n    {arguments}\n){end}"
