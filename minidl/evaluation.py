"""How good an embedding is: nearest neighbours, whether a distance tells same from different, one
example, strangers."""

from typing import NamedTuple

import numpy as np

from minidl.errors import ArgumentError, NonFiniteError, ShapeError
from minidl.half import at_least_float32

STRIP = 1 << 24  # distances at once
CLOSE = 1e-6  # a share of |p|² + |q|² of which float64 leaves ten digits


def nearest_neighbours(points, known, squares=None):
    """(M, D), (N, D) -> (M,): for each point the number of the nearest known one by Euclidean
    distance, of equals the first.

    squares: |k|² of each known one, (N,), from one who asks often. Cost: M·N·D multiply-adds; reads
    N·D numbers."""
    if points.ndim != 2 or known.ndim != 2 or points.shape[1] != known.shape[1] or not len(known):
        raise ShapeError(
            f"nearest_neighbours of {points.shape} among {known.shape}; wanted (M, D) and (N, D), N at least 1"
        )
    points, known = (a.astype(at_least_float32(a.dtype), copy=False) for a in (points, known))
    halves = ((known * known).sum(axis=1) if squares is None else squares) / 2
    found, rows = np.empty(len(points), int), max(1, STRIP // len(known))
    for begin in range(0, len(points), rows):
        # |p - k|² / 2 but for |p|² / 2, which is the same for all known ones
        near = halves - points[begin : begin + rows] @ known.T
        found[begin : begin + rows] = nearest = near.argmin(axis=1)
        # of numbers with a NaN, argmin gives that
        _must_be_numbers(near[np.arange(len(near)), nearest])
    return found


def pair_distances(points, labels):
    """(N, D), (N,) -> (distances (P,), same (P,)) of all P = N (N - 1) / 2 pairs i < j, row after
    row, in float64.

    |p - q|² = |p|² + |q|² - 2 p·q, which loses the digits that p and q share: where it is short beside |p|² + |q|², it is taken
    from p - q itself, so that equal points have a distance of exactly 0. Cost: 2·P·D multiply-adds;
    keeps 9·P bytes.

    >>> pair_distances(np.array([[0., 0.], [3., 4.], [0., 0.]]), np.array(["ann", "ann", "bob"]))
    (array([5., 0., 5.]), array([ True, False, False]))
    """
    points, labels, count = np.asarray(points, float), np.asarray(labels), len(points)
    if points.ndim != 2 or labels.shape != (count,):
        raise ShapeError(
            f"pair_distances of points {points.shape} and labels {labels.shape}; wanted (N, D) and (N,)"
        )
    lengths, rows = (points * points).sum(axis=1), max(1, STRIP // max(1, count))
    distances, same = [np.empty(0)], [np.empty(0, bool)]
    for begin in range(0, count, rows):
        i, j = np.triu_indices(min(rows, count - begin), k=1 + begin, m=count)
        i += begin
        longest = lengths[i] + lengths[j]
        squares = longest - 2 * (points[begin : begin + rows] @ points.T)[i - begin, j]
        close = np.flatnonzero(squares <= CLOSE * longest)
        for near in np.array_split(close, 1 + close.size * points.shape[1] // STRIP):
            squares[near] = np.square(points[i[near]] - points[j[near]]).sum(axis=1)
        distances.append(np.sqrt(squares))
        same.append(labels[i] == labels[j])
    return np.concatenate(distances), np.concatenate(same)


def square_of_pairs(distances, count):
    """(P,) of the pairs i < j of so many points, as `pair_distances` gives them -> (N, N), 0 on the
    diagonal

    >>> square_of_pairs(np.array([5., 0., 4.]), 3)
    array([[0., 5., 0.],
           [5., 0., 4.],
           [0., 4., 0.]])
    """
    square = np.zeros((count, count))
    square[np.triu_indices(count, 1)] = distances
    return square + square.T


def one_shot(distances, labels):
    """(N, N), (N,) -> (Q,): for each point whose label has another one, the probability that of one
    known point of each label, drawn at random, the nearest is that of its own; their mean is the
    accuracy of learning from one example.

    >>> apart = np.array([[0., 1, 2, 4], [1, 0, 3, 5], [2, 3, 0, 1], [4, 5, 1, 0]])
    >>> one_shot(apart, np.array([0, 0, 1, 1])), one_shot(apart, np.array([0, 1, 1, 2]))
    (array([1., 1., 1., 1.]), array([0., 0.]))
    """
    everything = np.ones(len(labels), bool)
    return open_set(distances, labels, everything, ~everything, np.inf)[0]


def open_set(distances, labels, known, strangers, threshold):
    """(N, N), (N,), (N,) of bools twice -> (named (Q,), rejected (Q,), accepted (S,)),
    probabilities

    One example of each label of the known points is drawn. named: that of a known point, whose
    label has another one, the nearest example is its own and at most the threshold away; rejected:
    that none is so near. accepted: that one is so near to a stranger. What is as far as the right
    one counts as nearer; infinite distances are near to nothing.

    Nothing is tried: drawn independently, the example of x's own label is the nearest with
    probability

        1/|own| Σ_p Π_Q (share of Q's points farther from x than p),      p: the other points of its label, Q: the other labels

    which is the average over every choice that there is. Cost: N² comparisons for each example of
    one's own.
    """
    _must_be_numbers(distances)
    order = np.argsort(labels, kind="stable")
    distances, labels, known, strangers = (
        distances[np.ix_(order, order)],
        labels[order],
        known[order],
        strangers[order],
    )
    examples = np.flatnonzero(known)
    names, starts, counts = np.unique(labels[examples], return_index=True, return_counts=True)

    def shares_beyond(point, limits):
        """(L,) -> (L, labels): of each label's examples the share that is farther from this
        point"""
        farther = distances[point, examples] > np.asarray(limits)[:, None]
        return np.add.reduceat(farther, starts, axis=1, dtype=float) / counts

    named, rejected, accepted = [], [], []
    for point in examples:
        own = examples[(labels[examples] == labels[point]) & (examples != point)]
        if len(own):
            others, apart = names != labels[point], distances[point, own]
            named.append(
                ((apart <= threshold) * shares_beyond(point, apart)[:, others].prod(axis=1)).mean()
            )
            rejected.append(
                (apart > threshold).mean() * shares_beyond(point, [threshold])[0, others].prod()
            )
    for point in np.flatnonzero(strangers):
        accepted.append(1 - shares_beyond(point, [threshold])[0].prod())
    return np.array(named), np.array(rejected), np.array(accepted)


def _must_be_numbers(distances):
    """Refuse NaN, which is neither near nor far."""
    if np.isnan(distances).any():
        raise NonFiniteError(
            "a distance is NaN; wanted points of finite numbers: look at the embeddings and the weights"
        )


class ErrorRates(NamedTuple):
    """At each threshold, pairs of at most this distance taken for the same: the share of different
    pairs that are accepted and of same pairs that are rejected. All three (T,), thresholds rising:
    every distance that occurs. Between two of them nothing changes; the middle is the threshold
    that is farthest from deciding otherwise."""

    thresholds: np.ndarray
    false_accept: np.ndarray
    false_reject: np.ndarray

    @property
    def equal(self):
        """(rate, threshold) where both errors are as common: the mean of both at the threshold
        where they are nearest"""
        best = self._nearest
        return float(self.false_accept[best] + self.false_reject[best]) / 2, float(
            self.thresholds[best]
        )

    @property
    def equal_middle(self):
        """The threshold of `equal`, in the middle of its plateau"""
        return self._middle(self._nearest)

    def for_false_accept(self, rate):
        """The threshold that accepts most while at most this share of different pairs is accepted,
        in the middle of its plateau. Raises ArgumentError where no threshold is so strict:
        different pairs of distance 0."""
        if not 0 <= rate <= 1:
            raise ArgumentError(
                f"the share of false accepts is {rate}; wanted a number from 0 to 1"
            )
        last = int(np.searchsorted(self.false_accept, rate, side="right")) - 1
        if last < 0 and self.thresholds[0] <= 0:
            share = f"{self.false_accept[0]:.3g}"
            raise ArgumentError(
                f"a share of {share} of the different pairs has distance 0, more than {rate:.3g}; look for one picture under "
                "two names"
            )
        return self._middle(last)

    def at(self, threshold):
        """(false_accept, false_reject) where pairs of at most this distance, any number, are taken
        for the same"""
        last = int(np.searchsorted(self.thresholds, threshold, side="right")) - 1
        return (
            (0.0, 1.0)
            if last < 0
            else (float(self.false_accept[last]), float(self.false_reject[last]))
        )

    @property
    def _nearest(self):
        return int(abs(self.false_accept - self.false_reject).argmin())

    def _middle(self, number):
        """Of threshold `number` (-1: 0, below all distances) and the next; the last stands for
        itself."""
        here = float(self.thresholds[number]) if number >= 0 else 0.0
        if number + 1 == len(self.thresholds):
            return here
        there = float(self.thresholds[number + 1])
        middle = here + (there - here) / 2
        return middle if middle < there else here


def error_rates(distances, same):
    """(N,), (N,) of bools -> ErrorRates at every distance that occurs; the distances are sorted
    once."""
    distances, same = np.asarray(distances), np.asarray(same, bool)
    if distances.shape != same.shape or distances.ndim != 1 or same.all() or not same.any():
        raise ArgumentError(
            "error rates want distances (N,) and as many words same or different, of each at least one"
        )
    _must_be_numbers(distances)
    order = distances.argsort(kind="stable")
    distances, same = distances[order], same[order]
    last = np.append(distances[1:] != distances[:-1], True)  # of equal distances
    accepted_same, accepted_different = same.cumsum()[last], (~same).cumsum()[last]
    return ErrorRates(
        distances[last], accepted_different / (~same).sum(), 1 - accepted_same / same.sum()
    )
