"""The classes of a network: which of them a text names, and how likely each is for a picture."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import NamedTuple

import numpy as np

from minidl.backend import to_numpy
from minidl.errors import ArgumentError, printable
from minidl.ops import softmax
from minidl.typing import Array
from minidl.visualize.network import Network, must_be_finite
from minidl.visualize.units import Unit, is_channel

SHOWN = 6  # the most names in a message
NEAR = 0.6  # the least similarity of a name that is suggested, from 0 to 1


class Prediction(NamedTuple):
    """A class with its score and its probability, softmax(scores), for a picture.

    unit: whose activation is the score
    """

    unit: Unit
    name: str
    score: float
    probability: float


def predictions(network: Network, picture: Array, most: int | None = None) -> list[Prediction]:
    """Return the Predictions of a network for a picture, the likeliest class first.

    picture: (*spatial, C), on the current device
    most: how many, by default one for each class

    Of equal scores the first class counts. Raises ArgumentError if the network has no classes, and
    NonFiniteError if a score is not finite.
    """
    names, last = _names(network), network.steps[-1].name
    [activations] = network.activations(picture[None], [last]).values()
    scores = must_be_finite(last, to_numpy(activations)[0])
    probabilities = softmax(scores)
    return [
        Prediction(Unit(last, n), names[n], float(scores[n]), float(probabilities[n]))
        for n in np.argsort(-scores, kind="stable")[:most].tolist()
    ]


def prediction(network: Network, picture: Array, unit: Unit) -> Prediction | None:
    """Return the Prediction whose score is the activation of a unit, or None if the unit is no
    class. picture: (*spatial, C), on the current device"""
    if network.class_name(unit) is None:
        return None
    return next(found for found in predictions(network, picture) if found.unit == unit)


def parse_class(network: Network, text: str) -> Unit:
    """Return the Unit of the class that a text names: see `matching`.

    Raises ArgumentError if the network has no classes, or if the text names none or several.
    """
    names = _names(network)
    found, shown = matching(names, text), printable(text, 80)
    if len(found) == 1:
        return Unit(network.steps[-1].name, found[0])
    if found:
        raise ArgumentError(
            f"{len(found)} classes are named {shown!r}: {numbered(names, found)}; "
            "name one of them, or give its number"
        )
    if is_channel(text):
        raise ArgumentError(
            f"the network has {len(names)} classes; found number {text}, "
            f"wanted one from 0 to {len(names) - 1}, or a name"
        )
    near = similar(names, text)
    hint = f"did you mean {numbered(names, near)}?" if near else f"it has {numbered(names)}"
    raise ArgumentError(f"the network has no class {shown!r}; {hint}")


def matching(names: Sequence[str], text: str) -> list[int]:
    """Return the numbers of the classes that a text names: those with this name, else with this
    name in other letters (A for a), else the class of this number, counted from 0, else those whose
    names have all words of the text.

    >>> cats = ["tabby", "tiger cat", "Persian cat"]
    >>> matching(cats, "Tabby"), matching(cats, "1"), matching(cats, "cat")
    ([0], [1], [1, 2])
    """
    words = _words(text)
    tests = (
        lambda name: name == text,
        lambda name: name.lower() == text.lower(),
        lambda name: bool(words) and words <= _words(name),
    )
    same, alike, containing = (
        [number for number, name in enumerate(names) if test(name)] for test in tests
    )
    is_number = is_channel(text) and int(text) < len(names)
    return same or alike or ([int(text)] if is_number else containing)


def similar(names: Sequence[str], text: str) -> list[int]:
    """Return the numbers of the classes that a text may name: those with similar names, the most
    similar first, and those with one of its words."""
    lower = [name.lower() for name in names]
    near = get_close_matches(text[:80].lower(), lower, SHOWN, NEAR)
    sharing = [name.lower() for name in names if _words(name) & _words(text)]
    return [lower.index(name) for name in dict.fromkeys([*near, *sharing])]


def numbered(names: Sequence[str], numbers: Sequence[int] | None = None) -> str:
    """Return the first classes of a list with their numbers, for a message.

    >>> numbered(["cat", "dog"])
    'cat (0), dog (1)'
    """
    chosen = range(len(names)) if numbers is None else numbers
    more = f" and {len(chosen) - SHOWN} more" if len(chosen) > SHOWN else ""
    return ", ".join(f"{printable(names[n], 40)} ({n})" for n in chosen[:SHOWN]) + more


def _names(network):
    if not network.classes:
        raise ArgumentError(
            "the network has no classes; name a unit of a layer, LAYER:CHANNEL, or a network that "
            "has them, such as VGG19 with its dense layers"
        )
    return network.classes


def _words(name):
    return set(name.lower().replace("-", " ").replace("_", " ").split())
