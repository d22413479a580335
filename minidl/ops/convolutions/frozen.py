"""What is computed from frozen kernels alone is computed once."""

import functools
import weakref

import numpy as np


def once_if_frozen(f):
    """f(w, *options), but for a w that cannot be written to, of which the result is kept as long as w lives."""
    kept = {}

    @functools.wraps(f)
    def remembering(w, *options):
        if not _is_frozen(w):
            return f(w, *options)
        key = (id(w), *options)
        if key not in kept:
            result = f(w, *options)
            weakref.finalize(w, kept.pop, key, None)
            kept[key] = result
            return result
        return kept[key]

    return remembering


def _is_frozen(array):
    """Whether nobody can write to its memory: neither through the array nor through one that it is a view of."""
    while isinstance(array, np.ndarray) and not array.flags.writeable:
        array = array.base
    return array is None
