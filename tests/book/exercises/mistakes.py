"""Judge a reader's solution in which a mistake is planted."""

import re
import warnings

import numpy as np

from minidl.book.exercises import EXERCISES, judge


def lines_about(text, part="", mistake=""):
    """Return what the check says about a solution. Its warnings are errors.

    part, mistake: a part of the text, and what replaces it, or tuples of several.
    """
    parts, mistakes = ((one,) if isinstance(one, str) else one for one in (part, mistake))
    for old, new in zip(parts, mistakes, strict=True):
        assert old in text
        text = text.replace(old, new) if old else text
    names = {"np": np}
    exec(compile(text, "solution.py", "exec"), names)
    function = re.search(r"def (\w+)", text)[1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return judge(EXERCISES[function.replace("_", "-")], names[function]).lines
