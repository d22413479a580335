"""The maximum over adjacent axes, such as those of the positions of a picture, and its place.

Several rows are compared as one long row, because NumPy compares long rows faster. The gradient
compares x with the maxima. Nearly always, few numbers are equal to a maximum, and the first of them
is soon found. If many are, because most channels are 0 everywhere, the definition searches for it.
"""

from itertools import product
from math import prod

import numpy as np

from minidl.backend import array_module
from minidl.dispatch import definition_of
from minidl.engine.memory import empty
from minidl.engine.strips import fair_strip, strips
from minidl.engine.threads import parallel_map
from minidl.ops import reductions
from minidl.ops.reductions import axes_of

ROW = 1024  # numbers of a long row, about
MANY = 4  # equal numbers for each maximum, and also
SHARE = 8  # one in so many numbers: with more equal ones, a search for each maximum is faster


def joins(x, axis=None, keepdims=False):
    """Return whether the axes are adjacent, in their order, and none of them is the last, and x is
    a real array on the CPU."""
    axes = axes_of(axis, x.ndim)
    are_adjacent = bool(axes) and axes == (*range(axes[0], axes[0] + len(axes)),)
    return are_adjacent and axes[-1] < x.ndim - 1 and array_module(x) is np and x.dtype.kind == "f"


def joins_back(dy, x, axis, keepdims):
    """Return `joins` of the arguments of the gradient."""
    return joins(x, axis)


def max(x, axis=None, keepdims=False):
    """(.., *axes, ..) -> (.., ..)"""
    axes = axes_of(axis, x.ndim)
    kept = [1 if i in axes else n for i, n in enumerate(x.shape) if keepdims or i not in axes]
    return _maxima(_joined(x, axes)).reshape(kept)


def max_dx(dy, x, axis, keepdims):
    """(.., ..) -> (.., *axes, ..)"""
    X = _joined(x, axes_of(axis, x.ndim))
    places = first_places(X, _maxima(X)[:, None])
    if places is None:
        return definition_of(reductions.max_dx)(dy, x, axis, keepdims)
    return sum_at(places, dy, x.shape)


def first_places(x, y):
    """(N, *L, C), (N, *S, C) -> (N·S·C): the place of the first number in a bin of x that is equal
    to the maximum y of this bin, as an index of all numbers of x. The bins are those of adaptive
    pooling, with S at most L.

    Adjacent bins may share a position. Each axis is therefore compared with the first bin of each
    position, and then again, at the positions that have one, with the second bin.

    Return None if many numbers are equal, or if a maximum is NaN.
    """
    n, *extent, _ = x.shape
    axes = [_bins(L, S) for L, S in zip(extent, y.shape[1:-1], strict=True)]

    def work(item):
        ((positions, bins), *others), (images, rows) = item
        steps = [(positions[rows], bins[rows]), *others]
        part, largest = x[images], y[images]
        for axis, (positions, bins) in enumerate(steps, start=1):
            whole = (slice(None),) * axis
            if len(positions) == positions[-1] + 1 - positions[0]:
                part = part[(*whole, slice(positions[0], positions[-1] + 1))]
            else:
                part = part.take(positions, axis)
            if y.shape[axis] > 1:
                largest = largest.take(bins, axis)
        equal = part == largest
        if np.count_nonzero(equal) > MANY * y.size + equal.size // SHARE:
            return None
        image, *places, channel = np.unravel_index(np.flatnonzero(equal), equal.shape)
        in_x = [positions[i] for (positions, _), i in zip(steps, places, strict=True)]
        in_y = [bins[i] for (_, bins), i in zip(steps, places, strict=True)]
        image += images.start
        return tuple(
            np.ravel_multi_index((image, *i, channel), a.shape) for i, a in ((in_x, x), (in_y, y))
        )

    items = []
    for steps in product(*axes):
        row = prod(len(positions) for positions, _ in steps[1:]) * x.shape[-1]
        parts = strips(n, len(steps[0][0]), row, fair_strip(np, x.size))
        items += [(steps, part) for part in parts]
    found = parallel_map(np, work, items)
    if any(pair is None for pair in found):
        return None
    first = np.full(y.size, x.size)
    for places, of in found:
        np.minimum.at(first, of, places)
    return first if first.max(initial=0) < x.size else None


def sum_at(places, dy, shape):
    """Return an array of this shape: the sum of the dy at each place, and 0 elsewhere."""
    dx = empty(np, shape, dy.dtype)
    dx[...] = 0
    np.add.at(dx.reshape(-1), places, dy.reshape(-1))
    return dx


def _bins(L, S):
    """Return [(positions, their bins)]: all positions with their first bins and, if there are any,
    the positions with a second bin."""
    i = np.arange(L)
    first, last = i * S // L, -(-(i + 1) * S // L) - 1
    shared = np.flatnonzero(last > first)
    return [(i, first), (shared, last[shared])] if shared.size else [(i, first)]


def _joined(x, axes):
    """(.., *axes, ..) -> (outer, length, inner)"""
    first, last = axes[0], axes[-1] + 1
    return x.reshape(prod(x.shape[:first]), prod(x.shape[first:last]), prod(x.shape[last:]))


def _maxima(X):
    """(outer, length, inner) -> (outer, inner)"""
    outer, length, inner = X.shape
    y = np.full((outer, inner), -np.inf, X.dtype)

    def work(strip):
        part = X[strip]
        n, length, _ = part.shape
        rows = 1
        while rows * inner < ROW and length % (2 * rows) == 0:
            rows *= 2
        long = part.reshape(n, length // rows, rows * inner).max(axis=1)
        return long.reshape(n, rows, inner).max(axis=1)

    parts = strips(outer, length, inner, fair_strip(np, X.size))
    for (images, _), largest in zip(parts, parallel_map(np, work, parts), strict=True):
        y[images] = np.maximum(y[images], largest)
    return y
