"""Dropout, which does nothing after training."""

import threading
from itertools import count
from weakref import WeakValueDictionary

from minidl import ops
from minidl.errors import ArgumentError, brief
from minidl.layers.module import Module
from minidl.shapes import is_int

ALONE, PLACED = 0xA10E, 0x91ACED  # first numbers of the default seeds outside and inside a network
# number -> Dropout without a given seed, outside a network
_alone: WeakValueDictionary = WeakValueDictionary()
_lock = threading.Lock()


class Dropout(Module):
    """In training every number is kept with probability `keep` and then divided by it, or else
    becomes 0 (Srivastava et al. 2014, in the form that leaves nothing to do afterwards). Call
    number n draws from (seed, n).

    seed: an int or several; None: derived from the position in the network. A network that is built
    again draws the same masks, and two layers of one network draw independent masks. Outside a
    network
    the seed is the smallest number that no other such layer has. Two networks of the same structure
    draw the same masks, unless a Module contains both; give them seeds to make them independent.
    """

    buffers = ("calls",)

    def __init__(self, keep, seed=None):
        if not 0 < keep <= 1:
            raise ArgumentError(
                f"dropout keeps a share of {keep}; wanted a number above 0, at most 1"
            )
        numbers = seed if isinstance(seed, (tuple, list)) else [0 if seed is None else seed]
        if not all(is_int(number) and number >= 0 for number in numbers):
            raise ArgumentError(
                f"dropout's seed is {brief(seed)}; wanted an integer from 0, several, or None"
            )
        self.keep, self.seed, self.calls = keep, seed, 0
        self._takes_places = seed is None
        if seed is None:
            with _lock:
                number = next(number for number in count() if number not in _alone)
                _alone[number], self.seed = self, (ALONE, number)

    def take_place(self, place):
        if self._takes_places:
            kind, number = self.seed
            with _lock:
                if kind == ALONE and _alone.get(number) is self:
                    del _alone[number]
            self.seed = PLACED, place

    def __call__(self, x):
        if not self.training:
            return x
        self.calls += 1
        return ops.dropout(x, self.keep, (self.seed, self.calls))
