"""float16: a storage format whose precision and range are too small for sums.

Its largest number is 65504, so a sum of squares overflows. It has 11 binary digits, so a sum of
ones stops at 2048, because 2049 rounds to 2048. Ops and optimisers therefore compute in float32
where their arrays are float16, and round the result to float16. A result that rounds to more than
65504 is infinite.
"""

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minidl.backend import is_array

HALF = np.dtype(np.float16)


def has_half(args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Return whether one of the arguments, or an element of a list, is a float16 array."""
    return HALF in [getattr(v, "dtype", None) for v in _elements([*args, *kwargs.values()])]


def in_float32(
    f: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    ignored: Collection[str] = (),
) -> Any:
    """Return f(*args, **kwargs), computed in float32 where the arguments are float16.

    The result, an array or a dict of arrays, is rounded to float16, unless one of the arguments is
    a floating-point array of another dtype. ignored: names of parameters whose dtypes have no
    influence.
    """
    result = f(*map(widened, args), **{name: widened(value) for name, value in kwargs.items()})
    parameters = inspect.signature(f).parameters
    given = {**dict(zip(parameters, args, strict=False)), **kwargs}
    arrays = filter(is_array, _elements(v for name, v in given.items() if name not in ignored))
    if any(array.dtype.kind in "fc" and array.dtype != HALF for array in arrays):
        return result
    if isinstance(result, dict):
        return {name: _rounded(value) for name, value in result.items()}
    return _rounded(result)


def widened(value: Any) -> Any:
    """Return a float16 array as float32, also in a list, and any other value as it is."""
    if isinstance(value, list):
        return [widened(element) for element in value]
    return value.astype(np.float32) if is_array(value) and value.dtype == HALF else value


def at_least_float32(dtype: DTypeLike) -> np.dtype:
    """Return the dtype to compute in: float32 for float16, and otherwise itself.

    In float16, Adam's ε and the squares of small gradients would be 0.
    """
    return np.result_type(dtype, np.float32)


def _elements(values):
    """Return the values, with the elements of a list instead of the list."""
    return [e for value in values for e in (value if isinstance(value, list) else [value])]


def _rounded(array):
    return array.astype(HALF) if array.dtype.kind == "f" else array
