"""Which inputs a kernel touches under stride, padding and dilation, and where the gradient of each
output goes back to. One frame for each output position."""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from minidl.autograd import value_and_grad
from minidl.book.figures.canvas import Canvas, Cell, number
from minidl.book.figures.figure import Figure, Frame
from minidl.dispatch import textbook
from minidl.ops import convolution
from minidl.shapes import Windows, windows_over
from minidl.typing import Array

X = np.array(
    [
        [1, 3, 0, 2, 1, 4],
        [2, 0, 4, 1, 3, 0],
        [0, 1, 2, 3, 0, 2],
        [3, 2, 1, 0, 4, 1],
        [1, 4, 3, 2, 1, 3],
        [2, 1, 0, 4, 2, 0],
    ],
    np.float64,
)
W = np.array([[1, 2, -1], [0, 3, -2], [2, -1, 1]], np.float64)
DY = np.array([[2, 1, -1, 3], [1, 3, 2, -2], [-1, 2, 1, 1], [3, -2, 1, 2]], np.float64)

# {label: (side of the part of X that is the input, options of the convolution)}
CASES: dict[str, tuple[int, dict[str, Any]]] = {
    "stride 1": (5, {}),
    "stride 2": (6, {"stride": 2}),
    "padding 1": (4, {"padding": 1}),
    "dilation 2": (6, {"dilation": 2}),
    "stride 2, padding 1": (5, {"stride": 2, "padding": 1}),
}
CELL, WIDE = 26, 38  # sides of a cell, and the width of one with a product
RIGHT, PRODUCTS = 204, 316  # left edges of the matrices beside x and dx
WIDTH, BACKWARD, HEIGHT = 440, 292, 520  # BACKWARD: top of the lower half


class Step(NamedTuple):
    """What happens at one output.

    touched: the (row, column) in x of each tap; those in the padding are negative or beyond the
    end. y: the outputs so far, NaN for the others. dx: the sum so far over the input and its
    padding, of which the padding is dropped in the end.
    """

    output: Cell
    touched: list[Cell]
    y: Array
    dx: Array


def draw() -> Figure:
    """Return the figure."""
    return Figure(
        "Which inputs a kernel reads, and where its gradient goes",
        "Each output is the sum of the inputs under the taps of the kernel, times their weights. "
        "Its gradient returns to the same inputs, times the same weights, and the gradients of "
        "outputs that read the same input add up. Padding is read as 0, and its gradient is "
        "dropped. An input that no window reads gets 0.",
        {label: [*_frames(X[:n, :n], options)] for label, (n, options) in CASES.items()},
        "setting",
        stills=(0, 4, 8),
    )


def steps(x: Array, w: Array, dy: Array, **options: Any) -> Iterator[Step]:
    """Yield the Step of each output of a convolution, for x (H, W), w (h, w) and dy (H', W')."""
    windows = windows_over(x.shape, w.shape, **options)
    kernel, stride, dilation = w[..., None, None], windows.stride, windows.dilation

    def outputs(padded):
        return convolution(padded, kernel, stride=stride, dilation=dilation)[0, ..., 0]

    padded = windows.pad(x[None, ..., None])
    with textbook():  # exact for whole numbers
        y = outputs(padded)
    for done, output in enumerate(np.ndindex(*windows.out), start=1):
        so_far = np.arange(dy.size).reshape(dy.shape) < done
        with textbook():
            _, [dx] = value_and_grad(lambda x, dy=dy * so_far: (outputs(x) * dy).sum())(padded)
        touched = [_under(windows, output, tap) for tap in windows.taps]
        yield Step(output, touched, np.where(so_far, y, np.nan), dx[0, ..., 0])


def _under(windows, output, tap):
    """Return the position i = o·stride + t·dilation - before that output o reads through tap t."""
    row, column = (
        o * s + t * d - before
        for o, t, s, d, before in zip(
            output, tap, windows.stride, windows.dilation, windows.before, strict=True
        )
    )
    return row, column


def _frames(x, options):
    windows = windows_over(x.shape, W.shape, **options)
    dy = DY[: windows.out[0], : windows.out[1]]
    for step in steps(x, W, dy, **options):
        yield Frame(_drawing(step, windows, x, dy).svg(), _words(step, windows, dy))


def _drawing(step: Step, windows: Windows, x: Array, dy: Array) -> Canvas:
    canvas = Canvas(WIDTH, HEIGHT)
    table = partial(canvas.table, width=CELL, height=CELL)
    o = step.output
    read = windows.pad(x[None, ..., None])[0, ..., 0]
    in_padded = [
        (row + windows.before[0], column + windows.before[1]) for row, column in step.touched
    ]
    factors = [(read[place], w) for place, w in zip(in_padded, W.flat, strict=True)]

    forward = f"Forward: y[{o[0]},{o[1]}] = the sum of x · w = {number(step.y[o])}"
    canvas.text(8, 12, forward, size=13, bold=True)
    _padded(table, "x", read, windows, 48, dict.fromkeys(in_padded, "first"))
    table(W, RIGHT, 48, title="w")
    table(_products(factors), PRODUCTS, 48, title="x · w", width=WIDE)
    table(step.y, RIGHT, 160, title="y", marked={o: "second"})

    canvas.text(8, BACKWARD, f"Backward: dx gets dy[{o[0]},{o[1]}] · w", size=13, bold=True)
    _padded(table, "dx", step.dx, windows, BACKWARD + 36, dict.fromkeys(in_padded, "third"))
    table(dy, RIGHT, BACKWARD + 36, title="dy", marked={o: "second"})
    back = _products([(dy[o], w) for w in W.flat])
    table(back, PRODUCTS, BACKWARD + 36, title="dy · w", width=WIDE)
    return canvas


def _padded(table, title, values, windows, top, tinted):
    """Draw an array with its padding. The padding has no lines, and faint numbers."""
    inside = windows.inside[1:]
    padding = values.copy()
    padding[inside] = np.nan
    table(padding, 8, top, title=title, tinted=tinted, grid=False, colour="faint")
    left, first = 8 + windows.before[1] * CELL, top + windows.before[0] * CELL
    table(values[inside], left, first)


def _products(factors):
    labels = [f"{number(a)}·{number(b) if b >= 0 else f'({number(b)})'}" for a, b in factors]
    return np.array(labels).reshape(W.shape)


def _words(step, windows, dy):
    rows, columns = (sorted({place[axis] for place in step.touched}) for axis in (0, 1))
    (high, wide), o = windows.extent, step.output
    outside = sum(not (0 <= row < high and 0 <= column < wide) for row, column in step.touched)
    padding = f" ({outside} of these {W.size} positions are padding)" if outside else ""
    return (
        f"Output {o} reads rows {_list(rows)} and columns {_list(columns)} of x{padding} and "
        f"becomes y = {number(step.y[o])}; its gradient dy = {number(dy[o])} goes back to the same "
        "positions, times the weight of each."
    )


def _list(numbers):
    *most, last = map(str, numbers)
    return f"{', '.join(most)} and {last}"
