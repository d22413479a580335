"""float16: a storage format whose precision and range are too small for sums.

Its largest number is 65504 and it has 11 binary digits, so a sum of squares overflows, and from
2048
on adding 1 changes nothing. Ops that add numbers therefore compute in float32 where their arrays
are
float16, and round the result to float16. A result that rounds to more than 65504 is infinite.
"""

import functools

import numpy as np

from minidl.backend import is_array

HALF = np.dtype(np.float16)


def summed_in_float32(f):
    """Decorator that converts float16 arguments to float32 for f. It converts the result to
    float16,
    unless f was given a floating-point array of another dtype. f returns an array or a dict of
    arrays."""

    @functools.wraps(f)
    def computed(*args, **kwargs):
        dtypes = {value.dtype for value in (*args, *kwargs.values()) if is_array(value)}
        if HALF not in dtypes:
            return f(*args, **kwargs)
        result = f(*map(widened, args), **{name: widened(value) for name, value in kwargs.items()})
        if any(dtype.kind in "fc" for dtype in dtypes - {HALF}):
            return result
        if isinstance(result, dict):
            return {name: value.astype(HALF) for name, value in result.items()}
        return result.astype(HALF)

    return computed


def widened(value):
    """A float16 array as float32; any other value as it is"""
    return value.astype(np.float32) if is_array(value) and value.dtype == HALF else value


def at_least_float32(dtype):
    """The dtype to compute in: float32 for float16, in which squares of gradients and Adam's ε are
    0"""
    return np.result_type(dtype, np.float32)
