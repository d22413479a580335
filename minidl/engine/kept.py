"""A cache keeps results that depend on a frozen array, as long as the array exists."""

import functools
import weakref
from collections.abc import Callable
from typing import Any


def cached_per_array(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function f(w, *options) with a cache, so that it computes each result only once. w
    is a frozen array."""
    results: dict[tuple, Any] = {}

    @functools.wraps(function)
    def cached(w, *options):
        key = (id(w), *options)
        if key not in results:
            weakref.finalize(w, results.pop, key, None)
            results[key] = function(w, *options)
        return results[key]

    return cached
