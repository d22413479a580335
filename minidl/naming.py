"""The natural order of names."""

import re


def naturally(name):
    """A key for sorting by which numbers in a name count as numbers, however long they are.

    >>> sorted(["conv_10", "conv_9", "conv", "²"], key=naturally)
    ['conv', 'conv_9', 'conv_10', '²']
    """
    pieces = re.split(r"([0-9]+)", name)  # text, digits, text, ...
    return [(len(piece.lstrip("0")), piece.lstrip("0")) if place % 2 else (0, piece) for place, piece in enumerate(pieces)]
