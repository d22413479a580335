"""Labelled grids of pictures, drawn with Pillow and its built-in font:

title
           heading    heading
label      [cell]     [cell]
           caption    caption
"""

import unicodedata
from collections.abc import Sequence
from itertools import zip_longest

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from minidl.backend import to_numpy
from minidl.data.images import to_pillow
from minidl.errors import ArgumentError, ShapeError
from minidl.typing import Array

PAPER, INK, QUIET, LINE = (251, 250, 247), (28, 28, 31), (96, 96, 104), (214, 211, 204)  # RGB
MARGIN, GAP, AROUND_TEXT = 24, 14, 6  # pixels
TITLE, LABEL, CAPTION = 22, 16, 14  # pixels: heights of letters
LABEL_WIDTH = 200  # pixels: the most of a label
LEAST_WIDTH = 72  # pixels: the least of a column with captions
LEAST_TITLE = 400  # pixels: the least width in which the title is broken into lines

Texts = Sequence[str | None]


def grid(
    rows: Sequence[Sequence[Array | None]],
    captions: Sequence[Texts | None] | None = None,
    labels: Texts | None = None,
    title: str | None = None,
    side: int = 128,
    headings: Texts | None = None,
) -> np.ndarray:
    """Return a picture (H, W, 3), float32, 0..255, of cells in rows.

    rows: lists of cells; a cell is an array (h, w, 3) or (h, w), 0..255, or None if it is empty
    captions: lists of the texts below the cells of each row
    labels: the text to the left of each row
    title: the text above all rows
    side: cells whose longer side has fewer pixels are enlarged by a whole number; each pixel
        becomes a square
    headings: the text above each column

    A text can be None. It is broken into lines if it is too wide. Raises ArgumentError if the grid
    has no cell or more texts than cells, and ShapeError if a cell is not a picture.

    >>> grid([[np.zeros((4, 4)), np.zeros((4, 4, 3))]], [["first", "second"]], side=8).shape[2]
    3
    """
    pictures = [[None if cell is None else _enlarged(cell, side) for cell in row] for row in rows]
    columns = list(zip_longest(*pictures))
    if not any(picture for column in columns for picture in column):
        raise ArgumentError("the grid has no pictures; wanted at least one cell that is not None")
    narrowest = LEAST_WIDTH if captions or headings else 1
    widths = [
        max([narrowest, *(picture.width for picture in column if picture)]) for column in columns
    ]
    label_texts = _texts(labels, LABEL, [LABEL_WIDTH] * len(rows), INK)
    left = MARGIN + max((label.width + GAP for label in label_texts if label), default=0)
    starts = [left + sum(widths[:number]) + GAP * number for number in range(len(widths))]
    width = starts[-1] + widths[-1] + MARGIN
    placed, top = [], MARGIN  # (x, y, picture or text)
    if title:
        text = _Text(title, TITLE, max(LEAST_TITLE, width - 2 * MARGIN), INK)
        width = max(width, text.width + 2 * MARGIN)
        placed.append((MARGIN, top, text))
        top += text.height + GAP
    heading_texts = _texts(headings, LABEL, widths, INK)
    placed += [(x, top, text) for x, text in zip(starts, heading_texts, strict=True) if text]
    if headings:
        top = max(y + text.height for _, y, text in placed) + AROUND_TEXT
    for row, words, label in zip_longest(pictures, captions or [], label_texts):
        pieces = [(MARGIN, top, label)] if label else []
        texts = _texts(words, CAPTION, widths, QUIET)
        for x, picture, text in zip_longest(starts, row, texts):
            if picture:
                pieces.append((x, top, picture))
            if text:
                pieces.append((x, top + (picture.height + AROUND_TEXT if picture else 0), text))
        placed += pieces
        top = max((y + piece.height for _, y, piece in pieces), default=top) + GAP
    return _drawn(placed, width, top - GAP + MARGIN)


class _Text:
    """A text in lines of at most `width` pixels"""

    def __init__(self, words, size, width, colour):
        self.font, self.colour = ImageFont.load_default(size), colour
        self.lines = _lines(_drawable(str(words)), self.font, width)
        self.line_height = round(1.3 * size)
        self.width = max(_length(line, self.font) for line in self.lines)
        self.height = self.line_height * len(self.lines)

    def draw(self, pen, x, y):
        for number, line in enumerate(self.lines):
            pen.text((x, y + number * self.line_height), line, font=self.font, fill=self.colour)


def _texts(words, size, widths, colour):
    """Return a _Text or None for each width."""
    words = list(words or [])
    if len(words) > len(widths):
        raise ArgumentError(
            f"the grid has {len(words)} texts for {len(widths)} places; wanted at most one each"
        )
    words += [None] * (len(widths) - len(words))
    return [
        _Text(text, size, width, colour) if text else None
        for text, width in zip(words, widths, strict=True)
    ]


def _lines(text, font, width):
    """Break a text at spaces, and within words that are too wide."""
    lines = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if line and _length(longer, font) > width:
                lines.append(line)
                longer = word
            while len(longer) > 1 and _length(longer, font) > width:
                most = _most_letters(longer, font, width)
                lines.append(longer[:most])
                longer = longer[most:]
            line = longer
        lines.append(line)
    return lines


def _most_letters(word, font, width):
    """Return how many letters of a word that is too wide fit the width, at least 1."""
    too_many = next(n for n in range(1, len(word) + 1) if _length(word[:n], font) > width)
    return max(1, too_many - 1)


def _length(text, font):
    return -(-int(64 * font.getlength(text)) // 64)  # fractions of a pixel rounded up


def _drawable(text):
    """Return a text of the characters that the font contains, which are those of ASCII. Letters
    lose their accents; "?" replaces all other characters."""
    plain = (c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return "".join(c if c == "\n" or " " <= c <= "~" else "?" for c in plain)


def as_image(cell: Array) -> Image.Image:
    """Return a cell (h, w, 3) or (h, w) as an RGB picture of Pillow. Raises ShapeError for another
    shape."""
    array = to_numpy(cell)
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3) or 0 in array.shape:
        raise ShapeError(f"a cell of the grid has shape {array.shape}; wanted (h, w, 3) or (h, w)")
    return to_pillow(array).convert("RGB")


def _enlarged(cell, side):
    image = as_image(cell)
    times = -(-side // max(image.size))
    if times == 1:
        return image
    return image.resize([times * length for length in image.size], Image.Resampling.NEAREST)


def _drawn(placed, width, height):
    canvas = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(canvas)
    for x, y, piece in placed:
        if isinstance(piece, _Text):
            piece.draw(pen, x, y)
        else:
            pen.rectangle((x - 1, y - 1, x + piece.width, y + piece.height), outline=LINE)
            canvas.paste(piece, (x, y))
    return np.asarray(canvas, np.float32)
