"""People of a database who look alike: the distances of a new face to everybody."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minidl.typing import Array


class Likeness(NamedTuple):
    """How near a face is to its own person and to the nearest other one."""

    own: float | None  # distance to the nearest face of its person; None if it is the first one
    other: str | None  # the nearest other person; None if there is nobody else
    distance: float  # to that person, or infinity


class Lookalikes:
    """Known faces, to which new ones are added.

    names: N names. embeddings: (N, D), one row for each name.
    """

    def __init__(self, names: Sequence[str], embeddings: Array) -> None:
        self._names, self._count = list(names), len(names)
        self._rows = np.array(embeddings, np.float32)

    def add(self, name: str, embedding: Array) -> Likeness:
        """Return the Likeness of a face with an embedding (D,), and add it to its person."""
        likeness = self._likeness(name, embedding)
        if self._count == len(self._rows):
            more = np.empty((max(16, self._count), len(embedding)), np.float32)
            self._rows = np.concatenate([self._rows.reshape(-1, len(embedding)), more])
        self._rows[self._count] = embedding
        self._names.append(name)
        self._count += 1
        return likeness

    def _likeness(self, name, embedding):
        if not self._count:
            return Likeness(None, None, np.inf)
        distances = np.linalg.norm(self._rows[: self._count] - embedding, axis=1)
        is_own = np.array([other == name for other in self._names])
        own = float(distances[is_own].min()) if is_own.any() else None
        if is_own.all():
            return Likeness(own, None, np.inf)
        nearest = int(np.where(is_own, np.inf, distances).argmin())
        return Likeness(own, self._names[nearest], float(distances[nearest]))
