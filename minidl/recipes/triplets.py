"""Triplets worth training on: of all anchors, positives and negatives of a batch those that teach
most.

With d_ap and d_an the distances of an anchor to a positive, another picture of the same person, and
to a negative, of another person, and m the margin of the loss, a triplet is

    easy        d_ap + m < d_an             its loss is 0
    semi-hard   d_ap < d_an <= d_ap + m     in the right order, but too near
    hard        d_an <= d_ap

Most are easy from early on, so that their mean hardly moves; the hardest alone may make a network
collapse early on. Hence the choices below, and a schedule that goes through them. The distances are
plain arrays (N, N), squared or not as the loss has them; labels (N,) say whose pictures they belong
to.
"""

from typing import NamedTuple

import numpy as np

from minidl.errors import ArgumentError, one_of


class Triplets(NamedTuple):
    """Three arrays of places in the batch, of the same length, which is 0 where the batch has no
    such triplet."""

    anchors: np.ndarray
    positives: np.ndarray
    negatives: np.ndarray


def choose(kind, distances, labels, margin, rng):
    """The Triplets of a batch. With a pair, an anchor and one of its positives, i before j and j
    before i being two,

    "all"              every pair with every negative
    "violating"        each pair with one of the negatives of d_an < d_ap + m, at random (what FaceNet's descendants do)
    "semi-hard"        each pair with the nearest of its semi-hard negatives
    "random-semi-hard" each pair with one of them, at random
    "batch-hard"       each anchor with its farthest positive and its nearest negative (Hermans, Beyer, Leibe 2017)

    A pair or an anchor that has no such negative is left out. Of equal distances the first counts.
    """
    return CHOICES[one_of("triplets", kind, CHOICES)](distances, labels, margin, rng)


def _all(distances, labels, margin, rng):
    anchors, positives, others = _pairs(labels)
    pair, negatives = np.nonzero(others)
    return Triplets(anchors[pair], positives[pair], negatives)


def _violating(distances, labels, margin, rng):
    anchors, positives, others = _pairs(labels)
    wanted = others & (distances[anchors] < distances[anchors, positives][:, None] + margin)
    return _one_each(anchors, positives, wanted, _at_random(wanted, rng))


def _semi_hard(distances, labels, margin, rng):
    anchors, positives, wanted = _semi_hard_ones(distances, labels, margin)
    return _one_each(
        anchors, positives, wanted, np.where(wanted, distances[anchors], np.inf).argmin(axis=1)
    )


def _random_semi_hard(distances, labels, margin, rng):
    anchors, positives, wanted = _semi_hard_ones(distances, labels, margin)
    return _one_each(anchors, positives, wanted, _at_random(wanted, rng))


def _batch_hard(distances, labels, margin, rng):
    same = labels[:, None] == labels
    alike = same & ~np.eye(len(labels), dtype=bool)
    farthest = np.where(alike, distances, -np.inf).argmax(axis=1)
    nearest = np.where(same, np.inf, distances).argmin(axis=1)
    anchors = np.flatnonzero(alike.any(axis=1) & ~same.all(axis=1))
    return Triplets(anchors, farthest[anchors], nearest[anchors])


CHOICES = {
    "all": _all, "violating": _violating, "semi-hard": _semi_hard, "random-semi-hard": _random_semi_hard,
    "batch-hard": _batch_hard,
}  # fmt: skip


class Mining:
    """A schedule through the choices: "all,0.2:semi-hard,0.6:batch-hard" is all triplets at first,
    semi-hard ones from a fifth of the training on, and the hardest ones from three fifths on; one
    word alone is for all of it.

    >>> mining = Mining("all,0.2:semi-hard")
    >>> mining(0.1), mining(0.2)
    ('all', 'semi-hard')
    """

    def __init__(self, text):
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
                f"found {part!r} in {text!r}; wanted a share of the training and a choice, such as 0.2:semi-hard"
            ) from None

    def __call__(self, progress):
        """The choice at this share of the training, from 0 to 1"""
        return [kind for start, kind in self.parts if start <= progress][-1]


def health(distances, labels, margin, soft=False):
    """{what: number} of a batch: "active", the share of all its triplets that are above 0 in a
    hinge's loss; "near" and "far", the mean d_ap and d_an; "all_triplets_loss", the mean loss of
    all its triplets. 0 where there are none.

    While a choice of triplets changes what is trained on, and so what its loss means, these keep
    their meaning: a network that has all distances alike has an all_triplets_loss of m, or of log(1
    + e^m) in the soft form.
    """
    anchors, positives, others = _pairs(labels)
    z = (distances[anchors, positives][:, None] - distances[anchors] + margin)[others]
    apart = labels[:, None] != labels
    return {
        "active": (z > 0).sum() / max(1, z.size),
        "near": distances[anchors, positives].sum() / max(1, len(anchors)),
        "far": distances[apart].sum() / max(1, apart.sum()),
        "all_triplets_loss": (np.logaddexp(0, z) if soft else np.maximum(z, 0)).sum()
        / max(1, z.size),
    }


def _pairs(labels):
    """(anchors, positives, which of the batch are negatives of them (pairs, N))"""
    same = labels[:, None] == labels
    anchors, positives = np.nonzero(same & ~np.eye(len(labels), dtype=bool))
    return anchors, positives, ~same[anchors]


def _semi_hard_ones(distances, labels, margin):
    anchors, positives, others = _pairs(labels)
    near, far = distances[anchors, positives][:, None], distances[anchors]
    return anchors, positives, others & (near < far) & (far <= near + margin)


def _at_random(wanted, rng):
    """In each row the place of one that is wanted, each as likely"""
    number = rng.random(len(wanted)) * wanted.sum(axis=1)  # of those that are wanted, from 0 on
    return (wanted.cumsum(axis=1) > number[:, None]).argmax(axis=1)


def _one_each(anchors, positives, wanted, negatives):
    some = wanted.any(axis=1)
    return Triplets(anchors[some], positives[some], negatives[some])
