"""float16, a format to store numbers in: too few digits and too small a range for sums.

Its numbers end at 65504 and have 11 binary digits, so a sum of squares overflows, and from 2048 on
adding 1 changes nothing. So ops that add numbers up compute in float32 where their arrays are float16,
and round the result to float16. A result above 65504 is infinite.
"""

import functools

import numpy as np

from minidl.backend import is_array

HALF = np.dtype(np.float16)


def summed_in_float32(f):
    """f with its float16 arrays converted to float32, and the result to float16 if f was given no
    floating-point array of another dtype. f returns an array, or a dict of arrays."""

    @functools.wraps(f)
    def computed(*args, **kwargs):
        dtypes = {value.dtype for value in (*args, *kwargs.values()) if is_array(value)}
        if HALF not in dtypes:
            return f(*args, **kwargs)
        result = f(*map(_wide, args), **{name: _wide(value) for name, value in kwargs.items()})
        if any(dtype.kind in "fc" for dtype in dtypes - {HALF}):
            return result
        if isinstance(result, dict):
            return {name: value.astype(HALF) for name, value in result.items()}
        return result.astype(HALF)

    return computed


def _wide(value):
    return value.astype(np.float32) if is_array(value) and value.dtype == HALF else value
