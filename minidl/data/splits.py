"""Some examples held out, to validate with."""

import numpy as np

from minidl.errors import ArgumentError, ShapeError, brief
from minidl.shapes import is_int


def split(arrays, held_out, seed):
    """(kept, held): the arrays without and with `held_out` examples drawn at random, each a tuple,
    in the order they had.

    >>> (kept,), (held,) = split([np.arange(10)], held_out=3, seed=0)
    >>> len(kept), len(held), sorted([*kept, *held]) == list(range(10))
    (7, 3, True)
    """
    lengths = {len(array) for array in arrays}
    if len(lengths) != 1:
        raise ShapeError(
            f"the arrays have lengths {sorted(lengths)}; wanted one example of each for every one of the others"
        )
    (count,) = lengths
    if not (is_int(held_out) and 0 <= held_out < count):
        raise ArgumentError(
            f"{brief(held_out)} examples are to be held out of {count}; wanted a whole number from 0 to {count - 1}"
        )
    held = np.zeros(count, bool)
    held[np.random.default_rng(seed).choice(count, held_out, replace=False)] = True
    return tuple(array[~held] for array in arrays), tuple(array[held] for array in arrays)
