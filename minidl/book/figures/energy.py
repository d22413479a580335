"""The energy loss of a pair against the distance of its two points, for like and for unlike pairs.

The tangents are the gradients. The curves are those of `losses.siamese_energy_loss` for three
values of Q.
"""

from typing import NamedTuple

import numpy as np

from minidl import losses
from minidl.autograd import Tensor, value_and_grad
from minidl.book.figures.canvas import Canvas, Point, number
from minidl.book.figures.figure import Figure, Frame

QS = (10.0, 5.0, 2.0)
COLOURS = {True: "third", False: "second"}  # of like and of unlike pairs
NAMES = {True: "like", False: "unlike"}
TENTHS = range(11)  # the distances of the frames, in tenths of Q

WIDTH, HEIGHT = 400.0, 392.0  # of the drawing
LEFT, RIGHT, TOP, BOTTOM = 34.0, 374.0, 36.0, 294.0  # of the axes
FARTHEST, HIGHEST = 10.0, 20.0  # the ends of the axes: a distance and a loss
TANGENT = 36.0  # half the length of a tangent


class Slope(NamedTuple):
    """The loss L of one pair at a distance E, and ∂L/∂E."""

    loss: float
    gradient: float


def draw() -> Figure:
    """Return the figure: a variant for each Q, and a frame for each distance."""
    curves = {q: {same: _curve(q, same) for same in (True, False)} for q in QS}
    return Figure(
        title="The energy loss against the distance",
        caption=(
            "The distance E of a pair is |a - b|. A like pair costs 2 E² / Q, and an unlike pair "
            "2 Q e^(-2.77 E / Q). The tangents have the slope ∂L/∂E. It is positive for a like "
            "pair, so gradient descent makes the distance smaller. It is negative for an unlike "
            "pair, so the distance grows, by less and less. The curves meet near E = Q/2, which is "
            "a good first threshold. The gradient depends only on E/Q: another Q scales both axes. "
            "The grey curves belong to the other values of Q, which is the upper bound of E in the "
            "paper."
        ),
        variants={number(q): [_frame(curves, q, tenths / 10 * q) for tenths in TENTHS] for q in QS},
        choice="Q",
        stills=(2, 5, 8),
    )


def at(distance: float, same: bool, q: float) -> Slope:
    """Return the Slope of a pair of points on a line."""
    b, like = np.zeros((1, 1)), np.array([same])
    value, (gradient,) = value_and_grad(
        lambda a: losses.siamese_energy_loss(a, Tensor(b), like, q)
    )(b + distance)
    return Slope(float(value), float(gradient[0, 0]))


def _curve(q: float, same: bool) -> list[Point]:
    """Return points of the curve of one kind of pair, as far as it is within the axes."""
    values = [(float(e), at(float(e), same, q).loss) for e in np.linspace(0, FARTHEST, 41)]
    return [_place(e, loss) for e, loss in values if loss <= HIGHEST]


def _frame(curves: dict[float, dict[bool, list[Point]]], q: float, distance: float) -> Frame:
    canvas = Canvas(WIDTH, HEIGHT)
    _axes(canvas, q)
    for points in (points for other in QS if other != q for points in curves[other].values()):
        canvas.curve(points, "faint", 1)
    slopes = {same: at(distance, same, q) for same in NAMES}
    for same, slope in slopes.items():
        canvas.curve(curves[q][same], COLOURS[same], 2.5)
        if distance:
            canvas.curve(_tangent(distance, slope), "ink", 1.5)
        canvas.dot(*_place(distance, slope.loss), COLOURS[same], 5)
    _labels(canvas, curves[q], slopes)
    return Frame(canvas.svg(), _words(q, distance, slopes))


def _labels(canvas: Canvas, curves: dict[bool, list[Point]], slopes: dict[bool, Slope]) -> None:
    """Write the name of each curve at its end, and the numbers of the frame below the axes."""
    for y, (same, slope) in zip((352, 376), slopes.items(), strict=True):
        end, bottom = curves[same][-1]
        place = (end - 16, bottom + 12) if same else (end, bottom - 20)
        canvas.text(*place, NAMES[same], colour=COLOURS[same], size=13, anchor="end")
        canvas.text(8, y, f"{NAMES[same]} pair", colour=COLOURS[same], size=14, bold=True)
        canvas.text(110, y, f"L = {number(slope.loss)}", size=14)
        canvas.text(205, y, f"∂L/∂E = {number(slope.gradient)}", size=14)
        effect = "" if not slope.gradient else "closer" if slope.gradient > 0 else "apart"
        canvas.text(WIDTH - 8, y, effect, size=14, anchor="end")


def _axes(canvas: Canvas, q: float) -> None:
    canvas.curve([(LEFT, TOP), (LEFT, BOTTOM), (RIGHT, BOTTOM)], "ink", 1)
    for distance in range(0, int(FARTHEST) + 1, 2):
        x, _ = _place(distance, 0)
        canvas.text(x, BOTTOM + 12, number(distance), anchor="middle", size=13)
    for loss in range(0, int(HIGHEST) + 1, 5):
        _, y = _place(0, loss)
        canvas.text(LEFT - 6, y, number(loss), anchor="end", size=13)
    canvas.text(8, 10, "loss L", size=13)
    canvas.text(RIGHT, BOTTOM + 30, "distance E", size=13, anchor="end")
    for share, label in ((0.5, "Q/2"), (1, "Q")):
        x, _ = _place(share * q, 0)
        canvas.curve([(x, TOP - 14), (x, BOTTOM)], "faint", 1, dashed=True)
        canvas.text(x, TOP - 24, label, anchor="middle", size=13, colour="faint")


def _words(q: float, distance: float, slopes: dict[bool, Slope]) -> str:
    like, unlike = slopes[True], slopes[False]
    if not distance:
        return (
            f"With Q = {number(q)} and a distance of 0, a like pair costs {number(like.loss)} and "
            f"an unlike pair {number(unlike.loss)}; both gradients are 0, because two equal points "
            "define no direction."
        )
    return (
        f"With Q = {number(q)} and a distance of {number(distance)}, a like pair costs "
        f"{number(like.loss)} with the gradient {number(like.gradient)}, which makes the distance "
        f"smaller, and an unlike pair costs {number(unlike.loss)} with the gradient "
        f"{number(unlike.gradient)}, which makes it larger."
    )


def _tangent(distance: float, slope: Slope) -> list[Point]:
    """Return the ends of the tangent in the drawing."""
    x, y = _place(distance, slope.loss)
    right, down = np.subtract(_place(1, slope.gradient), _place(0, 0))
    length = TANGENT / float(np.hypot(right, down))
    return [(x + side * length * right, y + side * length * down) for side in (-1, 1)]


def _place(distance: float, loss: float) -> Point:
    """Return where a distance and a loss are in the drawing."""
    x = LEFT + (RIGHT - LEFT) * distance / FARTHEST
    return x, BOTTOM - (BOTTOM - TOP) * loss / HIGHEST
