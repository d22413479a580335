"""Pooling in strips that fit the cache, on all threads.

The formulas are those of the textbook, applied to the windows of a strip.
"""

import functools
from math import prod

from minidl.backend import array_module
from minidl.engine.masks import masked
from minidl.engine.memory import empty
from minidl.engine.patches import inputs_of_strip
from minidl.engine.strips import non_overlapping, strips_of_windows
from minidl.engine.threads import parallel_map
from minidl.ops import pooling as textbook
from minidl.ops.pooling import windows_of

counts = functools.lru_cache(100)(textbook.counts)  # n(o) of avg_pool


def max_pool(x, window, *, stride=None, padding=0, dilation=1, ceil=False):
    """(N, *spatial, C) -> (N, *out, C)"""
    xp, windows = array_module(x), windows_of(x.shape, window, stride, padding, dilation, ceil)
    y = empty(xp, (x.shape[0], *windows.out, x.shape[-1]), x.dtype)

    def work(strip):
        images, rows, strip_windows = strip
        inputs = inputs_of_strip(x, images, rows, strip_windows, -xp.inf)
        largest = y[images, rows]
        first, *others = strip_windows.taps
        largest[...] = inputs[strip_windows.under(first)]
        for tap in others:
            xp.maximum(largest, inputs[strip_windows.under(tap)], out=largest)

    parallel_map(xp, work, _strips(xp, x.shape[0], windows, x.shape[-1]))
    return y


def max_pool_dx(dy, x, y, window, stride, padding, dilation, ceil):
    """(N, *out, C) -> (N, *spatial, C)

    The factor of dy at a tap is the mask of the windows whose first maximum is at this tap.
    """
    xp = array_module(dy, x, y)
    windows = windows_of(x.shape, window, stride, padding, dilation, ceil)

    def masks(images, rows, strip_windows):
        inputs = inputs_of_strip(x, images, rows, strip_windows, -xp.inf)
        largest = y[images, rows]
        undecided = xp.ones(largest.shape, dtype=bool)
        for tap in strip_windows.taps:
            is_first = inputs[strip_windows.under(tap)] == largest
            is_first &= undecided
            undecided ^= is_first
            yield tap, is_first

    return _distribute(xp, dy, masks, x.shape, windows)


def avg_pool(x, window, *, stride=None, padding=0, ceil=False, count_padding=True):
    """(N, *spatial, C) -> (N, *out, C)"""
    xp, windows = array_module(x), windows_of(x.shape, window, stride, padding, 1, ceil)
    y = empty(xp, (x.shape[0], *windows.out, x.shape[-1]), x.dtype)
    n = counts(xp, x.dtype, windows, count_padding)

    def work(strip):
        images, rows, strip_windows = strip
        total, inputs = y[images, rows], inputs_of_strip(x, *strip)
        first, *others = strip_windows.taps
        total[...] = inputs[strip_windows.under(first)]
        for tap in others:
            total += inputs[strip_windows.under(tap)]
        total /= n[rows]

    parallel_map(xp, work, _strips(xp, x.shape[0], windows, x.shape[-1]))
    return y


def avg_pool_dx(dy, x_shape, window, stride, padding, ceil, count_padding):
    """(N, *out, C) -> (N, *spatial, C)

    The factor of dy is 1 / n(o) at every tap.
    """
    xp, windows = array_module(dy), windows_of(x_shape, window, stride, padding, 1, ceil)
    n = counts(xp, dy.dtype, windows, count_padding)

    def factors(images, rows, strip_windows):
        factor = 1 / n[rows]
        return ((tap, factor) for tap in strip_windows.taps)

    return _distribute(xp, dy, factors, x_shape, windows)


def _strips(xp, images, windows, channels):
    return strips_of_windows(xp, images, windows, prod(windows.size) * channels)


def _distribute(xp, dy, factors, x_shape, windows):
    """Return dx (N, *extent, C): at each position the sum of dy·factor over all windows and taps
    that read it.

    factors(images, rows, windows of the strip) yields (tap, factor). A factor is an array, or a
    mask of bools.
    """
    n, channels = x_shape[0], x_shape[-1]
    padded = empty(xp, (n, *windows.padded, channels), dy.dtype)
    is_disjoint = windows.stride == windows.reach == windows.size
    read = prod(windows.out) * prod(windows.size)
    is_partition = is_disjoint and read == prod(windows.padded)  # one tap reads each position
    if not is_partition:
        padded[...] = 0

    def work(strip):
        images, rows, strip_windows = strip
        dy_part, dx_part = dy[images, rows], padded[images, rows.start * windows.stride[0] :]
        for tap, factor in factors(*strip):
            times, under = masked if factor.dtype == bool else xp.multiply, strip_windows.under(tap)
            if is_partition:
                times(dy_part, factor, out=dx_part[under])
            else:
                dx_part[under] += times(dy_part, factor)

    for strips in non_overlapping(_strips(xp, n, windows, channels), windows):
        parallel_map(xp, work, strips)
    return windows.unpad(padded)
