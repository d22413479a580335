"""Kernels as 256 levels: a byte a weight instead of four, by k-means on a line (Lloyd 1982)."""

import numpy as np

COUNT = 256


def to_levels(array):
    """(*shape) float -> indices (*shape) uint8, levels (256,) float32, ascending; array ≈
    levels[indices]

    Lloyd's two steps, until nothing moves: each value goes to its nearest level, each level to the
    mean of its values; Σ (value - level)² never grows. On a line the values nearest to a level are
    a run of the sorted values, so both steps need only the places where the runs end, and running
    sums.

    An array of at most 256 different values comes back exactly. The values must be finite.

    >>> to_levels(np.float32([5, 7, 5]))[0]
    array([0, 1, 0], dtype=uint8)
    """
    values = np.sort(array, axis=None).astype(np.float32)
    levels = np.unique(values)
    if levels.size > COUNT:
        levels = _lloyd(values, _start(values)).astype(np.float32)
    indices = np.searchsorted(_midpoints(levels), array)
    return indices.astype(np.uint8), np.pad(levels, (0, COUNT - levels.size), mode="edge")


def has_levels(array):
    """Whether a float32 array is COUNT levels already, all of them numbers, and smaller when stored
    so.

    >>> has_levels(np.arange(1000, dtype=np.float32) % 9), has_levels(np.arange(1000, dtype=np.float32))
    (True, False)
    """
    smaller = array.size + 4 * COUNT < 4 * array.size
    few = smaller and all(
        np.unique(part).size <= COUNT for part in (array.flat[: 4 * COUNT], array)
    )
    return bool(few and np.isfinite(array).all())


def _lloyd(values, levels, most_rounds=100):
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    for _ in range(most_rounds):
        ends = np.concatenate([[0], np.searchsorted(values, _midpoints(levels)), [values.size]])
        counts = np.diff(ends)
        # A level that no value is nearest to stays where it is.
        moved = np.where(counts > 0, np.diff(sums[ends]) / np.maximum(counts, 1), levels)
        if np.array_equal(moved, levels):
            break
        levels = moved
    return levels


def _start(values, intervals=4096):
    """(n,) ascending -> (256,): levels as dense as the cube root of the values' density, the
    optimum (Panter, Dite 1951).

    Between quantiles in equal steps the density is 1 / gap, so an interval deserves gap · (1 /
    gap)^⅓ = gap^⅔ of the levels. Started at the quantiles themselves, the tails get too few, and
    Lloyd's steps end with three to sixteen times the error.
    """
    quantiles = np.quantile(values, np.linspace(0, 1, intervals + 1))
    share = np.concatenate([[0.0], np.cumsum(np.diff(quantiles) ** (2 / 3))])
    return np.interp((np.arange(COUNT) + 0.5) / COUNT * share[-1], share, quantiles)


def _midpoints(levels):
    return (levels[1:] + levels[:-1]) / 2
