"""Make batches of P people with K pictures each, so that every picture has positives and negatives
for the choice of triplets."""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from minidl.data.batches import Batches
from minidl.errors import ArgumentError, brief
from minidl.shapes import is_int
from minidl.typing import Array


class IdentityBatches(Batches):
    """Batches of examples of `people` people, with `pictures` examples of each.

    The last of the arrays names the person of each example. Iteration, resuming and random changes
    are those of Batches.

    In each epoch the examples of each person are permuted and divided into groups of `pictures`.
    The last group is completed with other examples of the person. A person with fewer examples has
    one group of all of them. A batch takes one group of each of `people` people, those with the
    most groups left. If fewer people have groups left, other people join with new random groups.
    Every epoch therefore contains every example, and every batch has `people` people, or all if
    there are fewer.

    Raises ArgumentError if `people` or `pictures` is less than 2, or if there is only one person.
    """

    def __init__(
        self,
        arrays: Sequence[Array],
        people: int,
        pictures: int,
        seed: int,
        transform: Callable[..., Sequence[Array]] | None = None,
        prefetch: int = 2,
    ):
        labels = np.asarray(arrays[-1])
        for name, value in ("people", people), ("pictures", pictures):
            if not (is_int(value) and value >= 2):
                raise ArgumentError(
                    f"the {name} of a batch are {brief(value)}; wanted a whole number of at least 2"
                )
        self._examples_of = [np.flatnonzero(labels == label) for label in np.unique(labels)]
        if len(self._examples_of) < 2:
            raise ArgumentError(
                f"{len(labels)} pictures of one person make no triplets; wanted two people at least"
            )
        self.people, self.pictures = min(people, len(self._examples_of)), pictures
        super().__init__(arrays, people * pictures, seed, transform=transform, prefetch=prefetch)

    def __len__(self) -> int:
        """The number of batches in an epoch."""
        counts = [-(-len(examples) // self.pictures) for examples in self._examples_of]
        return max(max(counts), -(-sum(counts) // self.people))

    def _order(self, epoch):
        rng = self._random(epoch)
        groups = [self._groups(rng, examples) for examples in self._examples_of]

        def batch():
            return [
                groups[person].pop() if groups[person] else self._random_group(rng, person)
                for person in self._people(rng, groups)
            ]

        return [np.concatenate(batch()) for _ in range(len(self))]

    def _people(self, rng, groups):
        """Return the people of the next batch: those with the most groups left, ties at random."""
        left = Counter({person: len(groups[person]) for person in rng.permutation(len(groups))})
        return [person for person, _ in left.most_common(self.people)]

    def _groups(self, rng, examples):
        """Divide the examples of a person into groups."""
        examples = rng.permutation(examples)
        size, count = self.pictures, len(examples)
        missing = -count % size if count > size else 0
        # The last group must not contain an example twice.
        others = rng.permutation(examples[: count + missing - size])
        filled = np.concatenate([examples, others[:missing]])
        return [filled[begin : begin + size] for begin in range(0, len(filled), size)]

    def _random_group(self, rng, person):
        return rng.permutation(self._examples_of[person])[: self.pictures]
