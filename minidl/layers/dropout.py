"""Dropout does nothing after training."""

import threading
from collections.abc import Sequence
from itertools import count
from typing import Any
from weakref import WeakValueDictionary

from minidl import ops
from minidl.errors import ArgumentError, brief
from minidl.layers.module import Module
from minidl.ops.dropout import must_be_a_share
from minidl.shapes import is_int
from minidl.typing import Operand, Result

ALONE, PLACED = 0xA10E, 0x91ACED  # first numbers of the default seeds outside and inside a network
_lock = threading.Lock()
# number -> Dropout without a given seed, outside a network
_alone: "WeakValueDictionary[int, Dropout]" = WeakValueDictionary()


class Dropout(Module):
    """y = `dropout(x, keep, (seed, n))`        in training
    y = x                                   afterwards

    In training, keep each number with the probability `keep` and divide it by `keep`, or else set
    it to 0. (Srivastava et al. 2014 multiply by `keep` after training instead of dividing during
    training.) n is the number of the call.

    keep: above 0, at most 1.

    seed: an int or several, or None to derive it from the position in the network. A network that
    is built again then draws the same masks, and two layers of one network draw independent masks.
    Two networks of the same structure draw the same masks, unless a Module contains both; give them
    seeds to make them independent. Outside a network the seed is the smallest number that no other
    such layer has.

    Raises ArgumentError for other values.

    >>> layer = Dropout(0.5, seed=1)
    >>> layer(np.ones(4)), layer.train(False)(np.ones(4))
    (array([0., 2., 2., 0.]), array([1., 1., 1., 1.]))
    """

    buffers = ("calls",)

    def __init__(self, keep: float, seed: int | Sequence[int] | None = None) -> None:
        must_be_a_share(keep)
        numbers: Any = seed if isinstance(seed, (tuple, list)) else [0 if seed is None else seed]
        if not all(is_int(number) and number >= 0 for number in numbers):
            raise ArgumentError(
                f"dropout's seed is {brief(seed)}; wanted an integer from 0, several, or None"
            )
        self.keep, self.calls = keep, 0
        self.seed: Any = seed
        self._takes_places = seed is None
        if seed is None:
            with _lock:
                number = next(number for number in count() if number not in _alone)
                _alone[number], self.seed = self, (ALONE, number)

    def take_place(self, place: int) -> None:
        """Derive the seed from the position in a network, unless it was given."""
        if self._takes_places:
            kind, number = self.seed
            with _lock:
                if kind == ALONE and _alone.get(number) is self:
                    del _alone[number]
            self.seed = PLACED, place

    def __call__(self, x: Operand) -> Result:
        """(...) -> (...)"""
        if not self.training:
            return x
        self.calls += 1
        return ops.dropout(x, self.keep, (self.seed, self.calls))
