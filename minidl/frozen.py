"""Frozen arrays: arrays that can never be written to.

A result that depends only on frozen arrays can be kept and used again. In NumPy, the owner of a
read-only array can make it writeable again, unless its memory belongs to another, read-only object.
A frozen array therefore uses the memory of a read-only memoryview. CuPy cannot protect arrays, so
code must not write to a frozen array on a GPU.
"""

import weakref
from typing import Any

import numpy as np

from minidl.typing import Array

_frozen: "weakref.WeakValueDictionary[int, Array]" = weakref.WeakValueDictionary()  # id -> array


def frozen_copy(array: Array) -> Array:
    """Return a copy that cannot be written to or made writeable.

    >>> frozen_copy(np.zeros(2)).setflags(write=True)
    Traceback (most recent call last):
    ValueError: cannot set WRITEABLE flag to True of this array
    """
    copy: Any = array.copy()
    if isinstance(copy, np.ndarray):
        copy = np.asarray(copy.data.toreadonly())
    _frozen[id(copy)] = copy
    return copy


def is_frozen(array: Any) -> bool:
    """Return whether the array was made by `frozen_copy`."""
    return _frozen.get(id(array)) is array
