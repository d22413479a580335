"""Results that are computed once for each frozen array, and kept as long as the array lives."""

import functools
import weakref


def once_for_each(f):
    """Decorator for f(w, *options), w a frozen array: compute each result once and keep it."""
    kept = {}

    @functools.wraps(f)
    def remembering(w, *options):
        key = (id(w), *options)
        if key not in kept:
            weakref.finalize(w, kept.pop, key, None)
            kept[key] = f(w, *options)
        return kept[key]

    return remembering
