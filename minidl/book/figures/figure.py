"""A figure of the book: drawings that a reader steps through."""

from collections.abc import Sequence
from typing import NamedTuple


class Frame(NamedTuple):
    """One drawing of a figure.

    svg: see Canvas. words: one sentence that says what the drawing shows. It stands below the
    drawing, and a screen reader reads it.
    """

    svg: str
    words: str


class Figure(NamedTuple):
    """Drawings with a title and a caption.

    variants: {label of a choice: its frames}. A figure without a choice has one variant, "". A
    reader steps through the frames of a variant with a slider, with buttons or with the keyboard.
    choice: what the variants differ in, such as "stride". stills: the indices of the frames of the
    first variant that are printed on paper.
    """

    title: str
    caption: str
    variants: dict[str, Sequence[Frame]]
    choice: str = ""
    stills: tuple[int, ...] = (0,)
