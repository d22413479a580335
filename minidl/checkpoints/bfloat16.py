"""bfloat16: the upper half of a float32. NumPy has no such dtype, so it is read as uint16."""

import numpy as np

from minidl.typing import Array

BFLOAT16 = "bfloat16"


def stored_dtype(name: str) -> np.dtype:
    """Return the dtype in which NumPy reads numbers of a dtype.

    >>> stored_dtype("bfloat16"), stored_dtype("f4")
    (dtype('uint16'), dtype('float32'))
    """
    return np.dtype("u2" if name == BFLOAT16 else name)


def loaded_dtype(name: str) -> np.dtype:
    """Return the dtype of the numbers after `loaded`."""
    return np.dtype("f4" if name == BFLOAT16 else name)


def loaded(array: Array, name: str) -> Array:
    """Return numbers that were read with `stored_dtype`. bfloat16 becomes float32, exactly.

    >>> loaded(np.uint16([0x3F80, 0xC000]), "bfloat16")
    array([ 1., -2.], dtype=float32)
    """
    return (array.astype(np.uint32) << 16).view(np.float32) if name == BFLOAT16 else array
