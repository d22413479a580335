"""These ops give the same numbers another shape or order: reshape, flatten, squeeze, expand_dims,
transpose, broadcast_to.

Each op copies an input number to zero or more places of the output. The gradient with respect to
this number is therefore the sum of dy over these places. If y[i] is copied from x[s(i)],

    dx[j] = Σ_{i: s(i) = j} dy[i]

Cost: no arithmetic. All of them return views. The gradient of broadcast_to makes one addition per
number of dy.

Source: Harris et al. 2020, "Array programming with NumPy".
"""

from math import prod
from operator import index as index_of
from typing import Any

from minidl.autograd import differentiable
from minidl.backend import array_module
from minidl.errors import ArgumentError, ShapeError
from minidl.ops.arithmetic import unbroadcast
from minidl.ops.reductions import axes_of
from minidl.shapes import is_int
from minidl.typing import Axes, Operand, PerAxis, Result


def reshape(x: Operand, shape: Any) -> Result:
    """(...) -> shape

    y[i] = x[j]

    i and j have the same rank in row-major order. shape: of y. One length may be -1; it is computed
    from the others. Raises ShapeError if the shape does not have as many numbers as x.

    >>> reshape(np.array([[1., 2.], [3., 4.]]), (4,))
    array([1., 2., 3., 4.])
    """
    try:
        return x.reshape(shape)
    except ValueError:
        raise ShapeError(
            f"reshape from {x.shape} to {shape}: wanted a shape of {x.size} numbers, in which one "
            "length may be -1"
        ) from None


def reshape_dx(dy, x_shape):
    """dx[j] = dy[i]

    The order of the numbers is the same in both shapes, so dx is dy in the shape of x.
    """
    return dy.reshape(x_shape)


reshape = differentiable(reshape, dx=reshape_dx)


def flatten(x: Operand, start: int = 0, end: int = -1) -> Result:
    """(...) -> (..., n, ...), the axes from `start` to `end` merged into one

    y[i] = x[j]

    i and j have the same rank in row-major order. start, end: the first and the last of the axes
    that are merged; by default all. The gradient is that of `reshape`. Raises ArgumentError if x
    has no such axes, or if they are in the wrong order.

    >>> flatten(np.ones((2, 3, 4)), start=1).shape
    (2, 12)
    """
    if not x.ndim:
        return x.reshape(1)
    [first], [last] = axes_of(start, x.ndim), axes_of(end, x.ndim)
    if first > last:
        raise ArgumentError(f"flatten from axis {start} to axis {end}: wanted a later end")
    merged = prod(x.shape[first : last + 1])
    return x.reshape(*x.shape[:first], merged, *x.shape[last + 1 :])


flatten = differentiable(flatten, dx=reshape_dx)


def squeeze(x: Operand, axis: Axes = None) -> Result:
    """(..., 1, ...) -> (...), without axes of length 1

    y[i] = x[j]

    i and j have the same rank in row-major order. axis: the axis or axes to drop, or None for all
    of length 1. The gradient is that of `reshape`. Raises ArgumentError if x has no such axis, and
    ShapeError if it is longer.

    >>> squeeze(np.ones((2, 1, 3))).shape
    (2, 3)
    """
    long = [i for i in axes_of(axis, x.ndim) if x.shape[i] != 1]
    if axis is not None and long:
        raise ShapeError(f"squeeze of shape {x.shape}: axis {long[0]} does not have the length 1")
    return x.squeeze(axis=axis)


squeeze = differentiable(squeeze, dx=reshape_dx)


def expand_dims(x: Operand, axis: PerAxis) -> Result:
    """(...) -> (..., 1, ...), with new axes of length 1

    y[i] = x[j]

    i and j have the same rank in row-major order. axis: the place or places of the new axes in y.
    The gradient is that of `reshape`. Raises ArgumentError if y has no such axes.

    >>> expand_dims(np.ones((2, 3)), 1).shape
    (2, 1, 3)
    """
    new = axes_of(axis, x.ndim + (len(axis) if isinstance(axis, (tuple, list)) else 1))
    lengths = iter(x.shape)
    return x.reshape([1 if i in new else next(lengths) for i in range(x.ndim + len(new))])


expand_dims = differentiable(expand_dims, dx=reshape_dx)


def transpose(x: Operand, axes: Axes = None) -> Result:
    """(...) -> (...), with the axes in another order

    y[j] = x[i],      j[a] = i[axes[a]] for each axis a of y

    axes: the axes of x in the order of y, or None for the reversed order. Raises ShapeError unless
    each axis of x is given once.

    >>> transpose(np.ones((2, 3, 4)), (0, 2, 1)).shape
    (2, 4, 3)
    """
    return x.transpose(order_of(axes, x.ndim))


def transpose_dx(dy, axes):
    """dx[i] = dy[j],      i[axes[a]] = j[a] for each axis a of y

    dx is dy with its axes in the inverse permutation.
    """
    order = order_of(axes, dy.ndim)
    return dy.transpose([order.index(i) for i in range(dy.ndim)])


def order_of(axes, ndim):
    """Return the axes as a list of numbers from 0, with ndim in place of what is no int."""
    if axes is None:
        return [*range(ndim)][::-1]
    axes = [axes] if is_int(axes) else axes
    return [index_of(axis) + ndim * (axis < 0) if is_int(axis) else ndim for axis in axes]


def must_be_a_permutation(x, axes=None):
    """Raise ShapeError unless each axis of x is given once."""
    if sorted(order_of(axes, x.ndim)) != [*range(x.ndim)]:
        raise ShapeError(
            f"transpose of shape {x.shape} by axes {axes}: wanted each of its axes once"
        )


transpose = differentiable(transpose, dx=transpose_dx, check=must_be_a_permutation)


def broadcast_to(x: Operand, shape: Any) -> Result:
    """(...) -> shape

    y[i] = x[j]

    j: the last indices of i, with 0 along the axes of length 1 of x. shape: of y. It may have new
    axes in front, and other lengths than x where x has the length 1. Raises ShapeError if the
    length of another axis would change.

    >>> broadcast_to(np.array([1., 2.]), (2, 2))
    array([[1., 2.],
           [1., 2.]])
    """
    try:
        return array_module(x).broadcast_to(x, shape)
    except ValueError:
        raise ShapeError(
            f"broadcast from {x.shape} to {shape}: only new axes in front and axes of length 1 can "
            "become longer"
        ) from None


def broadcast_to_dx(dy, x_shape):
    """dx[j] = Σ_{i: y[i] is x[j]} dy[i]

    Each repetition contributes its dy, so dx is their sum.
    """
    return unbroadcast(dy, x_shape)


broadcast_to = differentiable(broadcast_to, dx=broadcast_to_dx)
