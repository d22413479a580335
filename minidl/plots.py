"""Drawings of numbers: matplotlib, brought by the extra `plot`, without a display."""

from pathlib import Path

from minidl.errors import FileError
from minidl.extras import need
from minidl.files import must_be_writable, replacing

ENDINGS = (".png", ".svg", ".pdf")


def must_be_drawable(path):
    """Raise now, rather than after a long run, if no drawing could be written to `path`."""
    if Path(path).suffix.lower() not in ENDINGS:
        raise FileError(
            f"{path}: drawings are written as {', '.join(ENDINGS)}; give the name one of these endings"
        )
    need("matplotlib.figure", "plot", "a drawing")
    return must_be_writable(path)


def new_figure(width, height):
    """(Figure, its one Axes), of a size in inches."""
    figure = need("matplotlib.figure", "plot", "a drawing").Figure(
        figsize=(width, height), layout="constrained"
    )
    return figure, figure.subplots()


def save_figure(figure, path):
    """Write a Figure, in the format that the ending of the name asks for."""
    must_be_drawable(path)
    with replacing(path) as beside:
        figure.savefig(beside, format=Path(path).suffix[1:].lower(), dpi=120)
