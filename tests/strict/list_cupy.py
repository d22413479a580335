"""`python -m tests.strict.list_cupy` writes the names of the installed CuPy to cupy_names.json.

It needs no device. The value of a name is the parameters of its function, "NumPy's own" if CuPy
re-exports NumPy's object, or null.
"""

import inspect
import json
import re

import numpy as np

from tests.strict.names import NAMES, NUMPYS


def listed():
    import cupy
    from cupy._core import _routines_linalg as linalg

    namespaces = {
        "cupy": cupy,
        "cupy.linalg": cupy.linalg,
        "cupy.lib": cupy.lib,
        "cupy.lib.stride_tricks": cupy.lib.stride_tricks,
        "cupy.cuda": cupy.cuda,
        "cupy.ndarray": cupy.ndarray,
    }
    compute_types = [name for name in vars(linalg) if name.startswith("COMPUTE_TYPE_")]
    return {
        "version": cupy.__version__,
        "namespaces": {
            full_name: {name: _entry(name, getattr(space, name)) for name in _names(space)}
            for full_name, space in namespaces.items()
        },
        "ufuncs with at": [name for name in _names(cupy) if _has_at(getattr(cupy, name))],
        "compute types": {name: int(getattr(linalg, name)) for name in compute_types},
    }


def _has_at(ufunc):
    return isinstance(getattr(ufunc, "_scatter_op", None), str)


def text_of(names):
    return json.dumps(names, indent=1, sort_keys=True) + "\n"


def _names(namespace):
    return sorted(name for name in dir(namespace) if not name.startswith("_"))


def _entry(name, member):
    if member is getattr(np, name, ...):
        return NUMPYS
    return _parameters(member) if callable(member) and not inspect.isclass(member) else None


def _parameters(function):
    """Return the parameters in Python's syntax: "a, axis=None, *, out=None".

    The parameters of a Cython function are read from its docstring.
    """
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
    """Return the text without C types and backslashes, or None if it is not a parameter list."""
    text = re.sub(r"(^|, )(?:unsigned )?\w+ (?=\w)", r"\1", text.replace("\\", ""))
    try:
        return ", ".join(_words(inspect.signature(eval(f"lambda {text}: None"))))
    except (SyntaxError, NameError):
        return None


def _words(signature):
    """Return each parameter as text. A default that is not a plain value becomes an ellipsis."""
    plain = (bool, int, float, str, type(None))

    def simplified(parameter):
        default = parameter.default
        if default is not parameter.empty and type(default) not in plain:
            default = ...
        return parameter.replace(annotation=parameter.empty, default=default)

    parameters = map(simplified, signature.parameters.values())
    text = str(inspect.Signature(list(parameters)))[1:-1].replace("Ellipsis", "...")
    return text.split(", ") if text else []


if __name__ == "__main__":
    NAMES.write_text(text_of(listed()))
