"""Frozen arrays: arrays that can never be written to.

Results that depend only on a frozen array can be kept and used again. NumPy lets the owner of an
array make it writeable again, but not one whose memory belongs to an immutable object. A frozen
array therefore uses the memory of a `bytes` object. CuPy cannot protect arrays, so on a GPU code
must not write to a frozen array.
"""

import weakref
from typing import Any

import numpy as np

from minidl.typing import Array

_frozen: "weakref.WeakValueDictionary[int, Array]" = weakref.WeakValueDictionary()  # id -> array


def frozen_copy(array: Array) -> Array:
    """Return a copy that cannot be written to, and that cannot be made writeable."""
    if isinstance(array, (np.ndarray, np.generic)):
        copy: Any = np.ndarray(array.shape, array.dtype, buffer=array.tobytes())
    else:
        copy = array.copy()
    _frozen[id(copy)] = copy
    return copy


def is_frozen(array: Any) -> bool:
    """Return whether the array was made by `frozen_copy`."""
    return _frozen.get(id(array)) is array
