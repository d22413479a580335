"""Sum, mean and maximum over axes. `axis`: None for all, an int, or several."""

from math import prod
from operator import index

from minidl.autograd import Tensor, differentiable
from minidl.backend import array_module
from minidl.errors import ArgumentError, ShapeError
from minidl.ops.half import summed_in_float32
from minidl.shapes import is_int


@summed_in_float32
def sum(x, axis=None, keepdims=False):
    """y = Σ x over the axes

    >>> sum(np.array([[1., 2.], [3., 4.]]), axis=0)
    array([4., 6.])
    """
    return x.sum(axis=axes_of(axis, x.ndim), keepdims=keepdims)


def sum_dx(dy, x_shape, axis, keepdims):
    """Every x is one term of its sum:  ∂y/∂x = 1"""
    return _spread(dy, x_shape, axis, keepdims)


sum = differentiable(sum, dx=sum_dx)


@summed_in_float32
def mean(x, axis=None, keepdims=False):
    """y = Σ x / n over the axes, n the numbers that each sum has

    >>> mean(np.array([[1., 2.], [3., 4.]]))
    np.float64(2.5)
    """
    axes = axes_of(axis, x.ndim)
    if any(x.shape[i] == 0 for i in axes):
        raise ShapeError(
            f"mean of shape {x.shape} over axes {axes}: the mean of no numbers is undefined; leave out the empty axis"
        )
    return x.mean(axis=axes, keepdims=keepdims)


@summed_in_float32
def mean_dx(dy, x_shape, axis, keepdims):
    """∂y/∂x = 1 / n"""
    n = prod(x_shape[i] for i in axes_of(axis, len(x_shape)))
    return _spread(dy / n, x_shape, axis, keepdims)


mean = differentiable(mean, dx=mean_dx)


def max(x, axis=None, keepdims=False):
    """y = the largest x over the axes

    >>> max(np.array([[1., 2.], [4., 3.]]), axis=1)
    array([2., 4.])
    """
    axes = axes_of(axis, x.ndim)
    if any(x.shape[i] == 0 for i in axes):
        raise ShapeError(
            f"max of shape {x.shape} over axes {axes}: no number is the largest of none; leave such an axis out"
        )
    return x.max(axis=axes, keepdims=keepdims)


def max_dx(dy, x, axis, keepdims):
    """1 at the first maximum in row-major order of the axes, 0 elsewhere: a tie sends the whole
    gradient to the first

    The axes that were reduced are moved to the end and made one, so that each row has one maximum;
    dy is put there, and the axes go back to where they were.
    """
    xp = array_module(x)
    axes = axes_of(axis, x.ndim)
    rest = tuple(i for i in range(x.ndim) if i not in axes)
    rows = x.transpose(*rest, *axes).reshape(
        prod(x.shape[i] for i in rest), prod(x.shape[i] for i in axes)
    )
    dx = xp.zeros_like(rows, order="C")
    dx[xp.arange(len(rows)), rows.argmax(axis=1)] = dy.reshape(-1)
    dx = dx.reshape([x.shape[i] for i in (*rest, *axes)])
    return dx.transpose([(*rest, *axes).index(i) for i in range(x.ndim)])


max = differentiable(max, dx=max_dx)


def axes_of(axis, ndim):
    """The axes as a tuple of numbers from 0."""
    if axis is None:
        return tuple(range(ndim))
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    normal = tuple(index(i) + ndim * (index(i) < 0) for i in axes if is_int(i))
    if (
        len(normal) < len(axes)
        or not all(0 <= i < ndim for i in normal)
        or len(set(normal)) != len(normal)
    ):
        raise ArgumentError(
            f"axis is {axis}; wanted different axes of an array that has {ndim}, so from {-ndim} to {ndim - 1}"
        )
    return normal


def _spread(dy, x_shape, axis, keepdims):
    """dy repeated along the axes that were summed away."""
    if not keepdims:
        axes = axes_of(axis, len(x_shape))
        dy = dy.reshape([1 if i in axes else n for i, n in enumerate(x_shape)])
    return array_module(dy).broadcast_to(dy, x_shape)


Tensor.sum, Tensor.mean, Tensor.max = sum, mean, max
