"""Adaptive pooling reduces an input of any length to a given number of outputs.

Along an axis of length L, output o of S reads the bin of the positions

    ⌊o L / S⌋ ≤ i < ⌈(o + 1) L / S⌉

The bins cover the input. They have the same length if S divides L. Otherwise their lengths differ
by one, and adjacent bins may share a position. In several dimensions, a bin is the product of one
along each axis. A single bin is global pooling.

Source: He, Zhang, Ren, Sun 2014, "Spatial Pyramid Pooling in Deep Convolutional Networks for Visual
Recognition"; Lin, Chen, Yan 2014, "Network In Network" (global average pooling).
"""

from collections.abc import Sequence
from itertools import product

from minidl.autograd import differentiable
from minidl.backend import array_module, must_be_floating
from minidl.errors import ArgumentError, brief
from minidl.ops.pooling import extent_of
from minidl.ops.reductions import max, max_dx, mean, mean_dx
from minidl.shapes import is_int
from minidl.typing import Operand, Result


def adaptive_avg_pool(x: Operand, size: int | Sequence[int | None]) -> Result:
    """(N, *spatial, C) -> (N, *size, C)

    y[n,o,c] = mean of x[n,i,c] over the i in bin o

    size: number of outputs along each spatial axis, an int for all or one per axis. None keeps the
    length of x.

    Cost: one addition for each number of each bin. Raises ShapeError if x has no spatial axes or no
    positions, and ArgumentError if x is not floating-point, or for other sizes.

    >>> x = np.array([1., 3., 2., 6., 4.]).reshape(1, 5, 1)        # the bins are 1 3 2 and 2 6 4
    >>> adaptive_avg_pool(x, 2).ravel()
    array([2., 4.])
    """
    return pooled(mean, x, size)


def adaptive_avg_pool_dx(dy, x_shape, size):
    """(N, *size, C) -> (N, *spatial, C)

    y[n,o,c] is a mean over bin o, so each x of bin o gets the gradient of the mean. One that is in
    several bins gets their sum:

        dx[n,i,c] = Σ_{o: i in bin o} dy[n,o,c] / n(o)

    n(o): the number of positions in bin o.
    """
    xp = array_module(dy)
    dx = xp.zeros(x_shape, dy.dtype)
    for o, bin in bins(x_shape, size):
        dx[bin] += mean_dx(dy[o], dx[bin].shape, spatial_axes(x_shape), keepdims=False)
    return dx


def adaptive_max_pool(x: Operand, size: int | Sequence[int | None]) -> Result:
    """(N, *spatial, C) -> (N, *size, C)

    y[n,o,c] = max of x[n,i,c] over the i in bin o

    size: as for `adaptive_avg_pool`.

    Cost: one comparison for each number of each bin. Raises the errors of `adaptive_avg_pool`.

    >>> x = np.array([1., 3., 2., 6., 4.]).reshape(1, 5, 1)        # the bins are 1 3 2 and 2 6 4
    >>> adaptive_max_pool(x, 2).ravel()
    array([3., 6.])
    """
    return pooled(max, x, size)


def adaptive_max_pool_dx(dy, x, size):
    """(N, *size, C) -> (N, *spatial, C)

    y[n,o,c] is the maximum of bin o, so its dy goes to the first maximum of the bin, in row-major
    order. One that is the maximum of several bins gets their sum:

        dx[n,i,c] = Σ_{o: i = argmax of bin o} dy[n,o,c]
    """
    xp = array_module(dy, x)
    dx = xp.zeros(x.shape, dy.dtype)
    for o, bin in bins(x.shape, size):
        dx[bin] += max_dx(dy[o], x[bin], spatial_axes(x.shape), keepdims=False)
    return dx


def pooled(reduce, x, size):
    """Return reduce(bin, spatial axes) of each bin."""
    y = array_module(x).empty((len(x), *sizes(x.shape, size), x.shape[-1]), x.dtype)
    for o, bin in bins(x.shape, size):
        y[o] = reduce(x[bin], spatial_axes(x.shape))
    return y


def bins(x_shape, size):
    """Yield (index of one output in y, index of its bin in x)."""
    extent, outputs = x_shape[1:-1], sizes(x_shape, size)
    for o in product(*map(range, outputs)):
        yield (slice(None), *o), (slice(None), *map(bin_of, o, extent, outputs))


def bin_of(o, L, S):
    """Return the positions of bin o along an axis.

    >>> [bin_of(o, L=5, S=2) for o in range(2)]
    [slice(0, 3, None), slice(2, 5, None)]
    """
    return slice(o * L // S, -(-(o + 1) * L // S))


def sizes(x_shape, size):
    """Return the number of outputs along each spatial axis. Raise an error if there are none."""
    extent = extent_of(x_shape)
    values = (size,) * len(extent) if is_int(size) else size
    if isinstance(values, (tuple, list)) and len(values) == len(extent):
        numbers = [n if S is None else S for n, S in zip(extent, values, strict=True)]
        if all(is_int(S) and S >= 1 for S in numbers):
            return tuple(int(S) for S in numbers)
    raise ArgumentError(
        f"size is {brief(size)}; wanted an int of at least 1, or {len(extent)} of them, one per "
        "spatial axis, with None for an axis that keeps its length"
    )


def spatial_axes(x_shape):
    return tuple(range(1, len(x_shape) - 1))


def check(x, size):
    """Raise ArgumentError if x is not floating-point."""
    must_be_floating("x", x)


adaptive_avg_pool = differentiable(adaptive_avg_pool, dx=adaptive_avg_pool_dx, check=check)
adaptive_max_pool = differentiable(adaptive_max_pool, dx=adaptive_max_pool_dx, check=check)
