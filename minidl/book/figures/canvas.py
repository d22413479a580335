"""Drawings as SVG: cells with numbers, arrows, curves and pictures.

The colours are names, which the style sheet of the book defines for light pages, dark pages and
paper: "ink" and "faint" for lines and text, and "first", "second", "third" for what is compared.
"""

import base64
import io
from collections.abc import Iterable, Mapping
from html import escape

import numpy as np
from PIL import Image

from minidl.typing import Array

Point = tuple[float, float]
Cell = tuple[int, int]  # row and column
CELL = 32.0  # the side of a cell, in units of the drawing; a line of text is 12 units high
LETTER = 6.8  # the width of a letter
SMALLEST = 8.0  # the size of the smallest text, in units


class Canvas:
    """A drawing of a width and height. Each method adds something to it. x goes to the right and y
    down."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._elements: list[str] = []

    def svg(self) -> str:
        """Return the drawing. It has no description: the sentence of its frame is its text."""
        return (
            f'<svg viewBox="0 0 {_short(self.width)} {_short(self.height)}" aria-hidden="true" '
            f'width="{_short(self.width)}">{"".join(self._elements)}</svg>'
        )

    def cells(
        self,
        values: Array,
        x: float,
        y: float,
        *,
        colour: str = "first",
        shade: Array | None = None,
        marked: Mapping[tuple[int, int], str] | None = None,
        size: float = CELL,
        numbers: bool = True,
    ) -> None:
        """Draw a matrix (H, W) as cells from the corner (x, y) on.

        shade: how strongly each cell is coloured, from 0 to 1 (H, W). marked: {(row, column):
        colour of a frame around the cell}. numbers: whether the values are written in the cells.
        """
        for (row, column), value in np.ndenumerate(values):
            left, top = x + column * size, y + row * size
            strength = 0.0 if shade is None else float(shade[row, column])
            self.box(left, top, size, size, colour, strength)
            if numbers:
                label = number(value)
                fits = min(12.0, 1.6 * size / max(len(label), 1))
                middle = left + size / 2, top + size / 2
                self.text(*middle, label, size=max(fits, SMALLEST), anchor="middle")
        for (row, column), frame in (marked or {}).items():
            left, top = x + column * size, y + row * size
            self._add("rect", x=left, y=top, width=size, height=size, class_=f"frame {frame}")

    def table(
        self,
        values: Array,
        x: float,
        y: float,
        *,
        title: str = "",
        width: float = CELL,
        height: float = CELL,
        colour: str = "ink",
        tinted: Mapping[Cell, str] | None = None,
        marked: Mapping[Cell, str] | None = None,
        grid: bool = True,
    ) -> None:
        """Draw numbers or words (H, W) as cells from the corner (x, y) on, all in one size. A cell
        of NaN or of no words stays empty. The table takes a fifth of the bytes of `cells`.

        title: stands above. colour: of the text. tinted, marked: {(row, column): colour} of cells
        that are filled lightly, and of cells with a frame. grid: whether the cells have lines.
        """
        rows, columns = np.shape(values)
        labels = {place: _label(value) for place, value in np.ndenumerate(values)}
        if title:
            self.text(x, y - 10, title, size=13)
        for name, d in _outlines(tinted or {}, x, y, width, height).items():
            self._add("path", d=d, class_=f"fill {name}", fill_opacity=0.25)
        if grid:
            across = [f"M{_short(x)} {_short(y + i * height)}h{_short(columns * width)}"
                      for i in range(rows + 1)]  # fmt: skip
            down = [f"M{_short(x + i * width)} {_short(y)}v{_short(rows * height)}"
                    for i in range(columns + 1)]  # fmt: skip
            self._add("path", d="".join(across + down), class_="cell")
        longest = max(map(_letters, labels.values()), default=0)
        size = max(SMALLEST, min(height / 2, 1.4 * width / max(longest, 1)))
        spans, last = "", -1
        for (row, column), label in labels.items():
            if label:
                baseline = y + (row + 0.5) * height + 0.36 * size
                place = f'x="{_short(x + (column + 0.5) * width)}"'
                place += "" if row == last else f' y="{_short(baseline)}"'  # y is kept within a row
                spans += f"<tspan {place}>{escape(label)}</tspan>"
                last = row
        if spans:
            style = f'class="{colour}" font-size="{_short(size)}" text-anchor="middle"'
            self._elements.append(f"<text {style}>{spans}</text>")
        for name, d in _outlines(marked or {}, x, y, width, height).items():
            self._add("path", d=d, class_=f"frame {name}")

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        colour: str = "first",
        strength: float = 0.0,
    ) -> None:
        """Draw a rectangle, filled with a colour of a strength from 0 to 1."""
        place = {"x": x, "y": y, "width": width, "height": height}
        if strength > 0:
            opacity = round(min(strength, 1.0), 3)
            self._add("rect", **place, class_=f"fill {colour}", fill_opacity=opacity)
        self._add("rect", **place, class_="cell")

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        colour: str = "ink",
        size: float = 12.0,
        anchor: str = "start",
        bold: bool = False,
    ) -> None:
        """Write words whose vertical middle is at y. anchor: "start", "middle" or "end"."""
        style = f"{colour} bold" if bold else colour
        self._add(
            "text", words, x=x, y=y, class_=style, font_size=size, text_anchor=anchor,
            dominant_baseline="central",
        )  # fmt: skip

    def labels(
        self,
        labels: Iterable[tuple[float, float, str]],
        *,
        colour: str = "ink",
        size: float = 12.0,
        anchor: str = "start",
        bold: bool = False,
    ) -> None:
        """Write several (x, y, words) in one style, in a third of the bytes of `text`."""
        spans = "".join(
            f'<tspan x="{_short(x)}" y="{_short(y + 0.36 * size)}">{escape(words)}</tspan>'
            for x, y, words in labels
        )
        self._elements.append(
            f'<text class="{colour}{" bold" * bold}" font-size="{_short(size)}" '
            f'text-anchor="{anchor}">{spans}</text>'
        )

    def arrow(self, start: Point, end: Point, colour: str = "ink", width: float = 1.5) -> None:
        """Draw an arrow."""
        (x, y), (to_x, to_y) = start, end
        length = max(float(np.hypot(to_x - x, to_y - y)), 1e-9)
        along = np.array([to_x - x, to_y - y]) / length
        across = np.array([-along[1], along[0]])
        head = [np.array(end), end - 8 * along + 4 * across, end - 8 * along - 4 * across]
        self.curve([start, tuple(end - 6 * along)], colour, width)
        self._add("polygon", points=_points(head), class_=f"solid {colour}")

    def curve(
        self,
        points: Iterable[Point],
        colour: str = "ink",
        width: float = 1.5,
        dashed: bool = False,
    ) -> None:
        """Draw a line through points."""
        dashes = {"stroke_dasharray": "4 4"} if dashed else {}
        style = f"line {colour}"
        self._add("polyline", points=_points(points), class_=style, stroke_width=width, **dashes)

    def dot(self, x: float, y: float, colour: str = "first", radius: float = 4.0) -> None:
        """Draw a small disc."""
        self._add("circle", cx=x, cy=y, r=radius, class_=f"solid {colour}")

    def circle(self, x: float, y: float, radius: float, colour: str = "ink") -> None:
        """Draw a circle that is not filled."""
        self._add("circle", cx=x, cy=y, r=radius, class_=f"line {colour}")

    def ring(
        self, x: float, y: float, inner: float, outer: float, colour: str, strength: float
    ) -> None:
        """Fill the area between two circles, from 0 to 1 strong. An inner radius of 0 is a disc."""
        self._add(
            "circle", cx=x, cy=y, r=(inner + outer) / 2, class_=f"line {colour}",
            stroke_width=outer - inner, stroke_opacity=round(strength, 3),
        )  # fmt: skip

    def picture(self, image: Array, x: float, y: float, width: float, height: float) -> None:
        """Draw an RGB picture (H, W, 3) of numbers from 0 to 255, or a grey one (H, W). Its pixels
        stay visible as squares."""
        file = io.BytesIO()
        Image.fromarray(np.clip(np.rint(image), 0, 255).astype(np.uint8)).save(file, "PNG")
        data = base64.b64encode(file.getvalue()).decode()
        self._add(
            "image", x=x, y=y, width=width, height=height, href=f"data:image/png;base64,{data}",
            preserveAspectRatio="none", class_="pixels",
        )  # fmt: skip

    def photograph(self, image: Array, x: float, y: float, width: float, height: float) -> None:
        """Draw a picture like `picture`, but smoothly and with a loss: it takes a fraction of the
        bytes."""
        file = io.BytesIO()
        Image.fromarray(np.clip(np.rint(image), 0, 255).astype(np.uint8)).save(file, "JPEG")
        data = base64.b64encode(file.getvalue()).decode()
        self._add(
            "image", x=x, y=y, width=width, height=height, href=f"data:image/jpeg;base64,{data}",
            preserveAspectRatio="none",
        )  # fmt: skip

    def outline(
        self, x: float, y: float, width: float, height: float, colour: str = "first"
    ) -> None:
        """Draw the frame of a rectangle, in a strong line."""
        self._add("rect", x=x, y=y, width=width, height=height, class_=f"frame {colour}")

    def _add(self, element, words=None, **attributes):
        written = " ".join(
            f'{_attribute(name)}="{_short(value)}"' for name, value in attributes.items()
        )
        inside = "/>" if words is None else f">{escape(words)}</{element}>"
        self._elements.append(f"<{element} {written}{inside}")


def number(value: float) -> str:
    """Return a number in at most three digits: 0.25, -1, 12.

    >>> number(0.25), number(-1.0), number(1 / 3), number(-0.0)
    ('0.25', '-1', '0.333', '0')
    """
    text = f"{float(value) + 0.0:.3g}"
    return "0" if text in ("-0", "0") else text


def _label(value):
    """Return what stands in a cell of a table."""
    if isinstance(value, str):
        return value
    return "" if np.isnan(value) else number(value)


def _letters(label):
    """Return the width of a label, as a number of digits. Points and signs are narrower."""
    return sum(0.55 if letter in "-.,·/ " else 1.0 for letter in label)


def _outlines(cells, x, y, width, height):
    """Return {colour: path around the cells of this colour}."""
    paths = dict.fromkeys(cells.values(), "")
    for (row, column), colour in cells.items():
        corner = f"M{_short(x + column * width)} {_short(y + row * height)}"
        paths[colour] += f"{corner}h{_short(width)}v{_short(height)}h{_short(-width)}z"
    return paths


def _attribute(name):
    return name if name == "preserveAspectRatio" else name.rstrip("_").replace("_", "-")


def _points(points):
    return " ".join(f"{_short(x)},{_short(y)}" for x, y in points)


def _short(value):
    """Return a number with at most two decimals, or a text, as the value of an attribute."""
    return escape(value) if isinstance(value, str) else f"{round(float(value), 2):g}"
