"""A max-pool with ties, forward and back: the whole gradient of a window goes to the first of its
maxima. One frame for each window."""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from minidl.autograd import value_and_grad
from minidl.book.figures.canvas import Canvas, Cell, number
from minidl.book.figures.figure import Figure, Frame
from minidl.ops import max_pool
from minidl.shapes import windows_over
from minidl.typing import Array

X = np.array([[1, 5, 2, 0], [5, 3, 4, 3], [0, 2, 7, 1], [1, 6, 7, 7]], np.float64)
DY = np.array([[3, 1, 2], [4, -2, 1], [-1, 2, 5]], np.float64)
WINDOW = 2
STRIDES = {"2, so that the windows are apart": 2, "1, so that the windows overlap": 1}

CELL = 36
LEFT, RIGHT = 4, 188
FORWARD, BACKWARD = 50, 262  # the tops of the matrices
WIDTH, HEIGHT = 300, 412


class Step(NamedTuple):
    """What happens at one window.

    cells: (row, column) of its inputs. maxima: those that are equal to its maximum. receiver: the
    one that gets the gradient. y: the outputs so far, NaN for the others. dx: the sum so far.
    """

    output: Cell
    cells: list[Cell]
    maxima: list[Cell]
    receiver: Cell
    y: Array
    dx: Array


def draw() -> Figure:
    """Return the figure."""
    return Figure(
        "A max-pool with ties",
        "Each output is the largest input of its window, and does not depend on the others. Two "
        "inputs can be equally large. minidl then sends the whole gradient to the first of them "
        "in row-major order. Gradients of windows that share their maximum add up.",
        {label: [*_frames(stride)] for label, stride in STRIDES.items()},
        "stride",
        stills=(0, 1, 3),
    )


def steps(x: Array, dy: Array, stride: int) -> Iterator[Step]:
    """Yield the Step of each window of a max-pool, for x (H, W) and dy (H', W') without zeros."""
    windows = windows_over(x.shape, WINDOW, stride)

    def pooled(x):
        return max_pool(x[None, ..., None], WINDOW, stride=stride)[0, ..., 0]

    def dx(of):
        return value_and_grad(lambda x: (pooled(x) * (dy * of)).sum())(x)[1][0]

    y = pooled(x)
    order = np.arange(dy.size).reshape(dy.shape)
    for output in np.ndindex(*windows.out):
        so_far = order <= order[output]
        cells = [(output[0] * stride + i, output[1] * stride + j) for i, j in windows.taps]
        [receiver] = np.argwhere(dx(order == order[output]))
        yield Step(
            output,
            cells,
            [cell for cell in cells if x[cell] == y[output]],
            (int(receiver[0]), int(receiver[1])),
            np.where(so_far, y, np.nan),
            dx(so_far),
        )


def _frames(stride):
    out = windows_over(X.shape, WINDOW, stride).out
    dy = DY[: out[0], : out[1]]
    for step in steps(X, dy, stride):
        yield Frame(_drawing(step, dy).svg(), _words(step, dy))


def _drawing(step: Step, dy: Array) -> Canvas:
    canvas = Canvas(WIDTH, HEIGHT)
    table = partial(canvas.table, width=CELL, height=CELL)
    window, output = dict.fromkeys(step.cells, "first"), {step.output: "second"}
    canvas.text(LEFT, 12, "Forward: the maximum", size=14, bold=True)
    maxima = dict.fromkeys(step.maxima, "second")
    table(X, LEFT, FORWARD, title="x", tinted=window, marked=maxima)
    table(step.y, RIGHT, FORWARD, title="y", marked=output)
    canvas.text(LEFT, BACKWARD - 38, "Backward: to the first maximum", size=14, bold=True)
    receiver = {step.receiver: "third"}
    table(step.dx, LEFT, BACKWARD, title="dx", tinted=window, marked=receiver)
    table(dy, RIGHT, BACKWARD, title="dy", marked=output)
    return canvas


def _words(step, dy):
    y, times = number(step.y[step.output]), len(step.maxima)
    place = f"row {step.receiver[0]}, column {step.receiver[1]}"
    gradient = f"gradient dy = {number(dy[step.output])}"
    if times == 1:
        return f"Window {step.output} has one maximum, y = {y}, and its {gradient} goes to {place}."
    return (
        f"Window {step.output} has its maximum y = {y} at {times} places, and the whole {gradient} "
        f"goes to the first of them, {place}."
    )
