"""Store a kernel as indices into 256 levels: one byte per weight instead of four.

The levels are found by k-means in one dimension (S. Lloyd, "Least squares quantization in PCM",
1982).
"""

import numpy as np

from minidl.typing import Array

COUNT = 256


def to_levels(array: Array) -> tuple[Array, Array]:
    """(*shape) float -> indices (*shape) uint8, levels (256,) float32; array ≈ levels[indices]

    Lloyd's two steps are repeated until nothing changes: each value is assigned to its nearest
    level, and each level becomes the mean of its values. Neither step increases
    Σ (value - level)². The values nearest to a level are consecutive in the sorted values, so both
    steps need only the boundaries between levels and cumulative sums.

    The levels are in ascending order. An array of at most 256 different values is stored exactly.
    The values must be finite.

    >>> to_levels(np.float32([5, 7, 5]))[0]
    array([0, 1, 0], dtype=uint8)
    """
    values = np.sort(array, axis=None).astype(np.float32)
    levels = np.unique(values)
    if levels.size > COUNT:
        levels = _lloyd(values, _start(values)).astype(np.float32)
    indices = np.searchsorted(_midpoints(levels), array)
    return indices.astype(np.uint8), np.pad(levels, (0, COUNT - levels.size), mode="edge")


def has_levels(array: Array) -> bool:
    """Whether a float32 array is finite, has at most COUNT different values, and takes less space
    when stored as levels.

    >>> numbers = np.arange(1000, dtype=np.float32)
    >>> has_levels(numbers % 9), has_levels(numbers)
    (True, False)
    """
    is_smaller = array.size + 4 * COUNT < 4 * array.size
    # The first few values suffice to reject most arrays.
    has_few = is_smaller and all(
        np.unique(values).size <= COUNT for values in (array.flat[: 4 * COUNT], array)
    )
    return bool(has_few and np.isfinite(array).all())


def _lloyd(values, levels, most_rounds=100):
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    for _ in range(most_rounds):
        ends = np.concatenate([[0], np.searchsorted(values, _midpoints(levels)), [values.size]])
        counts = np.diff(ends)
        # A level to which no value is nearest does not move.
        means = np.where(counts > 0, np.diff(sums[ends]) / np.maximum(counts, 1), levels)
        if np.array_equal(means, levels):
            break
        levels = means
    return levels


def _start(values, intervals=4096):
    """(n,) ascending -> (256,): levels whose density is proportional to the cube root of the
    values' density, the optimum (Panter and Dite 1951).

    Between consecutive quantiles the density is proportional to 1 / gap, so an interval gets a
    share of gap · (1 / gap)^⅓ = gap^⅔ of the levels. If the levels started at the quantiles, the
    tails would get too few, and Lloyd's steps would end with three to sixteen times the error.
    """
    quantiles = np.quantile(values, np.linspace(0, 1, intervals + 1))
    share = np.concatenate([[0.0], np.cumsum(np.diff(quantiles) ** (2 / 3))])
    return np.interp((np.arange(COUNT) + 0.5) / COUNT * share[-1], share, quantiles)


def _midpoints(levels):
    return (levels[1:] + levels[:-1]) / 2
