"""Max-pooling and average pooling reduce each window, over any number of axes, to one number.

The maximum, the sum and their gradients are computed by loops over the taps t of the window, as in
convolution.

Source: Scherer, Müller, Behnke 2010, "Evaluation of Pooling Operations in Convolutional
Architectures for Object Recognition".
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

    o: output position. t: tap of the window. `before`: the padding in front.

    padding: as for `convolution`. It is minus infinity, so that every finite x exceeds it.
    window: its size, an int or one per axis. stride: the size of the window if None. ceil: round
    the number of windows up instead of down, so that the last window may reach past the end.

    Cost: one comparison for each tap of each output. Raises ShapeError if no window fits or if one
    reads only padding, and ArgumentError for integer arrays and other values of the options.

    >>> max_pool(np.array([1., 3., 2., 5.]).reshape(1, 4, 1), 2).reshape(2)
    array([3., 5.])
    """
    windows = windows_of(x.shape, window, stride, padding, dilation, ceil)
    xp, padded = array_module(x), windows.pad(x, -float("inf"))
    return reduce(xp.maximum, (padded[windows.under(t)] for t in windows.taps))


def max_pool_dx(dy, x, y, window, stride, padding, dilation, ceil):
    """(N, *out, C) -> (N, *spatial, C)

    y is the largest x of its window, and does not depend on the others:

        dx[n,i,c] = Σ_o dy[n,o,c] [i = argmax of window o]

    A tie sends the whole gradient to the first maximum in row-major order. The padding takes part:
    if x = -inf ties with padding before it, x gets 0. If a window contains a NaN, y is NaN and
    equals no x, so the whole window gets 0.
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

    n(o): the number of positions of window o that count.

    padding: as for `convolution`. It is 0. count_padding: whether positions in the padding count,
    or only those in the input. The last window of `ceil` may reach past the padding; the positions
    there never count. window, stride, ceil: as for `max_pool`.

    Cost: one addition for each tap of each output. Raises the errors of `max_pool`.

    >>> avg_pool(np.array([1., 3., 2., 6.]).reshape(1, 4, 1), 2).reshape(2)
    array([2., 4.])
    """
    windows = windows_of(x.shape, window, stride, padding, 1, ceil)
    xp, padded = array_module(x), windows.pad(x)
    n = counts(xp, x.dtype, windows, count_padding)
    return sum(padded[windows.under(t)] for t in windows.taps) / n


def avg_pool_dx(dy, x_shape, window, stride, padding, ceil, count_padding):
    """(N, *out, C) -> (N, *spatial, C)

    y[n,o,c] contains each x of its window with the factor 1/n(o):

        dx[n,i,c] = Σ_{o: o reads i} dy[n,o,c] / n(o)
    """
    windows = windows_of(x_shape, window, stride, padding, 1, ceil)
    xp = array_module(dy)
    dx = xp.zeros((x_shape[0], *windows.padded, x_shape[-1]), dy.dtype)
    n = counts(xp, dy.dtype, windows, count_padding)
    for t in windows.taps:
        dx[windows.under(t)] += dy / n
    return windows.unpad(dx)


def counts(xp, dtype, windows, count_padding):
    """Return n(o) as an array (*out, 1). It is the product over the axes of the number of taps that
    count along each axis."""
    n, rank = xp.ones((*windows.out, 1), dtype), len(windows.out)
    for axis, taps in enumerate(windows.taps_inside(and_padding=count_padding)):
        n = n * xp.asarray(taps, dtype).reshape([-1 if i == axis else 1 for i in range(rank + 1)])
    return n


def windows_of(x_shape, window, stride, padding, dilation, ceil):
    """Return the Windows over x. Raise ShapeError if one of them would read only padding."""
    stride = window if stride is None else stride
    windows = windows_over(extent_of(x_shape), window, stride, padding, dilation, ceil)
    if any(0 in taps for taps in windows.taps_inside()):
        raise ShapeError(
            f"pooling windows of {windows.size} with padding {windows.padding} over "
            f"{windows.extent}: one would read only padding; use less padding or a larger window"
        )
    return windows


def extent_of(x_shape):
    """Return the lengths of the spatial axes. Raise ShapeError if there are none, or empty ones."""
    extent = x_shape[1:-1]
    if not extent or 0 in extent:
        raise ShapeError(
            f"x has shape {x_shape}; wanted (N, *spatial, C) with at least one spatial axis, each "
            "with at least 1 position"
        )
    return extent


def check(x, window, **options):
    """Raise ArgumentError if x is not floating-point."""
    must_be_floating("x", x)


max_pool = differentiable(max_pool, dx=max_pool_dx, check=check)
avg_pool = differentiable(avg_pool, dx=avg_pool_dx, check=check)
