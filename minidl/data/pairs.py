"""Examples in pairs, as many of the same class as of different ones."""

import numpy as np

from minidl.errors import ArgumentError


def pairing(labels):
    """From labels (N,), whole numbers from 0 on, make pair(rng, numbers (M,)) -> (others (M,), same
    (M,) of bools): to each numbered example the number of another one, which is of the same class
    for every second of them, at random.

    Of all that a pair allows each is as likely. An example that is alone in its class is its own
    other.
    """
    # In the order of their classes the like of an example are a run. Its other is at a place in
    # there but not its own, or at one that is not in there: in both cases a draw that steps over a
    # hole.
    order, counts = labels.argsort(kind="stable"), np.bincount(labels)
    if counts.max(initial=0) == len(labels):
        raise ArgumentError(
            f"{len(labels)} examples of one class make no pairs of different ones; take more (--limit)"
        )
    places, begins, lengths = order.argsort(), (counts.cumsum() - counts)[labels], counts[labels]

    def pair(rng, numbers):
        place, begin, length = places[numbers], begins[numbers], lengths[numbers]
        same = rng.permutation(len(numbers)) % 2 == 0
        like = np.where(length > 1, _draw(rng, begin, length, place, 1), place)
        unlike = _draw(rng, 0, len(labels), begin, length)
        return order[np.where(same, like, unlike)], same

    return pair


def _draw(rng, begin, length, hole, gap):
    """One of the places from `begin` on, `length` in all, but not of the `gap` from `hole` on,
    which are among them"""
    place = begin + rng.integers(np.maximum(1, length - gap))
    return place + gap * (place >= hole)
