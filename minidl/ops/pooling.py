"""Max- and average pooling over one, two, three or more spatial axes."""

import functools
from math import prod

from minidl.autograd import differentiable
from minidl.backend import array_module, must_be_floating
from minidl.cores import share
from minidl.errors import ShapeError
from minidl.memory import empty
from minidl.ops import pooling_gpu
from minidl.ops.half import summed_in_float32
from minidl.ops.masks import masked
from minidl.ops.padding import seen, unpad_windows
from minidl.ops.strips import apart, strips_of_windows
from minidl.shapes import windows_over


def max_pool(x, window, *, stride=None, padding=0, dilation=1, ceil=False):
    """(N, *spatial, C) -> (N, *out, C)

    y[n,o,c] = max_t x[n, o·stride + t·dilation - before, c]

    The padding is minus infinity, so no finite x loses to it; a window that would see padding alone
    is refused.
    stride: the window's own size if None. ceil: round the number of windows up, the last one
    reaching past the end.

    Cost: one comparison for each tap of each output.

    >>> max_pool(np.array([1., 3., 2., 5.]).reshape(1, 4, 1), 2).reshape(2)
    array([3., 5.])
    """
    xp = array_module(x)
    must_be_floating("x", x)
    windows = _windows(x.shape, window, stride, padding, dilation, ceil)
    shape = x.shape[0], *windows.out, x.shape[-1]
    if pooling_gpu.fit(windows, x):
        return pooling_gpu.compute("max_pool", windows, [x], shape)
    y = empty(xp, shape, x.dtype)

    def work(strip):
        images, rows, part = strip
        largest, read, (first, *others) = (
            y[images, rows],
            seen(x, images, rows, part, -xp.inf),
            part.taps,
        )
        largest[...] = read[(slice(None), *part.under(first))]
        for tap in others:
            xp.maximum(largest, read[(slice(None), *part.under(tap))], out=largest)

    share(xp, work, _strips(xp, x.shape[0], windows, x.shape[-1]))
    return y


@summed_in_float32
def max_pool_dx(dy, x, y, window, stride, padding, dilation, ceil):
    """(N, *out, C) -> (N, *spatial, C)

    The largest x of a window is y itself, the others have no say:

        dx[n,i,c] = Σ_o dy[n,o,c] [i is the first position of window o, in row-major order of the
        taps, where x = y]

    A tie sends the whole gradient to the first maximum (-inf ties with the padding, which takes
    it); a NaN, equal to nothing, gets none.
    """
    xp = array_module(dy, x, y)
    windows = _windows(x.shape, window, stride, padding, dilation, ceil)
    if pooling_gpu.fit(windows, dy, x, y):
        return pooling_gpu.compute("max_pool_dx", windows, [dy, x, y], x.shape)

    def wins(images, rows, part):
        read, largest = seen(x, images, rows, part, -xp.inf), y[images, rows]
        undecided = xp.ones(largest.shape, dtype=bool)
        for tap in part.taps:
            first = read[(slice(None), *part.under(tap))] == largest
            first &= undecided
            undecided ^= first
            yield tap, first

    return _hand_out(xp, dy, wins, x.shape, windows)


max_pool = differentiable(max_pool, dx=max_pool_dx)


@summed_in_float32
def avg_pool(x, window, *, stride=None, padding=0, ceil=False, count_padding=True):
    """(N, *spatial, C) -> (N, *out, C)

    y[n,o,c] = 1/n(o) Σ_t x[n, o·stride + t - before, c]

    The padding is 0. n(o): the positions of window o that lie in the input or its padding; with
    count_padding=False, in the input alone. What a `ceil` window reaches past the padding is never
    counted.

    Cost: one addition for each tap of each output.

    >>> avg_pool(np.array([1., 3., 2., 6.]).reshape(1, 4, 1), 2).reshape(2)
    array([2., 4.])
    """
    xp = array_module(x)
    must_be_floating("x", x)
    windows = _windows(x.shape, window, stride, padding, 1, ceil)
    shape = x.shape[0], *windows.out, x.shape[-1]
    if pooling_gpu.fit(windows, x):
        return pooling_gpu.compute("avg_pool", windows, [x], shape, count_padding=count_padding)
    y, counts = empty(xp, shape, x.dtype), _counts(xp, x.dtype, windows, count_padding)

    def work(strip):
        images, rows, part = strip
        total, read, (first, *others) = y[images, rows], seen(x, images, rows, part), part.taps
        total[...] = read[(slice(None), *part.under(first))]
        for tap in others:
            total += read[(slice(None), *part.under(tap))]
        total /= counts[rows]

    share(xp, work, _strips(xp, x.shape[0], windows, x.shape[-1]))
    return y


@summed_in_float32
def avg_pool_dx(dy, x_shape, window, stride, padding, ceil, count_padding):
    """(N, *out, C) -> (N, *spatial, C)

    Every x that window o reads is the same share of its mean:  dx[n,i,c] = Σ_{o reads i} dy[n,o,c]
    / n(o)
    """
    xp = array_module(dy)
    windows = _windows(x_shape, window, stride, padding, 1, ceil)
    if pooling_gpu.fit(windows, dy):
        return pooling_gpu.compute(
            "avg_pool_dx", windows, [dy], x_shape, count_padding=count_padding
        )
    counts = _counts(xp, dy.dtype, windows, count_padding)

    def shares(images, rows, part):
        of_each = 1 / counts[rows]
        return ((tap, of_each) for tap in part.taps)

    return _hand_out(xp, dy, shares, x_shape, windows)


avg_pool = differentiable(avg_pool, dx=avg_pool_dx)


def _windows(x_shape, window, stride, padding, dilation, ceil):
    if len(x_shape) < 3:
        raise ShapeError(
            f"x has shape {x_shape}; wanted (N, *spatial, C) with at least one spatial axis"
        )
    windows = windows_over(
        x_shape[1:-1], window, window if stride is None else stride, padding, dilation, ceil
    )
    if any(0 in counts for counts in windows.taps_inside()):
        raise ShapeError(
            f"pooling windows of {windows.size} with padding {windows.padding} over {windows.extent}: one would see padding "
            "alone; use less padding or a larger window"
        )
    return windows


def _strips(xp, images, windows, channels):
    return strips_of_windows(xp, images, windows, prod(windows.size) * channels)


def _hand_out(xp, dy, shares, x_shape, windows):
    """dx (N, *extent, C), from shares(images, rows, windows of the strip): (tap, the share of dy
    that goes there) by turns"""
    n, channels = x_shape[0], x_shape[-1]
    padded = empty(xp, (n, *windows.padded, channels), dy.dtype)
    each_once = windows.stride == windows.reach == windows.size and prod(windows.out) * prod(
        windows.size
    ) == prod(windows.padded)
    if not each_once:
        padded[...] = 0

    def work(strip):
        images, rows, part = strip
        dy_part, under = dy[images, rows], padded[images, rows.start * part.stride[0] :]
        for tap, share_of_dy in shares(images, rows, part):
            read = (slice(None), *part.under(tap))
            times = masked if share_of_dy.dtype == bool else xp.multiply
            if each_once:
                times(dy_part, share_of_dy, out=under[read])
            else:
                under[read] += times(dy_part, share_of_dy)

    for strips in apart(_strips(xp, n, windows, channels), windows):
        share(xp, work, strips)
    return unpad_windows(padded, windows)


@functools.lru_cache(100)
def _counts(xp, dtype, windows, count_padding):
    """n(o) as an array (*out, 1): the product over the axes of the taps that count."""
    counts = xp.ones((1,) * len(windows.out) + (1,), dtype=dtype)
    for axis, along in enumerate(windows.taps_inside(and_padding=count_padding)):
        counts = counts * xp.asarray(along, dtype=dtype).reshape(
            [-1 if i == axis else 1 for i in range(counts.ndim)]
        )
    return counts
