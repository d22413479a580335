"""Adaptive max-pooling: by max-pooling if all bins are small and have the same lengths.

The maxima of other bins are computed along one axis after another, the first axis first, because
its rows are the longest. The gradient finds the places of the maxima as that of one maximum does.
"""

from math import prod
from typing import Any

import numpy as np

from minidl import ops
from minidl.backend import array_module
from minidl.dispatch import definition_of
from minidl.engine.memory import empty
from minidl.engine.reductions import first_places, sum_at
from minidl.ops import adaptive_pooling
from minidl.ops.adaptive_pooling import bin_of, sizes

SMALL = 16  # positions of a bin

max_pool: Any = ops.max_pool


def has_several_bins(x, size):
    """Return whether there are several bins. The maximum of one is left to the definition."""
    return prod(sizes(x.shape, size)) > 1


def has_bins_to_compare(dy, x, size):
    """Return whether the bins are small and have the same lengths, or x is on the CPU and no three
    bins share a position."""
    lengths = zip(x.shape[1:-1], sizes(x.shape, size), strict=True)
    shrinks = all(S <= L for L, S in lengths) and array_module(x) is np and x.dtype.kind == "f"
    return shrinks or _window(x.shape, size) is not None


def adaptive_max_pool(x, size):
    """(N, *spatial, C) -> (N, *size, C)"""
    if window := _window(x.shape, size):
        return max_pool.forward(x, window)
    for axis, S in enumerate(sizes(x.shape, size), start=1):
        xp, L = array_module(x), x.shape[axis]
        before: Any = (slice(None),) * axis
        y = empty(xp, (*x.shape[:axis], S, *x.shape[axis + 1 :]), x.dtype)
        for o in range(S):
            x[(*before, bin_of(o, L, S))].max(axis=axis, out=y[(*before, o)])
        x = y
    return x


def adaptive_max_pool_dx(dy, x, size):
    """(N, *size, C) -> (N, *spatial, C)"""
    y = adaptive_max_pool(x, size)
    if window := _window(x.shape, size):
        options = {"stride": None, "padding": 0, "dilation": 1, "ceil": False}
        return max_pool.gradients["dx"](dy, x, y, window, **options)
    places = first_places(x, y)
    if places is None:
        return definition_of(adaptive_pooling.adaptive_max_pool_dx)(dy, x, size)
    return sum_at(places, dy, x.shape)


def _window(x_shape, size):
    """Return the lengths of the bins, or None if they are not the same or not small."""
    pairs = [*zip(x_shape[1:-1], sizes(x_shape, size), strict=True)]
    window = tuple(L // S for L, S in pairs)
    return window if all(L % S == 0 for L, S in pairs) and prod(window) <= SMALL else None
