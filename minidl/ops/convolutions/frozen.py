"""What is computed from frozen kernels alone is computed once."""

import functools
import weakref

import numpy as np


def is_frozen(array):
    """Whether nobody can write to its memory: neither through the array nor through one that it is a view of."""
    while isinstance(array, np.ndarray) and not array.flags.writeable:
        array = array.base
    return array is None


def once_for_each(f):
    """f(w, *options), kept as long as the frozen array w lives."""
    kept = {}

    @functools.wraps(f)
    def remembering(w, *options):
        key = (id(w), *options)
        result = kept.get(key)
        if result is None:
            result = kept[key] = f(w, *options)
            weakref.finalize(w, kept.pop, key, None)
        return result

    return remembering
