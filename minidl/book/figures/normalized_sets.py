"""Which numbers batch, layer, instance and group normalization give one mean and one deviation. One
frame for each set of numbers that is normalized together."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from minidl import ops
from minidl.autograd import value_and_grad
from minidl.book.figures.canvas import Canvas, number
from minidl.book.figures.figure import Figure, Frame
from minidl.typing import Array

Place = tuple[int, int, int]  # picture, position, channel

X = np.array(
    [
        [[3, 1, 5, 4], [1, 0, 2, 7], [4, 2, 3, 1], [8, 5, 2, 0]],
        [[6, 4, 9, 3], [2, 7, 5, 1], [5, 3, 8, 6], [7, 6, 4, 2]],
    ],
    np.float64,
)  # 2 pictures, 4 positions, 4 channels
NORMALIZATIONS: dict[str, Callable] = {
    "batch": partial(ops.batch_norm, epsilon=0.0),
    "layer": partial(ops.layer_norm, epsilon=0.0),
    "instance": partial(ops.group_norm, groups=4, epsilon=0.0),
    "group, 2 groups": partial(ops.group_norm, groups=2, epsilon=0.0),
}

NAMES = "picture", "position", "channel"  # of the axes
CELL = 38
LEFT, RIGHT = 4, 184  # left edges of the two pictures
FORWARD, BELOW = 50, 266  # tops of x and of y
WIDTH, HEIGHT = 340, 422


class Step(NamedTuple):
    """What happens to one set.

    places: of its numbers. y: the outputs so far, NaN for the others.
    """

    places: list[Place]
    y: Array


def draw() -> Figure:
    """Return the figure."""
    return Figure(
        "Which numbers are normalized together",
        "Two pictures of four positions and four channels. Each row is a position, and each column "
        "a channel. The coloured numbers are a set: they have one mean and one standard deviation, "
        "and none of their outputs depends on another number.",
        {label: [*_frames(normalize)] for label, normalize in NORMALIZATIONS.items()},
        "normalization",
        stills=(0, 1),
    )


def steps(x: Array, normalize: Callable) -> Iterator[Step]:
    """Yield the Step of each set of a normalization of x (N, P, C).

    A set is found by a gradient: it consists of the numbers on which an output depends. The
    gradient is computed at random numbers, because it can be 0 by chance at whole ones.
    """
    y, so_far = normalize(x), np.full(x.shape, np.nan)
    at = np.random.default_rng(0).standard_normal(x.shape)
    for place in np.ndindex(x.shape):
        if np.isnan(so_far[place]):
            _, [dx] = value_and_grad(lambda x, place=place: normalize(x)[place])(at)
            depends = abs(dx) > 1e-9
            so_far = np.where(depends, y, so_far)
            yield Step([(n, p, c) for n, p, c in np.argwhere(depends).tolist()], so_far)


def _frames(normalize):
    for step in steps(X, normalize):
        yield Frame(_drawing(step).svg(), _words(step))


def _drawing(step: Step) -> Canvas:
    canvas = Canvas(WIDTH, HEIGHT)
    table = partial(canvas.table, width=CELL, height=CELL)
    canvas.text(LEFT, 12, "x: positions down, channels across", size=14, bold=True)
    canvas.text(LEFT, BELOW - 40, "y: the normalized numbers", size=14, bold=True)
    for picture, left in enumerate((LEFT, RIGHT)):
        cells = [(row, column) for n, row, column in step.places if n == picture]
        title = f"picture {picture}"
        table(X[picture], left, FORWARD, title=title, tinted=dict.fromkeys(cells, "first"))
        table(
            step.y[picture].round(2),
            left,
            BELOW,
            title=title,
            tinted=dict.fromkeys(cells, "second"),
        )
    return canvas


def _words(step):
    first, numbers = step.places[0], np.array([X[place] for place in step.places])
    of = [_list(axis, {place[axis] for place in step.places}) for axis in range(X.ndim)]
    mean, deviation = number(numbers.mean()), number(numbers.std())
    x, y = number(X[first]), number(step.y[first].round(2))
    return (
        f"The {len(numbers)} numbers of {of[0]}, {of[1]} and {of[2]} have the mean {mean} and the "
        f"standard deviation {deviation}, so that x = {x} becomes y = ({x} - {mean}) / {deviation} "
        f"= {y}."
    )


def _list(axis, places):
    """Return "channel 2", "channels 0 and 1" or "all positions"."""
    if len(places) == X.shape[axis]:
        return f"all {NAMES[axis]}s"
    return f"{NAMES[axis]}{'s' * (len(places) > 1)} {' and '.join(map(str, sorted(places)))}"
