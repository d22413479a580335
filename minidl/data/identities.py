"""Batches of P people with K pictures each: what a choice of triplets needs, positives and
negatives of every picture."""

from collections import Counter

import numpy as np

from minidl.data.batches import Batches
from minidl.errors import ArgumentError, brief
from minidl.shapes import is_int


class IdentityBatches(Batches):
    """Batches whose last array says whose each picture is; iterated, resumed and changed at random
    as Batches are.

    In every epoch each person's pictures are dealt, in a new order, into hands of K; the last hand
    is filled up with others of the person. A person with fewer than K pictures has one hand of all
    there are. A batch is a hand each of P people, always those with most hands left; where fewer
    than P people have any left, hands of others, drawn again, join in. So every picture is seen in
    every epoch, and every batch has P people, or as many as there are.
    """

    def __init__(self, arrays, people, pictures, seed, transform=None, prefetch=2):
        labels = np.asarray(arrays[-1])
        for name, value, least in ("people", people, 2), ("pictures", pictures, 2):
            if not (is_int(value) and value >= least):
                raise ArgumentError(
                    f"the {name} of a batch are {brief(value)}; wanted a whole number of at least {least}"
                )
        self._places = [np.flatnonzero(labels == label) for label in np.unique(labels)]
        if len(self._places) < 2:
            raise ArgumentError(
                f"{len(labels)} pictures of one person make no triplets; wanted two people at least"
            )
        self.people, self.pictures = min(people, len(self._places)), pictures
        super().__init__(arrays, people * pictures, seed, transform=transform, prefetch=prefetch)

    def __len__(self):
        """How many batches an epoch has."""
        hands = [-(-len(places) // self.pictures) for places in self._places]
        return max(max(hands), -(-sum(hands) // self.people))

    def _order(self, epoch):
        rng = self._random(epoch)
        hands = [self._dealt(rng, places) for places in self._places]
        return [
            np.concatenate(
                [hands[i].pop() if hands[i] else self._hand(rng, i) for i in self._next(rng, hands)]
            )
            for _ in range(len(self))
        ]

    def _next(self, rng, hands):
        """The people of the next batch"""
        left = Counter({i: len(hands[i]) for i in rng.permutation(len(hands))})
        return [i for i, _ in left.most_common(self.people)]

    def _dealt(self, rng, places):
        """A person's hands"""
        places = rng.permutation(places)
        short = -len(places) % self.pictures if len(places) > self.pictures else 0
        filled = np.concatenate(
            [places, rng.permutation(places[: len(places) + short - self.pictures])[:short]]
        )
        return [
            filled[begin : begin + self.pictures] for begin in range(0, len(filled), self.pictures)
        ]

    def _hand(self, rng, i):
        return rng.permutation(self._places[i])[: self.pictures]
