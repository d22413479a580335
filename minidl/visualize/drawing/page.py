"""An HTML page of pictures in one file, for wide and narrow screens, light or dark, and paper.

A click, a tap or Enter on a picture enlarges it, and Escape closes it. The page has no script: each
figure is a popover of the browser, which also takes care of the keyboard.
"""

import base64
import html
from collections.abc import Sequence
from io import BytesIO
from typing import NamedTuple

import numpy as np
from PIL import Image

from minidl.data.images import to_pillow
from minidl.visualize.drawing import columns, percent, short
from minidl.visualize.drawing.shades import Colour
from minidl.visualize.drawing.style import STYLE

QUALITY = 90  # of WebP, from 0 to 100
LEAST = 160  # pixels a side: smaller pictures are enlarged; each pixel becomes a square
MOST = 16383  # pixels a side, the limit of WebP
# The most columns of a row on a wide screen, on a medium one, and on a phone
SIZES = {"small": (8, 8, 4), "medium": (6, 4, 2), "large": (3, 3, 2)}
# The page runs no script and loads nothing, even if a name contains HTML.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


class Scale(NamedTuple):
    """The colours of a map from its least number to its largest. least, largest: texts"""

    colours: Sequence[Colour]
    least: str
    largest: str


class Figure(NamedTuple):
    """A picture (H, W, 3) or (H, W), 0..255, with a caption. scale: of its colours, or None"""

    picture: np.ndarray
    caption: str
    scale: Scale | None = None


class Row(NamedTuple):
    """Figures in a row. title: the text above them, or ""; size: "small", "medium" or "large"."""

    figures: list[Figure]
    title: str = ""
    size: str = "small"


class Bar(NamedTuple):
    """A class with its probability, drawn as a bar, and its score."""

    name: str
    probability: float
    score: float


class Section(NamedTuple):
    """A chapter of the page. words: the introduction, in one or two sentences; bars: a table of
    classes, above the rows."""

    title: str
    words: str
    rows: list[Row]
    bars: Sequence[Bar] = ()


def page(title: str, words: str, sections: Sequence[Section], foot: str = "") -> str:
    """Return the page as HTML.

    title: the heading
    words: the introduction
    sections: the chapters
    foot: the text at the end of the page

    All texts are escaped, so that names of files and layers appear as they are. Bytes of a file's
    name that are not UTF-8 appear as \\udc80 to \\udcff.
    """
    anchored = [(f"s{number}", section) for number, section in enumerate(sections)]
    links = "".join(
        f'<li><a href="#{anchor}">{_text(section.title)}</a></li>' for anchor, section in anchored
    )
    body = "".join(_section(anchor, section) for anchor, section in anchored)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>{_text(title)}</title><style>{STYLE}</style></head><body>\n"
        f"<header><h1>{_text(title)}</h1><p>{_text(words)}</p>"
        f'<nav aria-label="Contents"><ol>{links}</ol></nav></header>\n'
        f"<main>{body}</main><footer>{_text(foot)}</footer></body></html>\n"
    )


def _section(anchor, section):
    title, words = _text(section.title), _text(section.words)
    rows = "".join(
        _row(f"{anchor}r{number}", row) for number, row in enumerate(section.rows) if row.figures
    )
    return (
        f'<section id="{anchor}"><h2>{title}</h2><p>{words}</p>{_table(section.bars)}{rows}'
        "</section>\n"
    )


def _table(bars):
    if not bars:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{_text(bar.name)}</th>'
        f'<td class="bar"><div style="width:{100 * bar.probability:.1f}%"></div></td>'
        f"<td>{percent(bar.probability)}</td><td>{_text(short(bar.score))}</td></tr>"
        for bar in bars
    )
    head = "".join(
        f'<th scope="col"{span}>{name}</th>'
        for name, span in (("class", ""), ("probability", ' colspan="2"'), ("score", ""))
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _row(anchor, row):
    title = f"<h3>{_text(row.title)}</h3>" if row.title else ""
    count = len(row.figures)
    wide, medium, narrow = (columns(count, most) for most in SIZES[row.size])
    style = f"--wide:{wide};--medium:{medium};--narrow:{narrow}"
    odd = ""
    if SIZES[row.size][-1] == 2 and count % 2 and count > 1:
        odd = " odd"  # pairs, and the last three together
    figures = "".join(
        _figure(f"{anchor}f{number}", figure) for number, figure in enumerate(row.figures)
    )
    return (
        f'<div class="group">{title}<div class="row{odd}" style="{style}">{figures}</div></div>\n'
    )


def _figure(anchor, figure):
    caption, image = _text(figure.caption), _image(figure.picture)
    size = f'width="{image.width}" height="{image.height}"'
    first = _text(figure.caption.partition("\n")[0])
    return (
        f'<div class="cell"><figure id="{anchor}" popover>'
        f'<img alt="{caption}" {size} src="{_address(image)}">'
        f"{_scale(figure.scale)}<figcaption>{caption}</figcaption>"
        f'<button popovertarget="{anchor}" aria-label="Enlarge or close: {first}"></button>'
        "</figure></div>"
    )


def _scale(scale):
    if scale is None:
        return ""
    stops = ",".join(f"rgb({','.join(f'{c:.0f}' for c in colour)})" for colour in scale.colours)
    return (
        f'<div class="scale"><span>{_text(scale.least)}</span>'
        f'<i style="background:linear-gradient(90deg,{stops})"></i>'
        f"<span>{_text(scale.largest)}</span></div>"
    )


def _text(words):
    """Return a text escaped for HTML in UTF-8."""
    return html.escape(words.encode("utf-8", "backslashreplace").decode("utf-8"))


def _image(picture):
    image = to_pillow(picture).convert("RGB")
    image.thumbnail((MOST, MOST))
    times = min(-(-LEAST // min(image.size)), MOST // max(image.size))
    if times == 1:
        return image
    return image.resize([times * length for length in image.size], Image.Resampling.NEAREST)


def _address(image):
    """Return a data URL that contains the picture."""
    with BytesIO() as file:
        image.save(file, "WEBP", quality=QUALITY)
        return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode("ascii")
