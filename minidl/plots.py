"""Make figures with matplotlib, which the extra `plot` installs. No display is needed."""

import pathlib
from typing import Any

from minidl.errors import FileError
from minidl.extras import need
from minidl.files import must_be_writable, replacing
from minidl.typing import Path

ENDINGS = (".png", ".svg", ".pdf")


def must_be_drawable(path: Path) -> pathlib.Path:
    """Return `path` as a Path. Call this before a long computation.

    Raises FileError if no figure could be written to `path`, and ExtraError if matplotlib is not
    installed.
    """
    if pathlib.Path(path).suffix.lower() not in ENDINGS:
        raise FileError(
            f"{path}: drawings are written as {', '.join(ENDINGS)}; give the name one of these "
            "endings"
        )
    need("matplotlib.figure", "plot", "a drawing")
    return must_be_writable(path)


def new_figure(width: float, height: float) -> Any:
    """Return an empty matplotlib Figure of a size in inches."""
    matplotlib = need("matplotlib.figure", "plot", "a drawing")
    return matplotlib.Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: Any, path: Path) -> None:
    """Write a matplotlib Figure, in the format that the ending of the name means."""
    must_be_drawable(path)
    with replacing(path) as temporary:
        figure.savefig(temporary, format=pathlib.Path(path).suffix[1:].lower(), dpi=120)
