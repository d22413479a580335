"""Evaluation of embeddings: nearest neighbours, error rates of verification and identification."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from minidl.errors import ArgumentError, NonFiniteError, ShapeError
from minidl.half import at_least_float32

STRIP = 1 << 24  # the largest number of distances computed at once
CLOSE = 1e-6  # share of |p|² + |q|²; float64 leaves ten digits of a larger |p - q|²


def nearest_neighbours(
    points: np.ndarray, known: np.ndarray, squares: np.ndarray | None = None
) -> np.ndarray:
    """Return the index (M,) of the nearest known point by Euclidean distance, for each point.

    points: (M, D); known: (N, D), N at least 1; squares: |k|² of the known points (N,), if they are
    computed already. Of equal distances, the first counts.

    Raises ShapeError if the shapes do not fit, and NonFiniteError if a distance is NaN.

    Cost: M·N·D multiply-adds.

    >>> nearest_neighbours(np.array([[1., 1.]]), np.array([[0., 0.], [2., 1.], [0., 1.]]))
    array([1])
    """
    indices = np.empty(len(points), int)
    for part, scores in _scores(points, known, squares):
        indices[part] = _least(scores)
    return indices


def two_nearest(
    points: np.ndarray, known: np.ndarray, labels: np.ndarray, squares: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the index (M,) of the nearest known point for each point, and the index (M,) of the
    nearest known point with another label than that one, or -1 if all labels are equal.

    labels: (N,), of the known points; the others, the errors and the cost are those of
    `nearest_neighbours`.

    >>> two_nearest(np.array([[1.]]), np.array([[1.], [2.], [3.]]), np.array([7, 7, 8]))
    (array([0]), array([2]))
    """
    nearest, second = np.empty(len(points), int), np.empty(len(points), int)
    for part, scores in _scores(points, known, squares):
        nearest[part] = _least(scores)
        scores[labels == labels[nearest[part], None]] = np.inf
        best = scores.argmin(axis=1)
        second[part] = np.where(np.isinf(scores[np.arange(len(scores)), best]), -1, best)
    return nearest, second


def _scores(points, known, squares):
    """Yield (slice of the points, scores (rows, N)). A score is (|p - k|² - |p|²) / 2, which has
    its minimum at the same k as |p - k|²."""
    if points.ndim != 2 or known.ndim != 2 or points.shape[1] != known.shape[1] or not len(known):
        raise ShapeError(
            f"nearest_neighbours of {points.shape} among {known.shape}; "
            "wanted (M, D) and (N, D), N at least 1"
        )
    points, known = (a.astype(at_least_float32(a.dtype), copy=False) for a in (points, known))
    half_squares = ((known * known).sum(axis=1) if squares is None else squares) / 2
    rows = max(1, STRIP // len(known))
    for start in range(0, len(points), rows):
        part = slice(start, start + rows)
        yield part, half_squares - points[part] @ known.T


def _least(scores):
    """Return the index (rows,) of the least score of each row."""
    indices = scores.argmin(axis=1)
    # argmin returns the index of a NaN if there is one
    _must_not_be_nan(scores[np.arange(len(scores)), indices])
    return indices


def pair_distances(points: ArrayLike, labels: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return the distances (P,), float64, of all pairs of points, and whether their labels are
    equal (P,).

    points: (N, D); labels: (N,). The P = N (N - 1) / 2 pairs are (i, j) with i < j, sorted.

    |p - q|² = |p|² + |q|² - 2 p·q loses the leading digits that p and q share. If the result is
    small compared with |p|² + |q|², it is computed again from p - q, so that equal points have a
    distance of exactly 0.

    Raises ShapeError if the shapes do not fit. Cost: 2·P·D multiply-adds, 9·P bytes.

    >>> points = np.array([[0., 0.], [3., 4.], [0., 0.]])
    >>> pair_distances(points, np.array(["ann", "ann", "bob"]))
    (array([5., 0., 5.]), array([ True, False, False]))
    """
    points, labels = np.asarray(points, float), np.asarray(labels)
    count = len(points)
    if points.ndim != 2 or labels.shape != (count,):
        raise ShapeError(
            f"pair_distances of points {points.shape} and labels {labels.shape}; "
            "wanted (N, D) and (N,)"
        )
    norms, rows = (points * points).sum(axis=1), max(1, STRIP // max(1, count))
    distances, same = [np.empty(0)], [np.empty(0, bool)]
    for start in range(0, count, rows):
        i, j = np.triu_indices(min(rows, count - start), k=1 + start, m=count)
        i += start
        sums = norms[i] + norms[j]
        squares = sums - 2 * (points[start : start + rows] @ points.T)[i - start, j]
        close = np.flatnonzero(squares <= CLOSE * sums)
        for part in np.array_split(close, 1 + close.size * points.shape[1] // STRIP):
            squares[part] = np.square(points[i[part]] - points[j[part]]).sum(axis=1)
        distances.append(np.sqrt(squares))
        same.append(labels[i] == labels[j])
    return np.concatenate(distances), np.concatenate(same)


def square_of_pairs(distances: np.ndarray, count: int) -> np.ndarray:
    """Return the symmetric matrix (count, count) of the distances (P,) that `pair_distances` gives.

    >>> square_of_pairs(np.array([5., 0., 4.]), 3)
    array([[0., 5., 0.],
           [5., 0., 4.],
           [0., 4., 0.]])
    """
    square = np.zeros((count, count))
    square[np.triu_indices(count, 1)] = distances
    return square + square.T


def one_shot(distances: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the probability of recognising each point from one random example of each label.

    distances: (N, N); labels: (N,). The result (Q,) holds the Q points whose label has another
    point. A point is recognised if the nearest of the examples, one drawn for each label, has its
    label. The mean of the result is the accuracy of learning from one example.

    >>> square = np.array([[0., 1, 2, 4], [1, 0, 3, 5], [2, 3, 0, 1], [4, 5, 1, 0]])
    >>> one_shot(square, np.array([0, 0, 1, 1])), one_shot(square, np.array([0, 1, 1, 2]))
    (array([1., 1., 1., 1.]), array([0., 0.]))
    """
    all_points = np.ones(len(labels), bool)
    return open_set(distances, labels, all_points, ~all_points, np.inf)[0]


def open_set(
    distances: np.ndarray,
    labels: np.ndarray,
    known: np.ndarray,
    strangers: np.ndarray,
    threshold: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the probabilities (named (Q,), rejected (Q,), accepted (S,)) of identification.

    distances: (N, N); labels: (N,); known, strangers: (N,), bool. One random example of each label
    of the known points is drawn. A point is accepted if an example is at most the threshold away.

    named     of each known point whose label has another point: it is accepted, and the nearest
              example has its label
    rejected  of the same points: no example is at most the threshold away
    accepted  of each stranger: it is accepted

    An example of another label counts as nearer if both distances are equal. An infinite distance
    is near to nothing.

    The probabilities are exact. The examples are drawn independently, so for a known point x

        named(x) = 1/|own| Σ_p Π_Q (share of Q's points that are farther from x than p)

    where p runs over the other points of x's label with a distance of at most the threshold, |own|
    is the number of all of them, and Q runs over the other labels.

    Raises NonFiniteError if a distance is NaN. Cost: N² comparisons, times the number of examples
    of a label.
    """
    _must_not_be_nan(distances)
    order = np.argsort(labels, kind="stable")
    distances = distances[np.ix_(order, order)]
    labels, known, strangers = labels[order], known[order], strangers[order]
    examples = np.flatnonzero(known)
    names, starts, counts = np.unique(labels[examples], return_index=True, return_counts=True)

    def shares_beyond(point, limits):
        """The share of each label's examples that are farther from the point than each of the
        limits: (L,) -> (L, labels)"""
        farther = distances[point, examples] > np.asarray(limits)[:, None]
        return np.add.reduceat(farther, starts, axis=1, dtype=float) / counts

    named, rejected, accepted = [], [], []
    for point in examples:
        own = examples[(labels[examples] == labels[point]) & (examples != point)]
        if len(own):
            is_other, own_distances = names != labels[point], distances[point, own]
            nearer_than_others = shares_beyond(point, own_distances)[:, is_other].prod(axis=1)
            named.append(((own_distances <= threshold) * nearer_than_others).mean())
            others_beyond = shares_beyond(point, [threshold])[0, is_other].prod()
            rejected.append((own_distances > threshold).mean() * others_beyond)
    for point in np.flatnonzero(strangers):
        accepted.append(1 - shares_beyond(point, [threshold])[0].prod())
    return np.array(named), np.array(rejected), np.array(accepted)


def _must_not_be_nan(distances):
    """Raise NonFiniteError for NaN: all comparisons with NaN are False."""
    if np.isnan(distances).any():
        raise NonFiniteError(
            "a distance is NaN; wanted points of finite numbers: "
            "check the embeddings and the weights"
        )


class ErrorRates(NamedTuple):
    """The error rates of verification at each threshold: pairs of at most this distance are taken
    for the same.

    thresholds    (T,), rising: each distance that occurs
    false_accept  (T,): the share of different pairs that are taken for the same
    false_reject  (T,): the share of same pairs that are taken for different

    The rates are constant between two thresholds. The middle between them is the best choice,
    because it is farthest from the distances at which the rates change.
    """

    thresholds: np.ndarray
    false_accept: np.ndarray
    false_reject: np.ndarray

    @property
    def equal(self) -> tuple[float, float]:
        """(rate, threshold) where both error rates are nearest to each other; the rate is their
        mean there."""
        best = self._most_equal
        rate = float(self.false_accept[best] + self.false_reject[best]) / 2
        return rate, float(self.thresholds[best])

    @property
    def equal_middle(self) -> float:
        """The middle between the threshold of `equal` and the next threshold."""
        return self._middle(self._most_equal)

    def for_false_accept(self, rate: float) -> float:
        """Return the largest threshold whose share of false accepts is at most `rate`, moved to the
        middle between it and the next threshold.

        rate: from 0 to 1. Raises ArgumentError if there is none, because too many different pairs
        have distance 0.
        """
        if not 0 <= rate <= 1:
            raise ArgumentError(
                f"the share of false accepts is {rate}; wanted a number from 0 to 1"
            )
        last = int(np.searchsorted(self.false_accept, rate, side="right")) - 1
        if last < 0 and self.thresholds[0] <= 0:
            raise ArgumentError(
                f"a share of {self.false_accept[0]:.3g} of the different pairs has distance 0; "
                f"wanted at most {rate:.3g}: look for one picture under two names"
            )
        return self._middle(last)

    def most_accurate(self, share: float) -> float:
        """Return the threshold with the most pairs that are decided rightly, moved to the middle
        between it and the next threshold.

        share: of the same pairs, from 0 to 1. Of equal accuracies, the first threshold counts.
        """
        errors = share * self.false_reject + (1 - share) * self.false_accept
        best = int(errors.argmin())
        return self._middle(best if errors[best] < share else -1)  # -1 takes all for different

    def at(self, threshold: float) -> tuple[float, float]:
        """Return (false_accept, false_reject) at any threshold."""
        last = int(np.searchsorted(self.thresholds, threshold, side="right")) - 1
        if last < 0:
            return 0.0, 1.0
        return float(self.false_accept[last]), float(self.false_reject[last])

    @property
    def _most_equal(self):
        return int(abs(self.false_accept - self.false_reject).argmin())

    def _middle(self, index):
        """The middle between the threshold of this index and the next one, below the next one.

        Index -1 is the threshold 0, below all distances. After the last threshold there is no next
        one: it is returned itself.
        """
        lower = float(self.thresholds[index]) if index >= 0 else 0.0
        if index + 1 == len(self.thresholds):
            return lower
        upper = float(self.thresholds[index + 1])
        middle = lower + (upper - lower) / 2
        return middle if middle < upper else lower


def error_rates(distances: ArrayLike, same: ArrayLike) -> ErrorRates:
    """Return the ErrorRates of pairs at each distance that occurs.

    distances: (P,); same: (P,), bool, with at least one True and one False. Raises ArgumentError
    otherwise, and NonFiniteError if a distance is NaN.

    >>> rates = error_rates([1.0, 2.0, 3.0], [True, False, False])
    >>> rates.equal, rates.for_false_accept(0.5)
    ((0.0, 1.0), 2.5)
    """
    distances, same = np.asarray(distances), np.asarray(same, bool)
    if distances.shape != same.shape or distances.ndim != 1 or same.all() or not same.any():
        raise ArgumentError(
            f"error rates of distances {distances.shape} and same {same.shape}; wanted (P,) twice, "
            "with at least one pair of the same and one of different kind"
        )
    _must_not_be_nan(distances)
    order = distances.argsort(kind="stable")
    distances, same = distances[order], same[order]
    is_last = np.append(distances[1:] != distances[:-1], True)  # of equal distances
    accepted_same, accepted_different = same.cumsum()[is_last], (~same).cumsum()[is_last]
    return ErrorRates(
        distances[is_last], accepted_different / (~same).sum(), 1 - accepted_same / same.sum()
    )
