"""Detection of arrays that are written to between forward and backward.

A gradient reads arrays of the forward pass: inputs, and the output. The tape keeps the arrays
themselves and not copies. Writing to one of them in place, as in `x.data *= 2`, would therefore
give the gradient of another computation. Assigning a new array, as in `x.data = 2 * x.data` and as
all optimisers do, is harmless.

NumPy does not report writes. The forward pass therefore samples each array that it keeps, and
backward compares the sample before it reads the array. A sample holds all numbers of an array of at
most SMALL numbers, and about SPREAD evenly spaced numbers of a larger one. A change of few numbers
in a large array may be missed. Arrays on a GPU are not sampled, because reading them would stall
the GPU.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from minidl.backend import is_array
from minidl.errors import ArgumentError
from minidl.frozen import is_frozen
from minidl.typing import Array

SMALL, SPREAD = 1 << 12, 1 << 8  # numbers


def watching(
    op: str,
    gradient: Callable[..., Any],
    kept: Mapping[str, Any],
    samples: dict[int, bytes],
) -> Callable[..., Any]:
    """Return the gradient function with a check in front: it raises ArgumentError if a kept array
    has changed since this call.

    op: its name, for the message; kept: {name: array or list of arrays}; samples: {id of an array:
    its sample}, shared by all gradients of one call, which adds to it.
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
    return array.flat[:: array.size // SPREAD | 1].tobytes()  # an odd step reaches every channel


def arrays_in(value: Any) -> list[Array]:
    """Return the arrays in an argument: the argument itself, or those in a list."""
    return [v for v in (value if isinstance(value, (list, tuple)) else [value]) if is_array(v)]
