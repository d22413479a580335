"""Pooling in strips that fit the cache, on all cores."""

import functools
from math import prod

from minidl.backend import array_module
from minidl.engine.masks import masked
from minidl.engine.memory import empty
from minidl.engine.patches import seen
from minidl.engine.strips import apart, strips_of_windows
from minidl.engine.threads import share
from minidl.ops import pooling as textbook
from minidl.ops.pooling import windows_of

counts = functools.lru_cache(100)(textbook.counts)


def max_pool(x, window, *, stride=None, padding=0, dilation=1, ceil=False):
    """(N, *spatial, C) -> (N, *out, C)"""
    xp, windows = array_module(x), windows_of(x.shape, window, stride, padding, dilation, ceil)
    y = empty(xp, (x.shape[0], *windows.out, x.shape[-1]), x.dtype)

    def work(strip):
        images, rows, part = strip
        largest, read = y[images, rows], seen(x, images, rows, part, -xp.inf)
        first, *others = part.taps
        largest[...] = read[part.under(first)]
        for tap in others:
            xp.maximum(largest, read[part.under(tap)], out=largest)

    share(xp, work, _strips(xp, x.shape[0], windows, x.shape[-1]))
    return y


def max_pool_dx(dy, x, y, window, stride, padding, dilation, ceil):
    """(N, *out, C) -> (N, *spatial, C)"""
    xp = array_module(dy, x, y)
    windows = windows_of(x.shape, window, stride, padding, dilation, ceil)

    def wins(images, rows, part):
        read, largest = seen(x, images, rows, part, -xp.inf), y[images, rows]
        undecided = xp.ones(largest.shape, dtype=bool)
        for tap in part.taps:
            first = read[part.under(tap)] == largest
            first &= undecided
            undecided ^= first
            yield tap, first

    return _distribute(xp, dy, wins, x.shape, windows)


def avg_pool(x, window, *, stride=None, padding=0, ceil=False, count_padding=True):
    """(N, *spatial, C) -> (N, *out, C)"""
    xp, windows = array_module(x), windows_of(x.shape, window, stride, padding, 1, ceil)
    y = empty(xp, (x.shape[0], *windows.out, x.shape[-1]), x.dtype)
    n = counts(xp, x.dtype, windows, count_padding)

    def work(strip):
        images, rows, part = strip
        total, read = y[images, rows], seen(x, images, rows, part)
        first, *others = part.taps
        total[...] = read[part.under(first)]
        for tap in others:
            total += read[part.under(tap)]
        total /= n[rows]

    share(xp, work, _strips(xp, x.shape[0], windows, x.shape[-1]))
    return y


def avg_pool_dx(dy, x_shape, window, stride, padding, ceil, count_padding):
    """(N, *out, C) -> (N, *spatial, C)"""
    xp, windows = array_module(dy), windows_of(x_shape, window, stride, padding, 1, ceil)
    n = counts(xp, dy.dtype, windows, count_padding)

    def factors(images, rows, part):
        factor = 1 / n[rows]
        return ((tap, factor) for tap in part.taps)

    return _distribute(xp, dy, factors, x_shape, windows)


def _strips(xp, images, windows, channels):
    return strips_of_windows(xp, images, windows, prod(windows.size) * channels)


def _distribute(xp, dy, factors, x_shape, windows):
    """Return dx (N, *extent, C): the sum of dy·factor at the places that each tap reads.

    factors(images, rows, windows of the strip) yields (tap, factor). A factor is an array, or a
    mask of bools.
    """
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
        for tap, factor in factors(images, rows, part):
            times = masked if factor.dtype == bool else xp.multiply
            if each_once:
                times(dy_part, factor, out=under[part.under(tap)])
            else:
                under[part.under(tap)] += times(dy_part, factor)

    for strips in apart(_strips(xp, n, windows, channels), windows):
        share(xp, work, strips)
    return windows.unpad(padded)
