"""An HTML page of pictures in one file, for wide and narrow screens, light or dark."""

import base64
import html
from collections.abc import Sequence
from io import BytesIO
from typing import NamedTuple

import numpy as np
from PIL import Image

from minidl.data.images import to_pillow

QUALITY = 90  # of WebP, from 0 to 100
LEAST = 160  # pixels a side: smaller pictures are enlarged; each pixel becomes a square
MOST = 16383  # pixels a side, the limit of WebP
# The page runs no script and loads nothing, even if a name contains HTML.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
STYLE = """
:root { color-scheme: light dark;
  --ink: #1d1d1f; --quiet: #62626a; --paper: #fdfcfa; --card: #f1efeb; --line: #dcd9d2 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececf0; --quiet: #a3a3ad; --paper: #131316; --card: #1e1e23; --line: #34343b }
}
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 74rem; padding: 2rem 1.25rem 4rem;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }
h1 { font-size: clamp(1.6rem, 4vw, 2.4rem); line-height: 1.15; margin: 0 0 .5rem }
h2 { font-size: 1.3rem; margin: 3rem 0 .25rem; padding-top: 1.5rem;
  border-top: 1px solid var(--line) }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem }
p { max-width: 44rem; margin: .25rem 0 1rem; color: var(--quiet) }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: 1rem 0 2rem }
a { color: inherit }
.row { display: grid; grid-template-columns: repeat(auto-fill, minmax(var(--least), 1fr));
  gap: .75rem; margin: .75rem 0 }
.small { --least: 7.5rem } .medium { --least: 11rem } .large { --least: 16rem }
figure { margin: 0; background: var(--card); border-radius: .5rem; overflow: hidden }
img { display: block; width: 100%; height: auto }
figcaption { padding: .35rem .6rem .5rem; font-size: .8rem; line-height: 1.35;
  color: var(--quiet); overflow-wrap: anywhere; white-space: pre-line }
footer { margin-top: 3rem; font-size: .8rem; color: var(--quiet); overflow-wrap: anywhere }
"""


class Figure(NamedTuple):
    """A picture (H, W, 3) or (H, W), 0..255, with a caption."""

    picture: np.ndarray
    caption: str


class Row(NamedTuple):
    """Figures in a row. title: the text above them, or ""; size: "small", "medium" or "large"."""

    figures: list[Figure]
    title: str = ""
    size: str = "small"


class Section(NamedTuple):
    """A chapter of the page. words: the introduction, in one or two sentences."""

    title: str
    words: str
    rows: list[Row]


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
        f'<a href="#{anchor}">{_text(section.title)}</a>' for anchor, section in anchored
    )
    body = "".join(_section(anchor, section) for anchor, section in anchored)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>{_text(title)}</title><style>{STYLE}</style></head><body>\n"
        f"<h1>{_text(title)}</h1><p>{_text(words)}</p><nav>{links}</nav>\n"
        f"{body}<footer>{_text(foot)}</footer></body></html>\n"
    )


def _section(anchor, section):
    title, words = _text(section.title), _text(section.words)
    rows = "".join(map(_row, section.rows))
    return f'<section id="{anchor}"><h2>{title}</h2><p>{words}</p>{rows}</section>\n'


def _row(row):
    title = f"<h3>{_text(row.title)}</h3>" if row.title else ""
    return f'{title}<div class="row {row.size}">{"".join(map(_figure, row.figures))}</div>\n'


def _figure(figure):
    caption, image = _text(figure.caption), _image(figure.picture)
    size = f'width="{image.width}" height="{image.height}"'
    return (
        f'<figure><img alt="{caption}" {size} src="{_address(image)}">'
        f"<figcaption>{caption}</figcaption></figure>"
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
