"""Names of parameters and arrays: their natural order, and the comparison of two sets of them."""

import re
from collections.abc import Mapping
from typing import Any

from minidl.errors import ArgumentError


def naturally(name: str) -> list[tuple[int, str]]:
    """Return a sort key that compares the numbers in names by value. Numbers may have any length.

    >>> sorted(["conv_10", "conv_9", "conv", "²"], key=naturally)
    ['conv', 'conv_9', 'conv_10', '²']
    """
    pieces = re.split(r"([0-9]+)", name)  # text, digits, text, ...
    return [
        (len(piece.lstrip("0")), piece.lstrip("0")) if index % 2 else (0, piece)
        for index, piece in enumerate(pieces)
    ]


def must_have_same_names(state: Mapping[str, Any], own: Mapping[str, Any], owner: str) -> None:
    """Raise ArgumentError if a state does not have the names of the object that restores it.

    owner: the objects that have such a state, for the message
    """
    if different := sorted(state.keys() ^ own.keys()):
        difference = "lacks" if different[0] in own else "has an unknown"
        raise ArgumentError(
            f"the state {difference} {different[0]!r} ({len(different)} names differ); wanted the "
            f"state of {owner}"
        )
