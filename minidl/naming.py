"""Sort names in their natural order."""

import re


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
