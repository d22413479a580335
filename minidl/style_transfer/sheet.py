"""Contact sheets: pictures side by side, such as paintings with different settings."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from minidl.data.images import fit
from minidl.errors import ArgumentError, brief
from minidl.grids import PAPER, Texts, as_image, grid
from minidl.shapes import is_int
from minidl.typing import Array


def sheet(
    pictures: Sequence[Array | None],
    columns: int,
    *,
    captions: Texts = (),
    column_labels: Texts = (),
    row_labels: Texts = (),
    title: str | None = None,
    side: int = 256,
) -> np.ndarray:
    """Return a picture (H, W, 3), float32, 0..255, of pictures in rows of `columns` cells.

    pictures: (h, w, 3) or (h, w), 0..255, row by row, or None for an empty cell
    captions: the text below each picture, or None
    column_labels: the text above each column, such as "style_weight=0.1", or None
    row_labels: the text to the left of each row, or None
    title: the text above everything
    side: pixels of the longer side, to which larger pictures are reduced

    All cells are as wide as the widest and as high as the highest reduced picture. Each picture is
    enlarged or reduced to fit its cell, in the middle of it.

    Raise ArgumentError if there are no pictures, no columns, or more texts than places, and
    ShapeError if a picture has another shape.

    >>> sheet([np.zeros((30, 20))] * 4, 2, column_labels=["a", "b"]).shape[2]
    3
    """
    if not is_int(columns) or columns < 1:
        raise ArgumentError(f"columns is {brief(columns)}; wanted a whole number of at least 1")
    if len(captions) > len(pictures):
        raise ArgumentError(
            f"the sheet has {len(captions)} captions for {len(pictures)} pictures; wanted at most "
            "one each"
        )
    images = [None if picture is None else as_image(picture) for picture in pictures]
    cells = _of_one_size(images, side)
    begins = range(0, len(cells), columns)
    return grid(
        [cells[begin : begin + columns] for begin in begins],
        [captions[begin : begin + columns] for begin in begins] if captions else None,
        row_labels,
        title,
        side=1,
        headings=column_labels,
    )


def _of_one_size(images: Sequence[Image.Image | None], side: int) -> list[np.ndarray | None]:
    """Return the images as cells (h, w, 3) of one size, with a border in the colour of the page."""
    reduced = [fit(*image.size, side) for image in images if image]
    size: Any = tuple(map(max, zip(*reduced, strict=True)))
    lanczos = Image.Resampling.LANCZOS
    return [
        np.asarray(ImageOps.pad(image, size, lanczos, color=PAPER)) if image else None
        for image in images
    ]
