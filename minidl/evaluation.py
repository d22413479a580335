"""How good an embedding is: nearest neighbours, and whether a distance tells same from different."""

from typing import NamedTuple

import numpy as np

from minidl.errors import ArgumentError, ShapeError

STRIP = 1 << 24  # distances at once


def nearest_neighbours(points, known):
    """(M, D), (N, D) -> (M,): for each point the number of the nearest known one by Euclidean distance, of equals the first"""
    if points.ndim != 2 or known.ndim != 2 or points.shape[1] != known.shape[1] or not len(known):
        raise ShapeError(f"nearest_neighbours of {points.shape} among {known.shape}; wanted (M, D) and (N, D), N at least 1")
    found, rows, squares = np.empty(len(points), int), max(1, STRIP // len(known)), (known * known).sum(axis=1) / 2
    for begin in range(0, len(points), rows):
        # |p - k|² / 2 but for |p|² / 2, which is the same for all known ones
        found[begin : begin + rows] = (squares - points[begin : begin + rows] @ known.T).argmin(axis=1)
    return found


class ErrorRates(NamedTuple):
    """At each threshold, pairs of at most this distance taken for the same: the share of different pairs that are accepted
    and of same pairs that are rejected. All three (T,), thresholds rising."""

    thresholds: np.ndarray
    false_accept: np.ndarray
    false_reject: np.ndarray

    @property
    def equal(self):
        """(rate, threshold) where both errors are as common: the mean of both at the threshold where they are nearest"""
        best = abs(self.false_accept - self.false_reject).argmin()
        return float(self.false_accept[best] + self.false_reject[best]) / 2, float(self.thresholds[best])


def error_rates(distances, same):
    """(N,), (N,) of bools -> ErrorRates at every distance that occurs; the distances are sorted once."""
    distances, same = np.asarray(distances), np.asarray(same, bool)
    if distances.shape != same.shape or distances.ndim != 1 or same.all() or not same.any():
        raise ArgumentError("error rates want distances (N,) and as many words same or different, of each at least one")
    order = distances.argsort(kind="stable")
    distances, same = distances[order], same[order]
    last = np.append(distances[1:] != distances[:-1], True)  # of equal distances
    accepted_same, accepted_different = same.cumsum()[last], (~same).cumsum()[last]
    return ErrorRates(distances[last], accepted_different / (~same).sum(), 1 - accepted_same / same.sum())
