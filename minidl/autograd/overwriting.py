"""minidl detects arrays that are written to between forward and backward.

A gradient reads inputs and outputs of the forward pass. The tape keeps these arrays themselves and
not copies. If one of them is written to in place, as in `x.data *= 2`, backward would compute the
gradient of another function. If `x.data` is assigned a new array, as in `x.data = 2 * x.data`, the
old array does not change. All optimisers assign.

NumPy does not report writes. The forward pass therefore samples each array that it keeps, and
backward samples it again and compares. A sample of an array with at most 4096 numbers holds all of
them. A sample of a larger array holds about 256 evenly spaced numbers, so that a change of few
numbers may be missed. Arrays on a GPU are not sampled, because reading them would stall the GPU.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from minidl.backend import is_array
from minidl.errors import ArgumentError
from minidl.frozen import is_frozen
from minidl.typing import Array

SMALL = 1 << 12  # the largest number of elements that are all sampled
SPREAD = 1 << 8  # about how many elements of a larger array are sampled


def watching(
    op: str,
    gradient: Callable[..., Any],
    kept: Mapping[str, Any],
    samples: dict[int, bytes],
) -> Callable[..., Any]:
    """Return the gradient function with a check: it raises ArgumentError if one of the arrays in
    `kept` has changed since this call.

    op: name of the op, for the message. kept: {name: array or list of arrays}. samples: {id of an
    array: its sample}. All gradients of one call of an op share this dict. New samples are added.
    """
    watched = []
    for name, value in kept.items():
        for array in arrays_in(value):
            if isinstance(array, np.ndarray) and not is_frozen(array):
                if id(array) not in samples:
                    samples[id(array)] = sample(array)
                watched.append((name, array, samples[id(array)]))
    if not watched:
        return gradient

    def checked(dy, **kept_and_wanted):
        for name, array, before in watched:
            if sample(array) != before:
                raise ArgumentError(
                    f"{name} of {op}, shape {array.shape}, was written to between forward and "
                    "backward, which reads it; compute the result anew, or write to a copy"
                )
        return gradient(dy, **kept_and_wanted)

    return checked


def sample(array: np.ndarray) -> bytes:
    """Return the bytes of all numbers of a small array, or of some numbers of a large one."""
    if array.size <= SMALL:
        return array.tobytes()
    # An odd step visits all channels if their number is a power of two. An even step may not.
    return array.flat[:: array.size // SPREAD | 1].tobytes()


def arrays_in(value: Any) -> list[Array]:
    """Return the arrays in an argument: [the argument] if it is an array, or those in a list."""
    return [v for v in (value if isinstance(value, (list, tuple)) else [value]) if is_array(v)]
