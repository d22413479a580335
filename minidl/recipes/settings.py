"""Which settings a run may have, whether a user typed them or a checkpoint of unknown origin holds
them."""

from math import isfinite

from minidl.errors import brief
from minidl.limits import FINITE
from minidl.optim.adam import EPSILON_FORMS
from minidl.optim.sgd import MOMENTUM_FORMS
from minidl.shapes import is_int

WHOLE = {  # name: (least, most)
    "seed": (0, 2**63), "limit": (1, 10**9), "epochs": (1, 10**6), "batch": (2, 2**16), "pairs": (2, 2**16),
    "dimensions": (1, 2**12), "members": (1, 100), "people": (2, 1000), "pictures": (2, 1000), "examples": (1, 100_000),
}  # fmt: skip
LONGEST = 10_000  # characters of a text
MAY_BE_NONE = ("limit", "clip")


def words_for(recipe, name):
    """The words that a setting may be; None for a setting that is not chosen from a list of
    words."""
    words = {
        "preset": recipe.PRESETS, "schedule": recipe.SCHEDULES, "epsilon_form": EPSILON_FORMS,
        "momentum_form": MOMENTUM_FORMS,
    }  # fmt: skip
    choices = (words | getattr(recipe, "WORDS", {})).get(name)
    return None if choices is None else list(choices)


def out_of_range(name, value):
    """The range that a number of this setting must be in, in words; None where the value is in
    it."""
    if name in WHOLE:
        least, most = WHOLE[name]
        return (
            f"at least {least}" if value < least else f"at most {most:,}" if value > most else None
        )
    if isinstance(value, float) and not isfinite(value):
        return "a finite number"
    if name == "clip" and value <= 0:
        return "a number above 0"
    return None if abs(value) <= FINITE else f"at most {FINITE:g}"


def unfit(recipe, settings):
    """(name, value in words, wanted in words) of the first invalid setting of a run of this recipe;
    None: all are valid.

    A setting is invalid where it has another type than in the presets, or is out of range. The task
    checks combinations.
    """
    for name, value in settings.items():
        if wanted := _wanted(recipe, name, value):
            return name, brief(value), wanted
    return None


def _wanted(recipe, name, value):
    if value is None and name in MAY_BE_NONE:
        return None
    if words := words_for(recipe, name):
        return None if isinstance(value, str) and value in words else f"one of {', '.join(words)}"
    kind = (
        int
        if name in WHOLE
        else float
        if name == "clip"
        else type(recipe.PRESETS["original"][name])
    )
    if kind is bool:
        return None if isinstance(value, bool) else "true or false"
    if kind is str:
        return (
            None
            if isinstance(value, str) and len(value) <= LONGEST and value.isprintable()
            else "a plain text"
        )
    if kind is int:
        return out_of_range(name, value) if is_int(value) else "a whole number"
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return out_of_range(name, value) if is_number else "a number"
