"""Triplets, sorted into easy, semi-hard and hard ones under a margin that can be moved.

An anchor, a positive and six negatives are points of a plane. The figure shows for each margin
where the three kinds of negatives lie, the loss of each triplet, and one step of gradient descent
on the sum of the losses.
"""

from typing import NamedTuple

import numpy as np

from minidl import losses, ops
from minidl.autograd import Tensor, value_and_grad
from minidl.book.figures.canvas import Canvas, number
from minidl.book.figures.figure import Figure, Frame
from minidl.recipes.triplets import choose

ANCHOR = (0.0, 0.0)
POSITIVES = {"p1": (0.4, 0.3), "p2": (-0.6, 0.4)}
NEGATIVES = {
    "n1": (-0.3, -0.3), "n2": (0.2, -0.6), "n3": (0.8, -0.2), "n4": (-0.8, -0.5),
    "n5": (0.3, 1.0), "n6": (1.1, 0.5),
}  # fmt: skip
MARGINS = [tenths / 10 for tenths in range(11)]
KINDS = ("hard", "semi-hard", "easy")
COLOURS = {"hard": "second", "semi-hard": "first", "easy": "third"}
RATE = 0.08  # the learning rate of the step that the arrows show

WIDTH, HEIGHT = 400.0, 580.0  # of the drawing
UNIT = 155.0  # units of the drawing for a distance of 1 in the plane
CENTRE = (200.0, 196.0)  # of the drawing, where the anchor is
LEFT, SUMS, RIGHT = 8.0, 332.0, 392.0  # columns of the table
ROW = 22.0  # height of its rows


class Sorted(NamedTuple):
    """The triplets (anchor, positive, negative) of all N negatives under a margin.

    near: d(a,p). far: d(a,n) (N,). z: d(a,p) - d(a,n) + m (N,). kinds, losses: of the triplets
    (N,). gradients: of the sum of the losses with respect to the anchor, the positive and the
    negatives (2 + N, 2). chosen: the index of the negative that minidl chooses as "semi-hard", or
    None. Distances are squared.
    """

    near: float
    far: np.ndarray
    z: np.ndarray
    kinds: tuple[str, ...]
    losses: np.ndarray
    gradients: np.ndarray
    chosen: int | None


def draw() -> Figure:
    """Return the figure: a variant for each positive, and a frame for each margin."""
    return Figure(
        title="Easy, semi-hard and hard negatives",
        caption=(
            "A triplet is an anchor a, a positive p and a negative n. Its loss is "
            "max(0, d(a,p) - d(a,n) + m) with squared distances d and the margin m. A negative in "
            "the inner disc is hard: it is nearer to the anchor than the positive. A negative in "
            "the ring is semi-hard: the order is right, but the margin m is not kept. All others "
            "are easy, and their loss and gradient are 0. The arrows show one step of gradient "
            f"descent on the sum of the losses, with a learning rate of {number(RATE)}. The circle "
            'marks the negative that minidl chooses as "semi-hard", the nearest one in the ring.'
        ),
        variants={
            name: [_frame(name, margin, sort(point, margin)) for margin in MARGINS]
            for name, point in POSITIVES.items()
        },
        choice="positive",
        stills=(0, 5, 10),
    )


def sort(positive: tuple[float, float], margin: float) -> Sorted:
    """Return the Sorted triplets of ANCHOR, a positive and NEGATIVES."""
    points = np.array([ANCHOR, positive, *NEGATIVES.values()])
    distances = ops.pairwise_distances(points, squared=True)
    near, far = distances[0, 1], distances[0, 2:]
    kinds = np.select([far <= near, far <= near + margin], KINDS[:2], KINDS[2])

    def loss(points: Tensor, which: slice) -> Tensor:
        negatives = points[2:][which]
        anchor, positive = (ops.broadcast_to(points[i : i + 1], negatives.shape) for i in (0, 1))
        return losses.triplet_loss(anchor, positive, negatives, margin)

    each = [float(loss(Tensor(points), slice(i, i + 1))) for i in range(len(far))]
    _, (gradients,) = value_and_grad(lambda points: loss(points, slice(None)))(points)
    labels = np.array([0, 0, *range(1, len(far) + 1)])  # each negative is of another kind
    chosen = choose("semi-hard", distances, labels, margin, np.random.default_rng(0))
    negatives = chosen.negatives[chosen.anchors == 0] - 2
    return Sorted(
        near=float(near),
        far=far,
        z=near - far + margin,
        kinds=tuple(map(str, kinds)),
        losses=np.array(each),
        gradients=gradients,
        chosen=int(negatives[0]) if len(negatives) else None,
    )


def _frame(name: str, margin: float, found: Sorted) -> Frame:
    canvas = Canvas(WIDTH, HEIGHT)
    _plane(canvas, name, margin, found)
    _table(canvas, name, margin, found)
    return Frame(canvas.svg(), _words(name, margin, found))


def _plane(canvas: Canvas, name: str, margin: float, found: Sorted) -> None:
    inner, outer = (UNIT * distance**0.5 for distance in (found.near, found.near + margin))
    canvas.ring(*CENTRE, 0, inner, "second", 0.12)
    canvas.ring(*CENTRE, inner, outer, "first", 0.12)
    for radius in {inner, outer}:
        canvas.circle(*CENTRE, radius, "faint")
    labelled = {"a": ("ink", ANCHOR), name: ("ink", POSITIVES[name])} | {
        negative: (COLOURS[kind], NEGATIVES[negative])
        for negative, kind in zip(NEGATIVES, found.kinds, strict=True)
    }
    for (_, point), gradient in zip(labelled.values(), found.gradients, strict=True):
        if gradient.any():
            canvas.arrow(_at(point), _at(np.array(point) - RATE * gradient), "ink", 1.5)
    for label, (colour, point) in labelled.items():
        (x, y), side = _at(point), 1 if point[0] > 0 else -1
        canvas.dot(x, y, colour, 5)
        anchor = "start" if side > 0 else "end"
        canvas.text(x + 9 * side, y - 11, label, anchor=anchor, size=14, bold=True, colour=colour)
    if found.chosen is not None:
        canvas.circle(*_at([*NEGATIVES.values()][found.chosen]), 9, "ink")


def _table(canvas: Canvas, name: str, margin: float, found: Sorted) -> None:
    near, m = number(found.near), number(margin)
    rows = zip(NEGATIVES, found.kinds, found.far, found.z, found.losses, strict=True)
    y = 410.0
    canvas.text(LEFT, y, f"m = {m}", size=14, bold=True)
    canvas.text(SUMS, y, f"d(a,{name}) - d(a,n) + m", size=14, anchor="end")
    canvas.text(RIGHT, y, "loss", size=14, anchor="end")
    for negative, kind, far, z, loss in rows:
        y, colour = y + ROW, COLOURS[kind]
        canvas.text(LEFT, y, negative, size=14, bold=True, colour=colour)
        canvas.text(LEFT + 36, y, kind, size=14, colour=colour)
        terms = f"{near} - {number(far)} + {m} = {number(z)}"
        canvas.text(SUMS, y, terms, size=14, anchor="end")
        canvas.text(RIGHT, y, number(loss), size=14, anchor="end")
    y += ROW
    canvas.text(LEFT, y, "sum of the losses", size=14, bold=True)
    canvas.text(RIGHT, y, number(found.losses.sum()), size=14, anchor="end", bold=True)


def _words(name: str, margin: float, found: Sorted) -> str:
    parts = []
    for kind in KINDS:
        names = [n for n, own in zip(NEGATIVES, found.kinds, strict=True) if own == kind]
        parts.append(f"{', '.join(names) or 'none'} {'is' if len(names) < 2 else 'are'} {kind}")
    chosen = "no negative" if found.chosen is None else [*NEGATIVES][found.chosen]
    return (
        f"With the positive {name} and a margin of {number(margin)}, {parts[0]}, {parts[1]} and "
        f"{parts[2]}; the losses add up to {number(found.losses.sum())}, and the choice "
        f'"semi-hard" takes {chosen}.'
    )


def _at(point) -> tuple[float, float]:
    return CENTRE[0] + UNIT * float(point[0]), CENTRE[1] - UNIT * float(point[1])
