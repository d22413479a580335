"""The gradient of an embedding, which adds rows with the same place.

The rows are sorted by their places. The first row of each place is copied. Of the others, the
second of a place is added to the first, the fourth to the third, and so on. Then the third is added
to the first, the seventh to the fifth, and so on. After ⌈log₂ n⌉ such steps, the first of n rows is
their sum. Each step adds all its pairs of rows at once.
"""

import numpy as np

from minidl.backend import array_module
from minidl.engine.memory import empty


def applies(rows, places, shape):
    """Return whether the rows are on a CPU. Reading the number of steps would stall a GPU."""
    return array_module(rows) is np


def rows_added(rows, places, shape):
    """(..., C), (...) -> shape (V, C): zeros to which each row is added at its place"""
    total = empty(np, shape, rows.dtype)
    total[...] = 0
    if not places.size:
        return total
    order = np.argsort(places, axis=None, kind="stable")
    places, rows = places.reshape(-1)[order], rows.reshape(len(order), shape[1])
    is_first = _is_first(places)
    total[places[is_first]] = rows.take(order[is_first], axis=0)
    others = ~is_first
    if others.any():
        places, sums = _sums(rows.take(order[others], axis=0), places[others])
        total[places] += sums
    return total


def _sums(rows, places):
    """Return each place once, and the sum of its rows. The places are sorted. The rows are
    overwritten."""
    first = np.flatnonzero(_is_first(places))
    counts = np.diff(first, append=len(places))
    rank = np.arange(len(places)) - np.repeat(first, counts)  # among the rows with the same place
    after = np.repeat(counts, counts) - rank - 1  # how many of them follow
    distance = 1
    while distance < counts.max():
        at = np.flatnonzero((rank % (2 * distance) == 0) & (after >= distance))
        rows[at] += rows[at + distance]
        distance *= 2
    return places[first], rows[first]


def _is_first(places):
    """Return where a place differs from the one before it."""
    return np.concatenate([[True], places[1:] != places[:-1]])
