"""Sum, mean, product, maximum and minimum reduce axes.

y has the shape of x without the reduced axes. With keepdims, y keeps them with length 1. In the
formulas, i is a place along the axes that are kept, and k a place along the reduced axes.

Cost: one addition, multiplication or comparison per number of x. For the gradient, at most one
operation per number of dy, and for that of prod four per number of x.

Source: NIST's Digital Library of Mathematical Functions, section 1.2(iv) (means); Harris et al.
2020, "Array programming with NumPy" (axes).
"""

import math
from operator import index

from minidl.autograd import differentiable
from minidl.backend import array_module
from minidl.errors import ArgumentError, ShapeError, brief
from minidl.shapes import is_int
from minidl.typing import Axes, Operand, Result


def sum(x: Operand, axis: Axes = None, keepdims: bool = False) -> Result:
    """y[i] = Σ_k x[i,k]

    axis: an axis, several axes, or None for all. keepdims: whether y keeps these axes, with length
    1. Raises ArgumentError if x has no such axis.

    >>> sum(np.array([[1., 2.], [3., 4.]]), axis=0)
    array([4., 6.])
    """
    return x.sum(axis=axes_of(axis, x.ndim), keepdims=keepdims)


def sum_dx(dy, x_shape, axis, keepdims):
    """Each x is one term of one sum:  ∂y[i]/∂x[i,k] = 1"""
    return spread(dy, x_shape, axis, keepdims)


sum = differentiable(sum, dx=sum_dx)


def mean(x: Operand, axis: Axes = None, keepdims: bool = False) -> Result:
    """y[i] = 1/n Σ_k x[i,k],      n: number of terms of each sum

    axis, keepdims: as for `sum`. Raises ShapeError if there are no terms, and ArgumentError if x
    has no such axis.

    >>> mean(np.array([[1., 2.], [3., 4.]]))
    np.float64(2.5)
    """
    return x.mean(axis=axes_of(axis, x.ndim), keepdims=keepdims)


def mean_dx(dy, x_shape, axis, keepdims):
    """Each x is one term of one sum, which is divided by n:  ∂y[i]/∂x[i,k] = 1/n"""
    n = math.prod(x_shape[i] for i in axes_of(axis, len(x_shape)))
    return spread(dy / n, x_shape, axis, keepdims)


def must_have_terms(x, axis=None, keepdims=False):
    """Raise ShapeError if there are no numbers to take the mean of."""
    must_not_be_empty(
        "mean", x, axis, "the mean of no numbers is undefined; leave out the empty axis"
    )


mean = differentiable(mean, dx=mean_dx, check=must_have_terms)


def max(x: Operand, axis: Axes = None, keepdims: bool = False) -> Result:
    """y[i] = max_k x[i,k]

    axis, keepdims: as for `sum`. Raises ShapeError if there are no numbers to compare, and
    ArgumentError if x has no such axis.

    >>> max(np.array([[1., 2.], [4., 3.]]), axis=1)
    array([2., 4.])
    """
    return x.max(axis=axes_of(axis, x.ndim), keepdims=keepdims)


def max_dx(dy, x, axis, keepdims):
    """∂y[i]/∂x[i,k] = 1 where k = argmax x[i], and 0 elsewhere

    y is the largest x, and does not change if another x changes a little. argmax is the first
    maximum in row-major order of the axes, so a tie sends the whole gradient to it.
    """
    rows = as_rows(x, axis)
    return from_rows(at_places(dy, rows.argmax(axis=1), rows), x.shape, axis)


def must_have_a_largest(x, axis=None, keepdims=False):
    """Raise ShapeError if there are no numbers to compare."""
    must_not_be_empty(
        "max", x, axis, "the maximum of no numbers is undefined; leave out the empty axis"
    )


max = differentiable(max, dx=max_dx, check=must_have_a_largest)


def min(x: Operand, axis: Axes = None, keepdims: bool = False) -> Result:
    """y[i] = min_k x[i,k]

    axis, keepdims: as for `sum`. Raises ShapeError if there are no numbers to compare, and
    ArgumentError if x has no such axis.

    >>> min(np.array([[1., 2.], [4., 3.]]), axis=1)
    array([1., 3.])
    """
    return x.min(axis=axes_of(axis, x.ndim), keepdims=keepdims)


def min_dx(dy, x, axis, keepdims):
    """∂y[i]/∂x[i,k] = 1 where k = argmin x[i], and 0 elsewhere

    As for `max`: a tie sends the whole gradient to the first minimum.
    """
    rows = as_rows(x, axis)
    return from_rows(at_places(dy, rows.argmin(axis=1), rows), x.shape, axis)


def must_have_a_smallest(x, axis=None, keepdims=False):
    """Raise ShapeError if there are no numbers to compare."""
    must_not_be_empty(
        "min", x, axis, "the minimum of no numbers is undefined; leave out the empty axis"
    )


min = differentiable(min, dx=min_dx, check=must_have_a_smallest)


def prod(x: Operand, axis: Axes = None, keepdims: bool = False) -> Result:
    """y[i] = Π_k x[i,k]

    axis, keepdims: as for `sum`. The product of no numbers is 1. Raises ArgumentError if x has no
    such axis.

    >>> prod(np.array([[1., 2.], [3., 4.]]), axis=1)
    array([ 2., 12.])
    """
    return x.prod(axis=axes_of(axis, x.ndim), keepdims=keepdims)


def prod_dx(dy, x, axis, keepdims):
    """∂y[i]/∂x[i,k] = Π_{m: m ≠ k} x[i,m]

    The product of the other numbers is that of the numbers before k times that of the numbers after
    k. y / x would be undefined where x is 0.
    """
    rows = as_rows(x, axis)
    before, after = (array_module(x).ones_like(rows) for _ in range(2))
    before[:, 1:] = rows[:, :-1].cumprod(axis=1)
    after[:, :-1] = rows[:, :0:-1].cumprod(axis=1)[:, ::-1]
    return from_rows(dy.reshape(-1, 1) * before * after, x.shape, axis)


prod = differentiable(prod, dx=prod_dx)


def axes_of(axis, ndim):
    """Return the axes as a tuple of numbers from 0 to ndim - 1. Raise ArgumentError if there is no
    such axis, or if one is given twice."""
    if axis is None:
        return tuple(range(ndim))
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    normal = tuple(index(i) + ndim * (index(i) < 0) for i in axes if is_int(i))
    exist = len(normal) == len(axes) and all(0 <= i < ndim for i in normal)
    if not exist or len(set(normal)) != len(normal):
        raise ArgumentError(
            f"axis is {axis}; wanted axes of an array with {ndim} axes, each once, or None for all"
        )
    return normal


def must_be_one_axis(x, axis=None):
    """Raise ArgumentError unless the axis is None or one axis of x."""
    if axis is not None and not is_int(axis):
        raise ArgumentError(f"axis is {brief(axis)}; wanted one axis, or None for all numbers")
    axes_of(axis, x.ndim)


def must_not_be_empty(op, x, axis, reason):
    """Raise ShapeError with the reason if x has no numbers along one of the axes."""
    axes = axes_of(axis, x.ndim)
    if any(x.shape[i] == 0 for i in axes):
        raise ShapeError(f"{op} of shape {x.shape} over axes {axes}: {reason}")


def spread(dy, x_shape, axis, keepdims):
    """Return dy repeated along the axes over which x was reduced. The result has x's shape."""
    if not keepdims:
        axes = axes_of(axis, len(x_shape))
        dy = dy.reshape([1 if i in axes else n for i, n in enumerate(x_shape)])
    return array_module(dy).broadcast_to(dy, x_shape)


def as_rows(x, axis):
    """(...) -> (rows, n): one row for each y. The reduced axes are moved to the end and merged."""
    axes = axes_of(axis, x.ndim)
    kept = [i for i in range(x.ndim) if i not in axes]
    lengths = [math.prod(x.shape[i] for i in some) for some in (kept, axes)]
    return x.transpose(*kept, *axes).reshape(lengths)


def from_rows(rows, x_shape, axis):
    """(rows, n) -> (...): the inverse of `as_rows`"""
    axes = axes_of(axis, len(x_shape))
    order = [*(i for i in range(len(x_shape)) if i not in axes), *axes]
    x = rows.reshape([x_shape[i] for i in order])
    return x.transpose([order.index(i) for i in range(len(order))])


def at_places(dy, places, rows):
    """Return an array of the shape of the rows: dy at one place of each row, and 0 elsewhere."""
    xp = array_module(rows)
    dx = xp.zeros_like(rows)
    dx[xp.arange(len(rows)), places] = dy.reshape(-1)
    return dx
