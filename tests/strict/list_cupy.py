"""`python -m tests.strict.list_cupy` writes down what the installed CuPy has: cupy_names.json. It
needs no device.

A name stands with the parameters of its function, with a word where CuPy hands out NumPy's own, and
with null otherwise.
"""

import inspect
import json
import re

import numpy as np

from tests.strict.names import NAMES, NUMPYS


def listed():
    import cupy
    from cupy._core import _routines_linalg as linalg

    rooms = {
        "cupy": cupy, "cupy.linalg": cupy.linalg, "cupy.lib": cupy.lib, "cupy.lib.stride_tricks": cupy.lib.stride_tricks,
        "cupy.cuda": cupy.cuda, "cupy.ndarray": cupy.ndarray,
    }  # fmt: skip
    return {
        "version": cupy.__version__,
        "rooms": {
            room: {name: _entry(name, getattr(thing, name)) for name in _names(thing)}
            for room, thing in rooms.items()
        },
        "ufuncs with at": [
            name
            for name in _names(cupy)
            if isinstance(getattr(getattr(cupy, name), "_scatter_op", None), str)
        ],
        "compute types": {
            name: int(value)
            for name, value in vars(linalg).items()
            if name.startswith("COMPUTE_TYPE_")
        },
    }


def text_of(names):
    return json.dumps(names, indent=1, sort_keys=True) + "\n"


def _names(thing):
    return sorted(name for name in dir(thing) if not name.startswith("_"))


def _entry(name, thing):
    if thing is getattr(np, name, ...):
        return NUMPYS
    return _parameters(thing) if callable(thing) and not inspect.isclass(thing) else None


def _parameters(function):
    """The parameters as Python writes them: "a, axis=None, *, out=None". Those of a Cython function
    stand in its docstring."""
    first_line = (function.__doc__ or "").strip().split("\n")[0]
    documented = _readable(re.sub(r"^[\w.]+\((.*?)\)(\s*->.*)?$", r"\1", first_line))
    try:
        signature = inspect.signature(function)
    except ValueError:
        return documented
    kinds = {parameter.kind for parameter in signature.parameters.values()}
    if inspect.Parameter.VAR_KEYWORD in kinds and documented and "**" not in documented:
        return documented
    return ", ".join(_words(signature))


def _readable(text):
    """The text without C's types and the docstring's backslashes, or None where it is no list of
    parameters."""
    text = re.sub(r"(^|, )(?:unsigned )?\w+ (?=\w)", r"\1", text.replace("\\", ""))
    try:
        return ", ".join(_words(inspect.signature(eval(f"lambda {text}: None"))))
    except (SyntaxError, NameError):
        return None


def _words(signature):
    """Each parameter; a default that is no plain number or word is written as an ellipsis."""
    plain = (bool, int, float, str, type(None))
    changed = [
        parameter.replace(
            annotation=parameter.empty,
            default=parameter.default
            if parameter.default is parameter.empty or type(parameter.default) in plain
            else ...,
        )
        for parameter in signature.parameters.values()
    ]
    text = str(inspect.Signature(changed))[1:-1].replace("Ellipsis", "...")
    return text.split(", ") if text else []


if __name__ == "__main__":
    NAMES.write_text(text_of(listed()))
