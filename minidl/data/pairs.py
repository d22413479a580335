"""Pair training examples: half of the pairs are of the same class, half of different classes."""

from collections.abc import Callable

import numpy as np

from minidl.errors import ArgumentError
from minidl.typing import Array


def pairing(labels: Array) -> Callable[[np.random.Generator, Array], tuple[Array, Array]]:
    """Return a function pair(rng, numbers) -> (others, same) for examples with these labels.

    labels   (N,) ints of at least 0
    numbers  (M,) the numbers of examples
    others   (M,) the number of a second example for each
    same     (M,) bools: whether both are of one class, which is so for half of them, at random

    All valid second examples are equally likely. An example that is alone in its class is paired
    with itself. Raises ArgumentError if all labels are equal.
    """
    # `order` sorts the examples by class, so those of one class are consecutive. The second example
    # is either in this range but at another position, or outside of the range. In both cases it is
    # drawn from consecutive positions with a gap.
    order, counts = labels.argsort(kind="stable"), np.bincount(labels)
    if counts.max(initial=0) == len(labels):
        raise ArgumentError(
            f"{len(labels)} examples of one class make no pairs of different ones; take more "
            "(--limit)"
        )
    positions = order.argsort()
    begins, lengths = (counts.cumsum() - counts)[labels], counts[labels]

    def pair(rng, numbers):
        position, begin, length = positions[numbers], begins[numbers], lengths[numbers]
        same = rng.permutation(len(numbers)) % 2 == 0
        like = np.where(length > 1, _draw(rng, begin, length, position, 1), position)
        unlike = _draw(rng, 0, len(labels), begin, length)
        return order[np.where(same, like, unlike)], same

    return pair


def _draw(rng, begin, length, gap_begin, gap):
    """Draw a position from begin .. begin + length - 1, except gap_begin .. gap_begin + gap - 1."""
    position = begin + rng.integers(np.maximum(1, length - gap))
    return position + gap * (position >= gap_begin)
