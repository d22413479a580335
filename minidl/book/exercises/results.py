"""Read what a reader's function returns: the arrays, or one sentence about what it returns
instead."""

from typing import Any

import numpy as np

from minidl.book.child import Unknown
from minidl.book.exercises.advice import advice
from minidl.book.exercises.exercise import Arguments
from minidl.book.process import Answer
from minidl.errors import listed, printable
from minidl.typing import Array

WANTED = {"f": "float64", "i": "integers", "b": "bools"}


def as_arrays(result: Any) -> tuple[Array, ...]:
    """Return the result of a right function as a tuple of arrays, one for each returned value."""
    values = result if isinstance(result, tuple) else (result,)
    return tuple(np.asarray(value) for value in values)


def arrays_of(
    answer: Answer, names: tuple[str, ...], arguments: Arguments, right: tuple[Array, ...]
) -> tuple[Array, ...] | str:
    """Return the arrays of an answer, or sentences if there are none.

    names: of the values that are wanted. arguments, right: of the call and its right arrays. The
    shapes may differ from theirs.
    """
    if answer.problem:
        sentence = str(answer.problem)
        hint = advice(answer.problem.message, arguments, right)
        return f"{sentence[0].upper()}{sentence[1:]}.{hint}"
    value, wanted = answer.value, ", ".join(names)
    if value is None:
        return f"The function returns None; wanted {wanted}: end it with `return`."
    several = len(names) > 1
    is_tuple = isinstance(value, tuple | list)
    if several and not (is_tuple and len(value) == len(names)):
        count = f"{len(value)} values" if is_tuple else f"{_kind(value)}"
        return f"The function returns {count}; wanted {len(names)} values: {wanted}."
    values = value if several else (value,)
    problems = [*filter(None, map(_problem, names, values, right))]
    return f"{listed(problems)}." if problems else as_arrays(tuple(values))


def _problem(name, value, right):
    """Return what is wrong with the type of a value, or None."""
    wanted = f"an array of {WANTED[right.dtype.kind]}" if right.ndim else "a number"
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number and not isinstance(value, np.ndarray | np.generic):
        hint = ": use np.array" if isinstance(value, tuple | list) and right.ndim else ""
        return f"{name} is {_kind(value)}; wanted {wanted}{hint}"
    if isinstance(value, float | np.floating) and not right.ndim and right.dtype.kind == "i":
        return f"{name} is {value}, which is no integer; wanted an integer"
    dtype = np.asarray(value).dtype
    if is_number or (right.ndim == 0 == np.ndim(value) and dtype.kind in "if"):
        return None
    if right.dtype.kind == "f" and dtype != np.float64:
        return f"{name} is an array of {dtype}; wanted float64, the dtype of the inputs"
    if right.dtype.kind != dtype.kind:
        return f"{name} is an array of {dtype}; wanted {WANTED[right.dtype.kind]}"
    return None


def _kind(value):
    if isinstance(value, Unknown):
        return f"a value of type {printable(value.kind, 80)}"
    if isinstance(value, np.ndarray):
        return f"one array of shape {value.shape}"
    return f"a {type(value).__name__}"
