"""An index selects a part of an array.

A number of x that is read several times is copied to several places of y. Its gradient is the sum
of dy over these places.

Cost: no arithmetic. An index of integers and slices returns a view. Other indices copy each number
of y, and their gradient makes one addition per number of dy.

Source: Harris et al. 2020, "Array programming with NumPy".
"""

from typing import Any

import numpy as np

from minidl.autograd import differentiable
from minidl.backend import array_module, is_array
from minidl.errors import ShapeError
from minidl.typing import Operand, Result


def index(x: Operand, key: Any) -> Result:
    """(...) -> (...), the shape of the part

    y = x[key]

    key: an integer, a slice, a mask, an integer array, or a tuple of these, with the meaning that
    NumPy gives it. Masks and integer arrays may be Tensors. Raises ShapeError if x has no such
    element.

    >>> index(np.array([1., 2., 3.]), [0, 0, 2])
    array([1., 1., 3.])
    """
    try:
        return x[on_the_device(array_module(x), key)]
    except (IndexError, TypeError) as error:
        raise ShapeError(f"index into shape {x.shape}: {error}") from None


def index_dx(dy, x_shape, key):
    """dx[j] = Σ_{i: y[i] is x[j]} dy[i]

    A number of x that is read several times gets the sum of its dy. One that is not read gets 0.
    """
    xp = array_module(dy)
    dx, key = xp.zeros(x_shape, dtype=dy.dtype), on_the_device(xp, key)
    keys = key if isinstance(key, tuple) else (key,)
    if all(isinstance(k, (int, slice)) or k is None or k is Ellipsis for k in keys):
        dx[key] = dy
    else:
        xp.add.at(dx, key, dy)
    return dx


index = differentiable(index, dx=index_dx)


def on_the_device(xp, key):
    """Return the key with lists and NumPy arrays converted to arrays of xp. For NumPy, return it
    unchanged. Raise ShapeError for an array that is neither of integers nor of bools."""
    if isinstance(key, tuple):
        return tuple(on_the_device(xp, k) for k in key)
    kind = key.dtype.kind if is_array(key) else "i"
    if kind not in "iub":
        raise ShapeError(
            f"the index is an array of {key.dtype}; wanted integers or bools: use .astype('int64')"
        )
    return xp.asarray(key) if xp is not np and isinstance(key, (list, np.ndarray)) else key
