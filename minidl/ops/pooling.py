"""Max- and average pooling over any number of spatial axes.

The maximum, the mean and their gradients are sums over the taps t of the window, as in convolution.
"""

from functools import reduce

from minidl.autograd import differentiable
from minidl.backend import array_module, must_be_floating
from minidl.errors import ShapeError
from minidl.shapes import windows_over
from minidl.typing import Operand, Padding, PerAxis, Result


def max_pool(
    x: Operand,
    window: PerAxis,
    *,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    ceil: bool = False,
) -> Result:
    """(N, *spatial, C) -> (N, *out, C)

    y[n,o,c] = max_t x[n, o·stride + t·dilation - before, c]

    The padding is minus infinity, so that every finite x exceeds it. A window that reads only
    padding is refused. stride: the size of the window if None. ceil: round the number of windows
    up, so that the last one may reach past the end.

    Cost: one comparison for each tap of each output.

    >>> max_pool(np.array([1., 3., 2., 5.]).reshape(1, 4, 1), 2).reshape(2)
    array([3., 5.])
    """
    windows = windows_of(x.shape, window, stride, padding, dilation, ceil)
    xp, padded = array_module(x), windows.pad(x, -float("inf"))
    return reduce(xp.maximum, (padded[windows.under(t)] for t in windows.taps))


def max_pool_dx(dy, x, y, window, stride, padding, dilation, ceil):
    """(N, *out, C) -> (N, *spatial, C)

    y is the largest x of its window, and does not depend on the others:

        dx[n,i,c] = Σ_o dy[n,o,c] [i is the first position of window o, in row-major order, with x =
        y]

    A tie sends the whole gradient to the first maximum. (-inf ties with the padding, which then
    takes it.) A NaN equals nothing and gets 0.
    """
    windows = windows_of(x.shape, window, stride, padding, dilation, ceil)
    xp, padded = array_module(x), windows.pad(x, -float("inf"))
    dx, undecided = xp.zeros(padded.shape, dy.dtype), xp.ones(y.shape, bool)
    for t in windows.taps:
        first = undecided & (padded[windows.under(t)] == y)
        dx[windows.under(t)] += xp.where(first, dy, 0)
        undecided = undecided & ~first
    return windows.unpad(dx)


def avg_pool(
    x: Operand,
    window: PerAxis,
    *,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    ceil: bool = False,
    count_padding: bool = True,
) -> Result:
    """(N, *spatial, C) -> (N, *out, C)

    y[n,o,c] = 1/n(o) Σ_t x[n, o·stride + t - before, c]

    The padding is 0. n(o): the number of positions of window o in the input and its padding or,
    with count_padding=False, in the input only. Positions past the padding, which a window of
    `ceil` may reach, are never counted.

    Cost: one addition for each tap of each output.

    >>> avg_pool(np.array([1., 3., 2., 6.]).reshape(1, 4, 1), 2).reshape(2)
    array([2., 4.])
    """
    windows = windows_of(x.shape, window, stride, padding, 1, ceil)
    xp, padded = array_module(x), windows.pad(x)
    n = counts(xp, x.dtype, windows, count_padding)
    return sum(padded[windows.under(t)] for t in windows.taps) / n


def avg_pool_dx(dy, x_shape, window, stride, padding, ceil, count_padding):
    """(N, *out, C) -> (N, *spatial, C)

    The mean of window o contains each x of the window with the factor 1/n(o):

        dx[n,i,c] = Σ_{o reads i} dy[n,o,c] / n(o)
    """
    windows = windows_of(x_shape, window, stride, padding, 1, ceil)
    xp = array_module(dy)
    dx = xp.zeros((x_shape[0], *windows.padded, x_shape[-1]), dy.dtype)
    n = counts(xp, dy.dtype, windows, count_padding)
    for t in windows.taps:
        dx[windows.under(t)] += dy / n
    return windows.unpad(dx)


def counts(xp, dtype, windows, count_padding):
    """Return n(o) as an array (*out, 1): the product over the axes of the taps that count."""
    n, rank = xp.ones((*windows.out, 1), dtype), len(windows.out)
    for axis, taps in enumerate(windows.taps_inside(and_padding=count_padding)):
        n = n * xp.asarray(taps, dtype).reshape([-1 if i == axis else 1 for i in range(rank + 1)])
    return n


def windows_of(x_shape, window, stride, padding, dilation, ceil):
    """Return the Windows over x. Raise ShapeError if one of them would read only padding."""
    if len(x_shape) < 3:
        raise ShapeError(
            f"x has shape {x_shape}; wanted (N, *spatial, C) with at least one spatial axis"
        )
    stride = window if stride is None else stride
    windows = windows_over(x_shape[1:-1], window, stride, padding, dilation, ceil)
    if any(0 in taps for taps in windows.taps_inside()):
        raise ShapeError(
            f"pooling windows of {windows.size} with padding {windows.padding} over "
            f"{windows.extent}: one would see padding alone; use less padding or a larger window"
        )
    return windows


def check(x, window, **options):
    """Raise ArgumentError if x is not floating-point."""
    must_be_floating("x", x)


max_pool = differentiable(max_pool, dx=max_pool_dx, check=check)
avg_pool = differentiable(avg_pool, dx=avg_pool_dx, check=check)
