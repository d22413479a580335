"""A face belongs to the nearest known person if it is near enough, and otherwise to a stranger."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minidl.evaluation import two_nearest
from minidl.faces.database import Database
from minidl.typing import Array

# The shipped threshold; a database may store another one. On ORL, 0.02 % of the pairs of different
# people have a smaller distance, and 1.8 % of the pairs of one person a larger one. If one picture
# of each of 20 people is enrolled, 0.5 % of the faces of 20 others are accepted as one of them. At
# 0.6, a threshold that is common elsewhere, 47 % are accepted.
THRESHOLD = 0.48
# On ORL: the rate of rejected pairs of one person, and of accepted strangers
REJECTED, STRANGERS_ACCEPTED = 0.0178, 0.0049
# A second person is close if their distance is larger by less than this share of the threshold. On
# ORL, with one picture of each of 40 people, this holds for 0.9 % of the right names and for all
# wrong ones (10 of 14,131).
CLOSE = 1 / 8


class Match(NamedTuple):
    """The result of identifying one face."""

    nearest: str | None  # the name of the nearest known person; None if nobody is known
    distance: float | None  # to the nearest known embedding; None if nobody is known
    known: bool  # whether the distance is at most the threshold
    second: str | None = None  # the nearest other person, or None
    second_distance: float | None = None
    close: bool = False  # whether the face is known, and the second person nearly as near

    @property
    def name(self) -> str | None:
        """The name of the person, or None for a stranger."""
        return self.nearest if self.known else None


class Gallery:
    """The embeddings of known people, to be compared with faces.

    names: N names. embeddings: (N, D), one row for each name; a person may have several. threshold:
    the largest distance at which a face is identified as a known person.

    >>> gallery = Gallery(["ann", "bob"], np.array([[0.0, 0.0], [3.0, 4.0]]), threshold=1.0)
    >>> for match in gallery.identify(np.array([[3.0, 3.5], [9.0, 9.0]])):
    ...     print(match.name, match.nearest, round(match.distance, 2), match.second)
    bob bob 0.5 ann
    None bob 7.81 ann
    """

    def __init__(self, names: Sequence[str], embeddings: Array, threshold: float) -> None:
        self.names, self.embeddings, self.threshold = names, embeddings, threshold
        self._squares = np.einsum("nd,nd->n", embeddings, embeddings)
        numbers: dict[str, int] = {}
        self._people = np.array([numbers.setdefault(name, len(numbers)) for name in names], int)

    @classmethod
    def of(cls, database: Database, threshold: float | None = None) -> "Gallery":
        """Return the gallery of all people in a database.

        threshold: None for the database's own, or THRESHOLD if it stores none.
        """
        if threshold is None:
            calibration = database.calibration()
            threshold = THRESHOLD if calibration is None else calibration[0]
        names, embeddings = database.embeddings()
        return cls(names, embeddings, threshold)

    def identify(self, embeddings: Sequence[Array] | Array) -> list[Match]:
        """Return a Match for each of M embeddings (M, D).

        Cost: one matrix product of M·N·D multiply-adds, which reads N·D numbers.
        """
        if not self.names or not len(embeddings):
            return [Match(None, None, False)] * len(embeddings)
        points = np.asarray(embeddings)
        best = two_nearest(points, self.embeddings, self._people, self._squares)
        return [self._match(*found) for found in zip(points, *best, strict=True)]

    def _match(self, embedding: Array, number: int, other: int) -> Match:
        distance = between(embedding, self.embeddings[number])
        known = distance <= self.threshold
        match = Match(self.names[number], distance, known)
        if other < 0:
            return match
        second = between(embedding, self.embeddings[other])
        close = known and second - distance < CLOSE * self.threshold
        return match._replace(second=self.names[other], second_distance=second, close=close)


def between(a: Array, b: Array) -> float:
    """Return the Euclidean distance of two embeddings a and b, (D,)."""
    return float(np.linalg.norm(np.asarray(a, float) - np.asarray(b, float)))
