"""Who is this: of all who are enrolled the nearest, where near enough, and else a stranger."""

from typing import NamedTuple

import numpy as np

from minidl.evaluation import nearest_neighbours

# The shipped threshold; a database may have its own. On ORL, 0.02 % of the pairs of different
# people are nearer, and 1.8 % of the pairs of one person are farther. With one picture of each of
# 20 people enrolled, 0.5 % of the faces of 20 others are accepted as one of them. At 0.6, a common
# threshold elsewhere, 47 % are.
THRESHOLD = 0.48
# shares on ORL of rejected pairs of one person, and of accepted strangers
REJECTED, STRANGERS_ACCEPTED = 0.0178, 0.0049


class Match(NamedTuple):
    """The nearest of those who are enrolled, how far away (None twice where nobody is), and whether
    that is near enough."""

    nearest: str | None
    distance: float | None
    known: bool

    @property
    def name(self):
        """None for a stranger"""
        return self.nearest if self.known else None


class Gallery:
    """Names (N,) and their embeddings (N, D), a person's as many as there are, and the distance up
    to which a face is taken for one of them.

    >>> gallery = Gallery(["ann", "bob"], np.array([[0.0, 0.0], [3.0, 4.0]]), threshold=1.0)
    >>> for match in gallery.identify(np.array([[3.0, 3.5], [9.0, 9.0]])):
    ...     print(match)
    Match(nearest='bob', distance=0.5, known=True)
    Match(nearest='bob', distance=7.810249675906654, known=False)
    """

    def __init__(self, names, embeddings, threshold):
        self.names, self.embeddings, self.threshold = names, embeddings, threshold
        self._squares = np.einsum("nd,nd->n", embeddings, embeddings)

    @classmethod
    def of(cls, database, threshold=None):
        """All who are in a Database, at the threshold given, else the one that it was calibrated
        to, else THRESHOLD"""
        if threshold is None:
            calibration = database.calibration()
            threshold = THRESHOLD if calibration is None else calibration[0]
        return cls(*database.embeddings(), threshold)

    def identify(self, embeddings):
        """(M, D) -> [Match], by one matrix product with all who are enrolled. Cost: M·N·D
        multiply-adds, N·D numbers read."""
        if not self.names or not len(embeddings):
            return [Match(None, None, False)] * len(embeddings)
        found = nearest_neighbours(np.asarray(embeddings), self.embeddings, self._squares)
        return [self._match(face, number) for face, number in zip(embeddings, found, strict=True)]

    def _match(self, face, number):
        distance = between(face, self.embeddings[number])
        return Match(self.names[number], distance, distance <= self.threshold)


def between(a, b):
    """(D,), (D,) -> their Euclidean distance"""
    return float(np.linalg.norm(np.asarray(a, float) - np.asarray(b, float)))
