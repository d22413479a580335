"""Things by their dotted names."""

import importlib
from typing import Any


def thing_at(place: str) -> Any:
    """Return the function, class or module of a dotted name.

    >>> thing_at("minidl.shapes.windows_over").__name__
    'windows_over'
    """
    module, _, name = place.rpartition(".")
    try:
        return importlib.import_module(place)
    except ModuleNotFoundError:
        return getattr(thing_at(module), name)
