"""Unrolling a feature map: a channels-first array must be transposed before it is reshaped to one
row for each position. The wrong picture stands beside the right one."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from minidl.book.figures.canvas import Canvas, number
from minidl.book.figures.figure import Figure, Frame
from minidl.data import read_image, shipped_picture, to_size
from minidl.ops import reshape, transpose
from minidl.typing import Array

PAINTING, SIDE = "van-gogh-cafe-terrace", 42
CHANNELS = {"red": "second", "green": "third", "blue": "first"}  # {name: colour in the drawing}
NUMBERS, ROWS = 12, 3  # how many numbers in memory, and how many rows, are drawn

LEFT, RIGHT, WIDTH = 4, 196, 372
PLANE, HALF, LINE = 112, 172, 24  # widths of a plane and of one side, and the height of a row
ORDERS, TABLES, PICTURES, HEIGHT = (190, 240), 300, 408, 588  # the tops of the parts


class Unrolled(NamedTuple):
    """A picture as one row for each position.

    order: the numbers in the order in which reshape reads them (H·W·3,). rows: (H·W, 3). channels:
    which channel each number of the rows comes from, as rows. picture: the rows as an RGB picture
    (H, W, 3).
    """

    order: Array
    rows: Array
    channels: Array
    picture: Array


def draw() -> Figure:
    """Return the figure."""
    return Figure(
        "Unrolling: transpose before reshape",
        "Some losses need the features as one row for each position and one column for each "
        "channel. A reshape keeps the order of the numbers in memory. From a channels-first array "
        "it therefore puts neighbours of one channel into a row. The shape is right, and no error "
        "is raised. minidl's arrays are channels-last, so that a reshape is enough.",
        {"": [*_frames(planes())]},
        stills=(2,),
    )


def planes() -> Array:
    """Return the painting as a channels-first array (3, H, W)."""
    picture = to_size(read_image(shipped_picture(PAINTING)), (SIDE, SIDE))
    return np.ascontiguousarray(transpose(picture, (2, 0, 1)))


def unroll(x: Array, *, first_transpose: bool) -> Unrolled:
    """Unroll a channels-first picture x (3, H, W) by a reshape, with or without a transpose."""
    C, H, W = x.shape
    channels = np.broadcast_to(np.arange(C)[:, None, None], x.shape)
    if first_transpose:
        x, channels = (transpose(array, (1, 2, 0)) for array in (x, channels))
    rows = reshape(x, (H * W, C))
    return Unrolled(reshape(x, -1), rows, reshape(channels, (H * W, C)), reshape(rows, (H, W, C)))


def _frames(x: Array) -> Iterator[Frame]:
    """Yield the frames. Each adds something to the drawing."""
    canvas = Canvas(WIDTH, HEIGHT)
    canvas.text(LEFT, 12, f"Channels first: {x.shape}", size=14, bold=True)
    for place, (name, colour) in enumerate(CHANNELS.items()):
        left = LEFT + place * (PLANE + 14)
        canvas.text(left, 34, name, size=13, colour=colour)
        canvas.picture(x[place], left, 44, PLANE, PLANE)
    yield Frame(
        canvas.svg(),
        f"A channels-first array {x.shape} of a painting holds all reds, then all greens, then all "
        "blues.",
    )
    wrong, right = (unroll(x, first_transpose=first) for first in (False, True))
    _draw(canvas, wrong, LEFT, ORDERS[0], "in memory", "reshape alone")
    yield Frame(
        canvas.svg(),
        f"A reshape to {wrong.rows.shape} without a transpose puts three neighbouring reds into "
        f"the first row, {_row(wrong)}, and the picture of the rows is wrong.",
    )
    _draw(canvas, right, RIGHT, ORDERS[1], "after the transpose", "transpose, then reshape")
    yield Frame(
        canvas.svg(),
        f"After a transpose to {right.picture.shape}, the first row holds the red, green and blue "
        f"of the first position, {_row(right)}, and the picture of the rows is right.",
    )


def _draw(
    canvas: Canvas, made: Unrolled, left: float, order_top: float, order: str, title: str
) -> None:
    """Draw the order of the numbers, and on one side the rows and their picture. Each number has
    the colour of its channel."""
    colours = [*CHANNELS.values()]
    source = {place: colours[c] for place, c in np.ndenumerate(made.channels[:ROWS])}
    in_order = {(0, i): colours[c] for i, c in enumerate(made.channels.flat[:NUMBERS])}
    canvas.table(
        made.order[None, :NUMBERS], LEFT, order_top, title=f"The first numbers {order}",
        width=(WIDTH - 8) / NUMBERS, height=LINE, tinted=in_order,
    )  # fmt: skip
    canvas.table(
        made.rows[:ROWS], left, TABLES, title=f"The first rows of {made.rows.shape}",
        width=HALF / 3, height=LINE, tinted=source,
    )  # fmt: skip
    canvas.text(left, PICTURES - 10, title, size=13)
    canvas.picture(made.picture, left, PICTURES, HALF, HALF)


def _row(made):
    return ", ".join(number(value) for value in made.rows[0])
