"""Element-wise functions in strips that fit the cache, on all threads.

A strip is computed by operations in place, in the memory of the result and in `scratch`. A whole
array would be read from memory and written to it by each operation.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from minidl.backend import array_module, is_array
from minidl.engine.memory import empty, scratch
from minidl.engine.strips import equal_parts, fair_strip
from minidl.engine.threads import parallel_map
from minidl.typing import Array

STRIP = 1 << 16  # numbers in a strip, of which three fit the second level of the cache


def in_strips(change: Callable[..., Any], *arrays: Array, **options: Any) -> Array:
    """Return a new array y of the shape of all arrays, as change(xp, y, *arrays, **options) sets
    it.

    change: function that writes y. It is called for strips with one axis. Exponentials may overflow
    in it without a warning.
    """
    xp = array_module(*arrays)
    y = empty(xp, arrays[0].shape, xp.result_type(*arrays))
    _map(change, xp, (y, *arrays), options)
    return y


def total_of_strips(change: Callable[..., Any], *arrays: Array, **options: Any) -> Array:
    """Return the sum of all numbers of the array that `in_strips` returns. It is never in memory as
    a whole."""
    xp = array_module(*arrays)
    dtype = xp.result_type(*arrays)

    def total(xp, *parts, **options):
        y = scratch(xp, "terms", parts[0].shape, dtype)
        change(xp, y, *parts, **options)
        return y.sum()

    return sum(_map(total, xp, arrays, options))


def _map(work, xp, arrays, options):
    """Return [work(xp, *parts, **options)] for all strips."""
    rows = [array.reshape(-1) for array in arrays]

    def of_strip(part):
        return work(xp, *(row[part] for row in rows), **options)

    strips = equal_parts(rows[0].size, fair_strip(xp, rows[0].size, STRIP))
    with np.errstate(over="ignore"):
        if len(strips) > 1:
            return parallel_map(xp, of_strip, strips)
        return [of_strip(slice(None))]


def are_floats(*arguments: Any, **options: Any) -> bool:
    """Return whether all arrays among the arguments are of real floating-point numbers."""
    arrays = filter(is_array, (*arguments, *options.values()))
    return all(array.dtype.kind == "f" for array in arrays)
