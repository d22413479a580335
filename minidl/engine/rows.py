"""Sums of channels, and factors of channels, for many pictures.

x (N, P, C) holds the numbers of N pictures at P positions in C channels. NumPy computes x * factors
slowly if C is small, and copies the factors into a buffer if C is less than the length of the
buffer. `Rows` therefore views r positions as one row of r·C numbers, repeats the factors r times,
and shortens the buffer.
"""

import functools
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from minidl.backend import array_module
from minidl.engine.strips import fair_strip, strips
from minidl.engine.threads import parallel_map
from minidl.typing import Array

LEAST = BUFFER = 1 << 10  # numbers of a row, and of NumPy's buffer
Part: TypeAlias = tuple[slice, slice]  # some pictures, and some rows of each


class Rows:
    """The division of arrays (N, P, C) into rows and strips of rows.

    x: an array of this shape. groups: the number of groups of channels. r: the number of positions
    in a row, a divisor of P. sets: (groups, C / groups).
    """

    def __init__(self, x: Array, groups: int) -> None:
        self.xp = array_module(x)
        self.pictures, positions, self.channels = x.shape
        self.r = _repetitions(positions, self.channels, LEAST)
        self.count = positions // self.r
        self.sets = groups, self.channels // max(1, groups)

    def of(self, array: Any) -> Any:
        """(N, P, C) -> (N, P/r, r·C)"""
        return array.reshape(self.pictures, self.count, self.r * self.channels)

    def sums(self, part: Array) -> Array:
        """(n, R, r·C) -> (n, C): the sum of each channel over all positions"""
        return self._of_channels(self.xp.ones(part.shape[1], part.dtype) @ part)

    def products(self, a: Array, b: Array) -> Array:
        """(n, R, r·C), (n, R, r·C) -> (n, C): the sum of the products of a and b in each channel"""
        return self._of_channels(self.xp.einsum("nrc,nrc->nc", a, b))

    def _of_channels(self, totals):
        """(n, r·C) -> (n, C)"""
        return totals.reshape(len(totals), self.r, self.channels).sum(axis=1)

    def repeated(self, *factors: Array, dtype: DTypeLike) -> Array:
        """k arrays (n, groups, C / groups), or (n, groups, 1) -> (k, n, 1, r·C): for all positions
        of a row"""
        k, n = len(factors), len(factors[0])
        repeated = self.xp.empty((k, n, self.r, *self.sets), dtype)
        for place, factor in zip(repeated, factors, strict=True):
            place[...] = factor[:, None]
        return repeated.reshape(k, n, 1, self.r * self.channels)

    def map(self, work: Callable[[Part], Any]) -> list[tuple[Part, Any]]:
        """Return [(part, work(part))] for strips of rows, computed on all threads."""
        row = self.r * self.channels
        strip = fair_strip(self.xp, self.pictures * self.count * row)
        parts = strips(self.pictures, self.count, row, strip)
        before = np.setbufsize(BUFFER)  # the threads inherit it
        try:
            return [*zip(parts, parallel_map(self.xp, work, parts), strict=True)]
        finally:
            np.setbufsize(before)


@functools.cache
def _repetitions(positions, channels, least):
    """Return r. A row has at least `least` numbers, if some divisor of the positions gives so many
    and at least four rows. The factors of a picture then need at most a quarter of its memory."""
    wanted = -(-least // max(1, channels))
    most = max(1, min(4 * wanted, positions // 4))
    divisors = [r for r in range(1, most + 1) if positions % r == 0]
    return next((r for r in divisors if r >= wanted), divisors[-1])
