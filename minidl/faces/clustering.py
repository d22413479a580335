"""Group faces without names: the faces of one group are probably of one person.

Average linkage (Sokal and Michener 1958) begins with one group for each face. It joins the two
groups whose faces have the smallest mean squared distance, again and again, while the root of this
mean is at most the threshold. With the means μ of the embeddings of two groups A and B, and the
mean squared distances v of their faces to their means, it is

    1 / (|A| |B|) Σ_a Σ_b |a - b|² = |μ_A - μ_B|² + v_A + v_B

because the cross terms of a - b = (a - μ_A) + (μ_A - μ_B) + (μ_B - b) have a sum of 0. A group is
therefore a mean, a v and a count, and no distances of pairs are stored.

Two faces of one picture are two people, so groups with a picture in common are infinitely distant.

The pair with the smallest distance need not be searched for. If A is the group nearest to B, and B
the group nearest to A, then both are joined at some time, whatever is joined before, because a
joined group is never nearer to a third one than the nearer of its parts. A chain of nearest
neighbours ends at such a pair (Murtagh 1983). If the end of the chain has no neighbour within the
threshold, it is complete. Equal distances are decided by the order of the faces, so the result
depends on nothing else.

Cost: at most 3 N distances of one group to all others: 3·N²·D multiply-adds for N faces with D
numbers, and 4·N·D bytes.

On ORL's 400 pictures of 40 people, the shipped threshold gives 41 groups. No group has pictures of
two people, and 0.9 % of the pairs of one person are in two groups.
"""

from collections.abc import Sequence

import numpy as np

from minidl.errors import ArgumentError, NonFiniteError, ShapeError
from minidl.typing import Array

FARTHEST = np.finfo(float).max  # a larger distance is infinite


def group_faces(
    embeddings: Array, threshold: float, pictures: Sequence[int] | Array | None = None
) -> list[list[int]]:
    """Return groups of the N faces with embeddings (N, D), as lists of their indices.

    The largest group is first; of equally large groups, the one with the first face. threshold: the
    largest root mean square distance of two groups that are joined. pictures: (N,), the number of
    each face's picture; None if no two faces are of one picture. Raise ShapeError for another
    shape, NonFiniteError for NaN or infinity, and ArgumentError for a negative threshold.

    >>> group_faces(np.array([[0.0], [5.0], [0.3], [5.1], [0.1]]), threshold=0.5)
    [[0, 2, 4], [1, 3]]
    >>> group_faces(np.array([[0.0], [0.1]]), threshold=0.5, pictures=[7, 7])
    [[0], [1]]
    """
    points = np.asarray(embeddings, float)
    pictures = np.arange(len(points)) if pictures is None else np.asarray(pictures)
    if points.ndim != 2 or pictures.shape != points.shape[:1]:
        raise ShapeError(
            f"group_faces of embeddings {points.shape} and pictures {pictures.shape}; "
            "wanted (N, D) and (N,)"
        )
    if not np.isfinite(points).all():
        raise NonFiniteError("an embedding holds NaN or infinity; wanted finite numbers")
    if not threshold >= 0:
        raise ArgumentError(f"the threshold is {threshold}; wanted a distance of at least 0")
    groups = Groups(points, pictures.tolist())
    chain: list[int] = []
    while groups.remaining.any():
        if not chain:
            chain.append(int(groups.remaining.argmax()))
        end = chain[-1]
        distances = groups.distances(end)
        nearest = int(distances.argmin())
        if len(chain) > 1 and distances[chain[-2]] == distances[nearest]:
            nearest = chain[-2]  # of equal distances the previous group, so that chains end
        if not distances[nearest] <= min(threshold**2, FARTHEST):
            groups.complete(end)
            chain.pop()
        elif len(chain) > 1 and nearest == chain[-2]:
            groups.join(chain[-2], end)
            del chain[-2:]
        else:
            chain.append(nearest)
    return sorted(groups.completed, key=lambda group: (-len(group), group))


class Groups:
    """The groups of N faces that may still be joined. A group has the number of one of its faces.

    points: (N, D), the embeddings. pictures: N numbers, of the faces' pictures.
    """

    def __init__(self, points: Array, pictures: Sequence[int]) -> None:
        count = len(points)
        self.means, self.counts = points.copy(), np.ones(count)
        self.squares = (points * points).sum(axis=1)  # |μ|²
        self.spreads = np.zeros(count)  # v
        self.remaining = np.ones(count, bool)
        self.members = [[number] for number in range(count)]
        self.completed: list[list[int]] = []
        self._pictures = [{picture} for picture in pictures]
        self._holders: dict[int, set[int]] = {picture: set() for picture in pictures}
        for number, picture in enumerate(pictures):
            self._holders[picture].add(number)

    def distances(self, number: int) -> Array:
        """Return the mean squared distances (N,) of a group to all others, infinite to itself, to
        completed groups, and to those with a picture in common."""
        squares = self.squares + self.squares[number] - 2 * (self.means @ self.means[number])
        distances = np.maximum(squares, 0) + self.spreads + self.spreads[number]
        distances[~self.remaining] = np.inf
        for picture in self._pictures[number]:
            distances[list(self._holders[picture])] = np.inf
        return distances

    def join(self, first: int, second: int) -> None:
        """Join two groups under the number of the first."""
        a, b = self.counts[first], self.counts[second]
        share = b / (a + b)
        step = self.means[second] - self.means[first]
        self.means[first] += share * step
        self.spreads[first] += share * (self.spreads[second] - self.spreads[first])
        self.spreads[first] += share * (1 - share) * (step @ step)
        self.squares[first] = self.means[first] @ self.means[first]
        self.counts[first] = a + b
        self.members[first] += self.members[second]
        for picture in self._pictures[second]:
            self._holders[picture].remove(second)
            self._holders[picture].add(first)
        self._pictures[first] |= self._pictures[second]
        self.remaining[second] = False

    def complete(self, number: int) -> None:
        """Take a group out that is joined with no other."""
        self.completed.append(sorted(self.members[number]))
        for picture in self._pictures[number]:
            self._holders[picture].discard(number)
        self.remaining[number] = False
