"""A figure as a page of its own, for notebooks: its stills, with their colours."""

from html import escape

from minidl.backend import device
from minidl.book.figures import draw

STYLE = """
.minidl svg { max-width: 100%; font-family: system-ui, sans-serif; background: #fff; }
.minidl svg .cell { fill: none; stroke: #bbb; }
.minidl svg .fill, .minidl svg .solid { stroke: none; }
.minidl svg .frame, .minidl svg .line { fill: none; }
.minidl svg .frame { stroke-width: 3; }
.minidl svg .bold { font-weight: 700; }
.minidl svg .pixels { image-rendering: pixelated; }
"""
COLOURS = {
    "ink": "#222", "faint": "#666", "first": "#1b5e9e", "second": "#ae4a12", "third": "#22703f",
}  # fmt: skip


def still(name: str) -> str:
    """Return the stills of a figure as HTML. They are drawn on the CPU."""
    with device("cpu"):
        figure = draw(name)
    first, *_ = figure.variants.values()
    frames = "".join(
        f"{first[place].svg}<p>{escape(first[place].words)}</p>" for place in figure.stills
    )
    return (
        f'<div class="minidl"><style>{STYLE}{_colours()}</style><h4>{escape(figure.title)}</h4>'
        f"{frames}<p>{escape(figure.caption)}</p></div>"
    )


def _colours():
    return "".join(
        f".minidl svg :is(.solid, .fill, text).{name} {{ fill: {colour}; }}\n"
        f".minidl svg :is(.line, .frame).{name} {{ stroke: {colour}; }}\n"
        for name, colour in COLOURS.items()
    )
