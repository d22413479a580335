"""Labelled grids of pictures, drawn with Pillow and its own font.

title
label      [cell]     [cell]
           caption    caption
"""

import unicodedata
from itertools import zip_longest

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from minidl.backend import to_numpy
from minidl.data.images import to_pillow
from minidl.errors import ArgumentError, ShapeError

PAPER, INK, QUIET, LINE = (251, 250, 247), (28, 28, 31), (96, 96, 104), (214, 211, 204)  # RGB
MARGIN, GAP, AROUND_TEXT = 24, 14, 6  # pixels
TITLE, LABEL, CAPTION = 22, 16, 14  # heights of letters
# pixels: of labels at most, of a column with texts, of the title's lines
LABEL_WIDTH, LEAST_WIDTH, LEAST_TITLE = 200, 72, 400


def grid(rows, captions=None, labels=None, title=None, side=128):
    """A picture (H, W, 3), float32, 0..255, of cells in rows.

    rows: lists of cells, each an array (h, w, 3) or (h, w), 0..255, or None where a place is empty.
    captions: lists like the rows, of what stands below each cell; labels: one a row, to its left;
    title: above all; each text may be None, and is broken into lines where it is too wide. side:
    cells whose longer side has fewer pixels are enlarged by a whole number, their pixels as
    squares, until it has them. Raises ArgumentError where there is no cell, ShapeError for an array
    that is no picture.

    >>> grid([[np.zeros((4, 4)), np.zeros((4, 4, 3))]], [["first", "second"]], side=8).shape[2]
    3
    """
    pictures = [[None if cell is None else _picture(cell, side) for cell in row] for row in rows]
    columns = list(zip_longest(*pictures))
    if not any(picture for column in columns for picture in column):
        raise ArgumentError("the grid has no pictures; wanted at least one cell that is not None")
    narrowest = LEAST_WIDTH if captions else 1
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
    for row, texts, label in zip_longest(pictures, captions or [], label_texts):
        high = [(MARGIN, top, label)] if label else []
        high += [(x, top, picture) for x, picture in zip(starts, row, strict=False) if picture]
        for x, picture, text in zip(
            starts, row, _texts(texts, CAPTION, widths, QUIET), strict=False
        ):
            if text:
                high.append((x, top + (picture.height + AROUND_TEXT if picture else 0), text))
        placed += high
        top = max((y + piece.height for _, y, piece in high), default=top) + GAP
    return _drawn(placed, width, top - GAP + MARGIN)


class _Text:
    """Words in lines of at most so many pixels"""

    def __init__(self, words, size, width, colour):
        self.font, self.colour = ImageFont.load_default(size), colour
        self.lines = _broken(_drawable(str(words)), self.font, width)
        self.line_height = round(1.3 * size)
        self.width = max(_length(line, self.font) for line in self.lines)
        self.height = self.line_height * len(self.lines)

    def draw(self, pen, x, y):
        for number, line in enumerate(self.lines):
            pen.text((x, y + number * self.line_height), line, font=self.font, fill=self.colour)


def _texts(words, size, widths, colour):
    """A _Text or None for each width"""
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


def _broken(text, font, width):
    """Lines at spaces, and within a word that is too wide"""
    lines, line = [], ""
    for paragraph in text.split("\n"):
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if line and _length(longer, font) > width:
                lines.append(line)
                longer = word
            while len(longer) > 1 and _length(longer, font) > width:
                most = max(
                    1,
                    next(n for n in range(1, len(longer) + 1) if _length(longer[:n], font) > width)
                    - 1,
                )
                lines.append(longer[:most])
                longer = longer[most:]
            line = longer
        lines.append(line)
        line = ""
    return lines


def _length(text, font):
    return -(-int(64 * font.getlength(text)) // 64)  # fractions of a pixel rounded up


def _drawable(text):
    """The font knows ASCII and little more: letters lose their accents, and what is left is shown
    as ?"""
    plain = (c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return "".join(c if c == "\n" or " " <= c <= "~" else "?" for c in plain)


def _picture(cell, side):
    array = to_numpy(cell)
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3) or 0 in array.shape:
        raise ShapeError(f"a cell of the grid has shape {array.shape}; wanted (h, w, 3) or (h, w)")
    image = to_pillow(array).convert("RGB")
    times = -(-side // max(image.size))
    return (
        image
        if times == 1
        else image.resize([times * length for length in image.size], Image.Resampling.NEAREST)
    )


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
