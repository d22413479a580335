"""Show a painting in a notebook while it forms."""

import base64
import time
from io import BytesIO

from minidl.backend import to_numpy
from minidl.data.images import as_png
from minidl.extras import need
from minidl.style_transfer.painting import Step
from minidl.style_transfer.record import curves, row
from minidl.typing import Array

SHARE = 0.1  # of the time, which showing the picture may take
COLUMNS = "step", "total", "content", "style", "total_variation"
PICTURE, CURVES = 420, 480  # widths in pixels
PAGE = """<div style="display: flex; flex-wrap: wrap; gap: 1em; align-items: flex-start">
<img width="{picture_width}" alt="The best picture until now" src="{picture}">
<img width="{curves_width}" alt="The losses over the steps" src="{curves}">
</div><p>step {step}, {seconds:.0f} s, loss {loss:.4g}</p>"""


class Inline:
    """Shows the best picture and the losses below the cell. A context, and a callback of `stylize`.

    Showing takes at most a tenth of the time, so not every step is shown if steps are fast. The end
    of the context shows the last. Raise ExtraError if IPython or matplotlib is not installed.

    >>> with Inline() as inline:  # doctest: +SKIP
    ...     painting = stylize("cat.jpg", "waves.jpg", steps=70, callback=inline)
    """

    def __init__(self) -> None:
        need("matplotlib.figure", "notebook", "a painting in a notebook")
        self._display = need("IPython.display", "notebook", "a painting in a notebook")
        self._handle = self._display.DisplayHandle()
        self._rows: list[dict[str, float]] = []
        self._due, self._shown = 0.0, 0  # the time of the next display; steps that are on display

    def __enter__(self) -> "Inline":
        return self

    def __exit__(self, *error: object) -> None:
        if self._shown < len(self._rows):
            self._show()

    def __call__(self, step: Step) -> None:
        """Store a step, and show it if enough time has passed."""
        self._rows.append(row(step.number, step.losses, step.seconds))
        self._best = step.best
        if time.perf_counter() >= self._due:
            self._show()

    def _show(self):
        begun = time.perf_counter()
        show = self._handle.update if self._shown else self._handle.display
        show(self._display.HTML(_page(self._rows, to_numpy(self._best))))
        self._shown, now = len(self._rows), time.perf_counter()
        self._due = now + (now - begun) * (1 / SHARE - 1)


def _page(rows: list[dict[str, float]], picture: Array) -> str:
    """Return the picture (H, W, 3) and the curves of the rows as HTML."""
    with BytesIO() as file:
        sums = [{name: row[name] for name in COLUMNS} for row in rows]
        curves(sums, 6, 3.2).savefig(file, format="png", dpi=160)
        drawing = file.getvalue()
    return PAGE.format(
        picture=_address(as_png(picture)),
        picture_width=PICTURE,
        curves=_address(drawing),
        curves_width=CURVES,
        step=int(rows[-1]["step"]),
        seconds=rows[-1]["seconds"],
        loss=rows[-1]["total"],
    )


def _address(png):
    """Return a data URL that contains the PNG."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
