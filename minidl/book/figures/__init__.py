"""The moving pictures of the book. minidl computes every number in them when the book is built.

canvas.py   drawings as SVG
figure.py   a figure and its frames
The other files draw one figure each, in a function `draw() -> Figure`.
"""

from collections.abc import Callable
from importlib import import_module

from minidl.book.figures.figure import Figure

NAMES = (
    "unrolling", "tape", "broadcasting", "windows", "winograd_tile", "max_pool_tie",
    "normalized_sets",
    "receptive_fields", "gram", "energy", "triplets", "valley", "painting", "faces", "seeing",
)  # fmt: skip


def draw(name: str) -> Figure:
    """Draw the figure of a name of NAMES."""
    make: Callable[[], Figure] = import_module(f"{__name__}.{name}").draw
    return make()
