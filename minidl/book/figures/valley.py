"""SGD, momentum, Adam and L-BFGS on two valleys: their paths, and the value after each step.

Both valleys are f = u² + v², where v changes much faster than the position along the floor. The
contour of a level c is therefore the circle of radius √c in (u, v), mapped back to (x, y).
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

import numpy as np

from minidl.autograd import Tensor
from minidl.book.figures.canvas import Canvas, Point, number
from minidl.book.figures.figure import Figure, Frame
from minidl.optim import LBFGS, SGD, Adam, Optimizer
from minidl.typing import Array

STEPS = 40
LEAST = 1e-15  # values below are not shown
SHOWN = (*range(10), *range(10, STEPS + 1, 3))  # the steps of the frames
MOMENTUM = 0.8
RATES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
OPTIMISERS: dict[str, Callable[[list[Tensor], float], Optimizer]] = {
    "SGD": lambda parameters, rate: SGD(parameters, rate),
    "momentum": lambda parameters, rate: SGD(parameters, rate, momentum=MOMENTUM),
    "Adam": lambda parameters, rate: Adam(parameters, rate),
    "L-BFGS": lambda parameters, rate: LBFGS(parameters, rate),
}
COLOURS = {"SGD": "ink", "momentum": "first", "Adam": "second", "L-BFGS": "third"}

WIDTH, HEIGHT = 400.0, 568.0  # of the drawing
MAP = (4.0, 4.0, 396.0, 264.0)  # the corners of the map
PLOT = (56.0, 284.0, 376.0, 404.0)  # the corners of the plot of the values
SPACING = 14.0  # of the points of a contour
DECADES = (-4, 2)  # the powers of ten at its ends


class Valley(NamedTuple):
    """A function of a point (x, y) whose minimum is 0.

    formula: in words. value: the function of a Tensor (2,). back: the point (x, y) of (u, v).
    levels: of the contours. limits: x at the left and the right of the map, and y at its bottom and
    its top.
    """

    formula: str
    value: Callable[[Tensor], Tensor]
    back: Callable[[Array, Array], tuple[Array, Array]]
    start: Point
    levels: tuple[float, ...]
    limits: tuple[float, float, float, float]

    def contour(self, level: float, count: int = 360) -> Iterator[Point]:
        """Yield points of the closed curve on which the function has this level."""
        t = np.linspace(0, 2 * np.pi, count + 1)
        xs, ys = self.back(level**0.5 * np.cos(t), level**0.5 * np.sin(t))
        yield from zip(map(float, xs), map(float, ys), strict=True)


class Path(NamedTuple):
    """The way of an optimiser. points: (STEPS + 1, 2). values: of the function there."""

    rate: float
    points: Array
    values: Array


def draw() -> Figure:
    """Return the figure: a variant for each valley, and a frame for each step that is SHOWN."""
    return Figure(
        title="Four optimisers in a valley",
        caption=(
            "The grey lines are contours, and + is the minimum. The slope across the valley is "
            "steep, so SGD needs a small learning rate and is slow along the floor. A momentum of "
            f"{MOMENTUM} adds up the gradients along the floor, which agree, but also overshoots. "
            "Adam divides by the size of the gradients, so its first steps are as long along the "
            "floor as across. L-BFGS estimates the curvature from the last gradients. Each "
            f"learning rate is the best of {len(RATES)} from {RATES[0]} to {RATES[-1]:g}: it has "
            f"the smallest value after {STEPS} steps, and never exceeds the value at the "
            "start. Below, the values have a logarithmic scale, which ends at 0.0001."
        ),
        variants={name: [*_frames(name, valley)] for name, valley in VALLEYS.items()},
        choice="valley",
        stills=(5, len(SHOWN) - 1),
    )


def best_path(valley: Valley, make: Callable[[list[Tensor], float], Optimizer]) -> Path:
    """Return the Path with the smallest last value of those with the RATES."""
    return min((walk(valley, make, rate) for rate in RATES), key=lambda path: path.values[-1])


def walk(valley: Valley, make: Callable[[list[Tensor], float], Optimizer], rate: float) -> Path:
    """Return the Path of an optimiser with this learning rate. It ends early where the value
    exceeds that at the start."""
    p = Tensor(np.array(valley.start), requires_grad=True)
    optimiser, points, values = make([p], rate), [], []
    for _ in range(STEPS + 1):
        value = valley.value(p)
        points.append(p.data)
        values.append(float(value))
        if not values[-1] <= values[0]:
            break
        value.backward()
        optimiser.step(values[-1])
    return Path(rate, np.array(points), np.array(values))


def _quadratic(p: Tensor) -> Tensor:
    return p[0] * p[0] + 25 * p[1] * p[1]


def _banana(p: Tensor) -> Tensor:
    u, v = 1 - p[0], 5 * (p[1] - p[0] * p[0])
    return u * u + v * v


VALLEYS = {
    "straight": Valley(
        "x² + 25 y²",
        _quadratic,
        lambda u, v: (u, v / 5),
        start=(-4.0, 1.2),
        levels=(1, 6, 20, 52),
        limits=(-4.8, 3.0, -1.6, 1.6),
    ),
    "curved": Valley(
        "(1 - x)² + 25 (y - x²)²",
        _banana,
        lambda u, v: (1 - u, (1 - u) ** 2 + v / 5),
        start=(-1.2, 1.0),
        levels=(0.3, 2, 9.68),
        limits=(-1.7, 1.6, -0.6, 2.0),
    ),
}


def _frames(name: str, valley: Valley) -> Iterator[Frame]:
    paths = {name: best_path(valley, make) for name, make in OPTIMISERS.items()}
    for step in SHOWN:
        canvas = Canvas(WIDTH, HEIGHT)
        _map(canvas, valley, paths, step)
        _plot(canvas, paths, step)
        _table(canvas, valley, paths, step)
        values = [f"{_value(path.values[step])} by {own}" for own, path in paths.items()]
        words = (
            f"After {step} {'step' if step == 1 else 'steps'} in the {name} valley, the value is "
            f"{', '.join(values[:-1])} and {values[-1]}."
        )
        yield Frame(canvas.svg(), words)


def _map(canvas: Canvas, valley: Valley, paths: dict[str, Path], step: int) -> None:
    left, top, right, bottom = MAP
    west, east, south, north = valley.limits

    def place(point: Point) -> Point:
        x, y = point
        return (
            round(left + (right - left) * (x - west) / (east - west), 1),
            round(bottom - (bottom - top) * (y - south) / (north - south), 1),
        )

    canvas.box(left, top, right - left, bottom - top)
    for level in valley.levels:
        for part in _within(map(place, valley.contour(level))):
            canvas.curve(_thinned(part), "faint", 1)
    x, y = place(next(valley.contour(0.0)))
    canvas.text(x, y, "+", size=20, anchor="middle")
    for name, path in paths.items():
        way = [place(point) for point in path.points[: step + 1]]
        for part in _within(way):
            canvas.curve(part, COLOURS[name], 2, dashed=name == "SGD")
        canvas.dot(*way[-1], COLOURS[name], 4.5)


def _within(points: Iterable[Point]) -> Iterator[list[Point]]:
    """Yield the parts of a line that are in the map."""
    left, top, right, bottom = MAP
    for is_inside, part in groupby(
        points, lambda point: left <= point[0] <= right and top <= point[1] <= bottom
    ):
        if is_inside:
            yield [*part]


def _thinned(line: list[Point]) -> list[Point]:
    """Return points of a line that are at least SPACING apart, and its last point."""
    kept = line[:1]
    for point in line:
        if np.hypot(point[0] - kept[-1][0], point[1] - kept[-1][1]) >= SPACING:
            kept.append(point)
    return [*kept, line[-1]]


def _plot(canvas: Canvas, paths: dict[str, Path], step: int) -> None:
    left, top, right, bottom = PLOT
    low, high = DECADES

    def place(step: int, value: float) -> Point:
        decades = np.log10(max(value, 10.0**low)) - low
        return (
            round(left + (right - left) * step / STEPS),
            round(bottom - (bottom - top) * decades / (high - low)),
        )

    canvas.curve([(left, top), (left, bottom), (right, bottom)], "ink", 1)
    powers = [10.0**power for power in range(low, high + 1, 2)]
    canvas.labels([(left - 6, place(0, p)[1], number(p)) for p in powers], anchor="end")
    ticks = range(0, STEPS + 1, 10)
    canvas.labels([(place(t, 1)[0], bottom + 14, str(t)) for t in ticks], anchor="middle")
    for name, path in paths.items():
        points = [place(*pair) for pair in enumerate(path.values[: step + 1])]
        canvas.curve(points, COLOURS[name], 2, dashed=name == "SGD")
        canvas.dot(*points[-1], COLOURS[name], 3.5)


def _table(canvas: Canvas, valley: Valley, paths: dict[str, Path], step: int) -> None:
    rows = [456.0 + 24 * row for row in range(len(paths) + 1)]
    canvas.text(8, rows[0], f"step {step}", size=14, bold=True)
    for y, name in zip(rows[1:], paths, strict=True):
        canvas.text(8, y, name, colour=COLOURS[name], size=14, bold=True)
    rates = ["learning rate", *(number(path.rate) for path in paths.values())]
    values = [valley.formula, *(_value(path.values[step]) for path in paths.values())]
    for right, column in ((224.0, rates), (WIDTH - 8, values)):
        labels = [(right, y, words) for y, words in zip(rows, column, strict=True)]
        canvas.labels(labels, size=14, anchor="end")


def _value(value: float) -> str:
    return f"below {LEAST:g}" if value < LEAST else number(value)
