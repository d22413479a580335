"""Moving numbers without changing them: reshape, transpose, concatenate, index, pad, broadcast.

All are linear maps that copy each input number to some places; the gradient collects from those
places.
"""

from operator import index as index_of

import numpy as np

from minidl.autograd import Tensor, differentiable
from minidl.backend import array_module, is_array
from minidl.errors import ShapeError, brief
from minidl.ops.arithmetic import unbroadcast
from minidl.ops.half import summed_in_float32
from minidl.shapes import is_int


def reshape(x, shape):
    """The same numbers in row-major order in another shape; one length may be -1

    >>> reshape(np.array([[1., 2.], [3., 4.]]), (4,))
    array([1., 2., 3., 4.])
    """
    try:
        return x.reshape(shape)
    except ValueError:
        raise ShapeError(
            f"reshape from {x.shape} to {shape}: wanted as many numbers in all, and at most one -1"
        ) from None


def reshape_dx(dy, x_shape):
    """The order stays; only the shape goes back"""
    return dy.reshape(x_shape)


reshape = differentiable(reshape, dx=reshape_dx)


def transpose(x, axes=None):
    """y[i_axes[0], i_axes[1], ...] = x[i_0, i_1, ...]; without axes, all reversed

    >>> transpose(np.ones((2, 3, 4)), (0, 2, 1)).shape
    (2, 4, 3)
    """
    order = _order(axes, x.ndim)
    if sorted(order) != [*range(x.ndim)]:
        raise ShapeError(
            f"transpose of shape {x.shape} by axes {axes}: wanted each of its axes once"
        )
    return x.transpose(order)


def transpose_dx(dy, axes):
    """The inverse permutation"""
    order = _order(axes, dy.ndim)
    return dy.transpose([order.index(i) for i in range(dy.ndim)])


transpose = differentiable(transpose, dx=transpose_dx)


def _order(axes, ndim):
    """The axes as indices from 0; None: all axes reversed. axes: None, an integer, or several."""
    if axes is None:
        return [*range(ndim)][::-1]
    axes = [axes] if is_int(axes) else axes
    return [index_of(axis) + ndim * (axis < 0) if is_int(axis) else ndim for axis in axes]


def concatenate(arrays, axis=0):
    """The arrays one after the other along an axis

    >>> concatenate([np.array([1., 2.]), np.array([3.])])
    array([1., 2., 3.])
    """
    xp = array_module(*arrays)
    try:
        return xp.concatenate(arrays, axis=axis)
    except ValueError as error:
        shapes = ", ".join(str(xp.shape(a)) for a in arrays) or "nothing"
        raise ShapeError(f"concatenate along axis {axis} of shapes {shapes}: {error}") from None


def concatenate_darrays(dy, arrays_shape, axis, which):
    """Each array finds its own stretch of dy"""
    begin = sum(shape[axis] for shape in arrays_shape[:which])
    stretch = [slice(None)] * dy.ndim
    stretch[axis] = slice(begin, begin + arrays_shape[which][axis])
    return dy[tuple(stretch)]


concatenate = differentiable(concatenate, darrays=concatenate_darrays)


def index(x, key):
    """y = x[key], with NumPy's rules for integers, slices, masks and integer arrays, any of which
    may be Tensors

    >>> index(np.array([1., 2., 3.]), [0, 0, 2])
    array([1., 1., 3.])
    """
    try:
        return x[_key(array_module(x), key)]
    except (IndexError, TypeError) as error:
        raise ShapeError(f"index into shape {x.shape}: {error}") from None


@summed_in_float32
def index_dx(dy, x_shape, key):
    """What was read several times is added up; what was not read is 0"""
    xp = array_module(dy)
    dx, key = xp.zeros(x_shape, dtype=dy.dtype), _key(xp, key)
    keys = key if isinstance(key, tuple) else (key,)
    if all(isinstance(k, (int, slice)) or k is None or k is Ellipsis for k in keys):
        dx[key] = dy
    else:
        xp.add.at(dx, key, dy)
    return dx


index = differentiable(index, dx=index_dx)


def _key(xp, key):
    """The key with lists and NumPy's arrays as arrays of the library, where that is not NumPy"""
    if isinstance(key, tuple):
        return tuple(_key(xp, k) for k in key)
    kind = key.dtype.kind if is_array(key) else "i"
    if kind not in "iub":
        raise ShapeError(
            f"the index is an array of {key.dtype}; wanted integers or bools: use .astype('int64')"
        )
    return xp.asarray(key) if xp is not np and isinstance(key, (list, np.ndarray)) else key


def pad(x, width, value=0):
    """A border of `value` around x. width: (before, after) for every axis.

    >>> pad(np.array([1., 2.]), [(1, 2)])
    array([0., 1., 2., 0., 0.])
    """
    ok = isinstance(width, (tuple, list)) and len(width) == x.ndim and all(
        isinstance(pair, (tuple, list)) and len(pair) == 2 and all(is_int(n) and n >= 0 for n in pair) for pair in width
    )  # fmt: skip
    if not ok:
        raise ShapeError(
            f"pad of shape {x.shape} by {brief(width)}; wanted a pair (before, after) of ints from 0 for each axis"
        )
    return array_module(x).pad(x, width, constant_values=value)


def pad_dx(dy, x_shape, width):
    """The border is constant; what is inside goes back"""
    return dy[
        tuple(slice(before, before + n) for n, (before, _) in zip(x_shape, width, strict=True))
    ]


pad = differentiable(pad, dx=pad_dx)


def broadcast_to(x, shape):
    """x repeated along new axes in front and along axes of length 1

    >>> broadcast_to(np.array([1., 2.]), (2, 2))
    array([[1., 2.],
           [1., 2.]])
    """
    try:
        return array_module(x).broadcast_to(x, shape)
    except ValueError:
        raise ShapeError(
            f"broadcast from {x.shape} to {shape}: an axis must be new, of length 1, or as long already"
        ) from None


def broadcast_to_dx(dy, x_shape):
    """Every repetition adds its part"""
    return unbroadcast(dy, x_shape)


broadcast_to = differentiable(broadcast_to, dx=broadcast_to_dx)


Tensor.reshape = lambda x, *shape: reshape(x, shape[0] if len(shape) == 1 else shape)
Tensor.transpose = lambda x, *axes: transpose(x, axes[0] if len(axes) == 1 else axes or None)
Tensor.T = property(transpose)
Tensor.__getitem__ = index
Tensor.__iter__ = lambda x: (x[i] for i in range(len(x)))
