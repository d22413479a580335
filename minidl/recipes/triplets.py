"""`choose` selects those triplets of a batch from which the network learns most.

Let d_ap be the distance of an anchor to a positive (another picture of the same person), d_an that
to a negative (a picture of another person), and m the margin of the loss. A triplet is

    easy        d_ap + m < d_an             its loss is 0
    semi-hard   d_ap < d_an ≤ d_ap + m      in the right order, but within the margin
    hard        d_an ≤ d_ap                 in the wrong order

After a few epochs, most triplets are easy, so the mean over all triplets changes slowly. The
hardest triplets alone can make a network collapse in its first epochs: it maps everything to one
point. `choose` therefore offers several choices, and `Mining` is a schedule of choices.

The distances are arrays (N, N), squared if those of the loss are; labels (N,) are the people.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from minidl.errors import ArgumentError, one_of


class Triplets(NamedTuple):
    """Three arrays of indices into the batch, all of the same length, which may be 0."""

    anchors: np.ndarray
    positives: np.ndarray
    negatives: np.ndarray


def choose(
    kind: str, distances: np.ndarray, labels: np.ndarray, margin: float, rng: np.random.Generator
) -> Triplets:
    """Return Triplets of a batch.

    A pair is an anchor and one of its positives; (i, j) and (j, i) are two pairs.

    distances: (N, N); labels: (N,); margin: m; rng: for the random choices; kind: one of

    "all"               each pair with each negative
    "violating"         each pair with one of the negatives of d_an < d_ap + m, at random (as the
                        programs facenet and OpenFace do)
    "semi-hard"         each pair with the nearest of its semi-hard negatives
    "random-semi-hard"  each pair with one of its semi-hard negatives, at random
    "batch-hard"        each anchor with its farthest positive and its nearest negative (Hermans,
                        Beyer, Leibe 2017)

    A pair or an anchor without such a negative is omitted. Of equal distances, the first counts.
    """
    return CHOICES[one_of("triplets", kind, CHOICES)](distances, labels, margin, rng)


def _all(distances, labels, margin, rng):
    anchors, positives, are_negatives = _pairs(labels)
    pairs, negatives = np.nonzero(are_negatives)
    return Triplets(anchors[pairs], positives[pairs], negatives)


def _violating(distances, labels, margin, rng):
    anchors, positives, are_negatives = _pairs(labels)
    limits = distances[anchors, positives][:, None] + margin
    allowed = are_negatives & (distances[anchors] < limits)
    return _one_for_each_pair(anchors, positives, allowed, _at_random(allowed, rng))


def _semi_hard(distances, labels, margin, rng):
    anchors, positives, allowed = _semi_hard_negatives(distances, labels, margin)
    nearest = np.where(allowed, distances[anchors], np.inf).argmin(axis=1)
    return _one_for_each_pair(anchors, positives, allowed, nearest)


def _random_semi_hard(distances, labels, margin, rng):
    anchors, positives, allowed = _semi_hard_negatives(distances, labels, margin)
    return _one_for_each_pair(anchors, positives, allowed, _at_random(allowed, rng))


def _batch_hard(distances, labels, margin, rng):
    same = labels[:, None] == labels
    are_positives = same & ~np.eye(len(labels), dtype=bool)
    farthest = np.where(are_positives, distances, -np.inf).argmax(axis=1)
    nearest = np.where(same, np.inf, distances).argmin(axis=1)
    anchors = np.flatnonzero(are_positives.any(axis=1) & ~same.all(axis=1))
    return Triplets(anchors, farthest[anchors], nearest[anchors])


CHOICES: dict[str, Callable[..., Triplets]] = {
    "all": _all,
    "violating": _violating,
    "semi-hard": _semi_hard,
    "random-semi-hard": _random_semi_hard,
    "batch-hard": _batch_hard,
}


class Mining:
    """A schedule of choices over the training.

    "all,0.2:semi-hard,0.6:batch-hard" chooses all triplets at first, semi-hard ones after a fifth
    of the training, and the hardest ones after three fifths. A single word holds for the whole
    training. Raises ArgumentError if the text is not of this form.

    >>> mining = Mining("all,0.2:semi-hard")
    >>> mining(0.1), mining(0.2)
    ('all', 'semi-hard')
    """

    def __init__(self, text: str) -> None:
        first, *others = str(text).split(",")
        self.parts = [(0.0, first), *(self._part(text, other) for other in others)]
        for _, kind in self.parts:
            one_of("triplets", kind, CHOICES)
        starts = [start for start, _ in self.parts]
        if starts != sorted(set(starts)) or not starts[-1] < 1:
            raise ArgumentError(
                f"the shares of the training in {text!r} are {starts}; wanted rising ones, below 1"
            )

    @staticmethod
    def _part(text, part):
        start, _, kind = part.partition(":")
        try:
            return float(start), kind
        except ValueError:
            raise ArgumentError(
                f"found {part!r} in {text!r}; wanted a share of the training and a choice, "
                "such as 0.2:semi-hard"
            ) from None

    def __call__(self, progress: float) -> str:
        """Return the choice at a share of the training, from 0 to 1."""
        return [kind for start, kind in self.parts if start <= progress][-1]


def health(
    distances: np.ndarray, labels: np.ndarray, margin: float, soft: bool = False
) -> dict[str, float]:
    """Return measures of a batch that do not depend on the choice of triplets.

    distances: (N, N); labels: (N,); margin: m

    active             the share of all triplets with d_ap - d_an + m > 0
    near, far          the mean d_ap and the mean d_an
    all_triplets_loss  the mean loss of all triplets; soft: log(1 + e^z) instead of max(z, 0)

    A mean over nothing is 0. If all distances are equal, all_triplets_loss is m, or log(1 + e^m) in
    the soft form.
    """
    anchors, positives, are_negatives = _pairs(labels)
    z = (distances[anchors, positives][:, None] - distances[anchors] + margin)[are_negatives]
    losses = np.logaddexp(0, z) if soft else np.maximum(z, 0)
    different = labels[:, None] != labels
    return {
        "active": (z > 0).sum() / max(1, z.size),
        "near": distances[anchors, positives].sum() / max(1, len(anchors)),
        "far": distances[different].sum() / max(1, different.sum()),
        "all_triplets_loss": losses.sum() / max(1, z.size),
    }


def _pairs(labels):
    """Return the anchors and the positives of all pairs (P,), and which elements of the batch are
    their negatives (P, N)."""
    same = labels[:, None] == labels
    anchors, positives = np.nonzero(same & ~np.eye(len(labels), dtype=bool))
    return anchors, positives, ~same[anchors]


def _semi_hard_negatives(distances, labels, margin):
    """Return what `_pairs` does, but only the semi-hard negatives."""
    anchors, positives, are_negatives = _pairs(labels)
    near, far = distances[anchors, positives][:, None], distances[anchors]
    return anchors, positives, are_negatives & (near < far) & (far <= near + margin)


def _at_random(allowed, rng):
    """Return the index of a random True in each row (P, N), all with the same probability."""
    chosen = rng.random(len(allowed)) * allowed.sum(axis=1)  # the number of the True, from 0
    return (allowed.cumsum(axis=1) > chosen[:, None]).argmax(axis=1)


def _one_for_each_pair(anchors, positives, allowed, negatives):
    """Return the Triplets of the pairs that have an allowed negative."""
    has_one = allowed.any(axis=1)
    return Triplets(anchors[has_one], positives[has_one], negatives[has_one])
