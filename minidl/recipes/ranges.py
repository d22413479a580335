"""The allowed values of the settings, whether they are typed or come from a checkpoint."""

from collections.abc import Mapping
from math import isfinite
from types import ModuleType
from typing import Any

from minidl.errors import brief
from minidl.limits import FINITE
from minidl.optim.adam import EPSILON_FORMS
from minidl.optim.sgd import MOMENTUM_FORMS
from minidl.shapes import is_int

INTEGERS = {  # setting: (least, most)
    "seed": (0, 2**63),
    "limit": (1, 10**9),
    "epochs": (1, 10**6),
    "batch": (2, 2**16),
    "pairs": (2, 2**16),
    "dimensions": (1, 2**12),
    "members": (1, 100),
    "people": (2, 1000),
    "pictures": (2, 1000),
    "examples": (1, 100_000),
}
LONGEST = 10_000  # characters of a text
MAY_BE_NONE = ("limit", "clip")


def words_for(recipe: ModuleType, name: str) -> list[str] | None:
    """Return the words that the setting `name` of a recipe can be, or None if it is not chosen from
    words."""
    words: dict[str, Any] = {
        "preset": recipe.PRESETS,
        "schedule": recipe.SCHEDULES,
        "epsilon_form": EPSILON_FORMS,
        "momentum_form": MOMENTUM_FORMS,
        **getattr(recipe, "WORDS", {}),
    }
    return list(words[name]) if name in words else None


def out_of_range(name: str, value: float) -> str | None:
    """Return the range of the setting `name` in words if a value is outside it, and None otherwise.

    >>> out_of_range("epochs", 0), out_of_range("clip", 5.0)
    ('at least 1', None)
    """
    if name in INTEGERS:
        least, most = INTEGERS[name]
        if value < least:
            return f"at least {least}"
        return f"at most {most:,}" if value > most else None
    if isinstance(value, float) and not isfinite(value):
        return "a finite number"
    if name == "clip" and value <= 0:
        return "a number above 0"
    return None if abs(value) <= FINITE else f"at most {FINITE:g}"


def unfit(recipe: ModuleType, settings: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """Return (setting, value, wanted values) of the first invalid setting, all as texts; or None.

    A setting is invalid if its type differs from that in the presets or if it is out of range. The
    recipe's `task` checks combinations of settings.
    """
    for name, value in settings.items():
        if wanted := _wanted(recipe, name, value):
            return name, brief(value), wanted
    return None


def _wanted(recipe: ModuleType, name: str, value: Any) -> str | None:
    """The valid values of a setting in words, or None if the value is one of them"""
    if name in MAY_BE_NONE and value is None:
        return None
    if words := words_for(recipe, name):
        is_one = isinstance(value, str) and value in words
        return None if is_one else f"one of {', '.join(words)}"
    kind = _kind(recipe, name)
    if kind is bool:
        return None if isinstance(value, bool) else "true or false"
    if kind is str:
        is_text = isinstance(value, str) and len(value) <= LONGEST and value.isprintable()
        return None if is_text else "a plain text"
    if kind is int:
        return out_of_range(name, value) if is_int(value) else "a whole number"
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return out_of_range(name, value) if is_number else "a number"


def _kind(recipe, name):
    """The type of a setting"""
    if name in INTEGERS:
        return int
    if name == "clip":  # it is None in the presets
        return float
    return type(recipe.PRESETS["original"][name])
