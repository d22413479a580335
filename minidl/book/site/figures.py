"""Figures as HTML. Without JavaScript, and on paper, the stills are shown."""

from html import escape

from minidl.book.figures.figure import Figure
from minidl.book.site.text import Writer


def figure_html(name: str, figure: Figure) -> str:
    """Return a figure as HTML. The script of the book adds the controls to it."""
    anchor, title = f"figure-{name}", f'<p class="title" id="figure-{name}-title">'
    variants = "".join(
        _variant(label, frames, figure.stills if place == 0 else ())
        for place, (label, frames) in enumerate(figure.variants.items())
    )
    return (
        f'<figure class="moving" id="{anchor}" aria-labelledby="{anchor}-title" '
        f'data-choice="{escape(figure.choice)}">{title}{escape(figure.title)}</p>{variants}'
        f"<figcaption>{Writer({}).inline(figure.caption)}</figcaption></figure>"
    )


def _variant(label, frames, stills):
    items = "".join(_item(frame, place in stills) for place, frame in enumerate(frames))
    return f'<ol class="frames" data-variant="{escape(label)}">{items}</ol>'


def _item(frame, is_still):
    style = ' class="still"' if is_still else ""
    return f"<li{style}>{frame.svg}<p>{escape(frame.words)}</p></li>"
