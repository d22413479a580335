"""Broadcasting and its adjoint: a (3, 1) and b (4,) are repeated to (3, 4) and added, and their
gradients are sums over the axes along which they were repeated."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np

from minidl.autograd import value_and_grad
from minidl.book.figures.canvas import Canvas, Cell, number
from minidl.book.figures.figure import Figure, Frame
from minidl.ops import broadcast_to
from minidl.typing import Array

A = np.array([[10], [20], [30]], np.float64)
B = np.array([1, 2, 3, 4], np.float64)
DY = np.array([[1, 0, 2, -1], [3, 1, -2, 1], [0, 2, 1, 2]], np.float64)

CELL = 34
LEFT, RIGHT, SUMS = 4, 184, 332  # left edges of the matrices, and of da
UPPER, LOWER, BELOW = 52, 204, 336  # their tops, and that of db
WIDTH, HEIGHT = 372, 380


class State(NamedTuple):
    """The numbers of a frame, NaN where there are none yet. All have two axes.

    tinted: the cells of dy that are being added.
    """

    a: Array
    b: Array
    y: Array
    dy: Array
    da: Array
    db: Array
    tinted: Mapping[Cell, str] = {}


def draw() -> Figure:
    """Return the figure."""
    return Figure(
        "Broadcasting and its adjoint",
        "Lengths are compared from the last axis on. An array is repeated along each axis where it "
        "has length 1, and along each axis that it lacks. Each repetition contributes to the "
        "result, so that the gradient is the sum over the repetitions.",
        {"": [*_frames(A, B, DY)]},
        stills=(0, 3, 8, 11),
    )


def gradients(a: Array, b: Array, dy: Array) -> tuple[Array, Array]:
    """Return the gradients of a + b for the cotangent dy."""
    _, (da, db) = value_and_grad(lambda a, b: ((a + b) * dy).sum())(a, b)
    return da, db


def _frames(a: Array, b: Array, dy: Array) -> Iterator[Frame]:
    rows, columns = dy.shape
    none, row, column = np.full(dy.shape, np.nan), np.arange(rows), np.arange(columns)
    wide_a, high_b = broadcast_to(a, dy.shape), broadcast_to(b, dy.shape)
    a_alone = np.where(column == 0, wide_a, np.nan)
    b_alone = np.where(row[:, None] == 0, high_b, np.nan)
    empty = State(a_alone, b_alone, none, none, none[:, :1], none[:1])

    yield _frame(
        empty,
        f"a has the shape {a.shape} and b the shape {b.shape}; aligned at the last axis, b is read "
        f"as {(1, *b.shape)}, and the result has the shape {dy.shape}.",
    )
    yield _frame(
        empty._replace(a=wide_a),
        f"Along axis 1, a has length 1, so that its column is repeated {columns} times.",
    )
    repeated = empty._replace(a=wide_a, b=high_b)
    yield _frame(
        repeated,
        f"b lacks the first axis, so that its row is repeated {rows} times.",
    )
    state = repeated._replace(y=wide_a + high_b)
    yield _frame(
        state,
        f"The sum is computed cell by cell, such as y[{rows - 1},{columns - 1}] = "
        f"{number(a[-1, 0])} + {number(b[-1])} = {number(state.y[-1, -1])}.",
    )
    state = state._replace(dy=dy)
    yield _frame(state, "Backward, each cell of y has its gradient in dy.")
    for k in range(columns):
        da, _ = gradients(a, b, np.where(column <= k, dy, 0))
        tinted = dict.fromkeys(((i, k) for i in range(rows)), "first")
        yield _frame(
            state._replace(da=da, tinted=tinted),
            f"da adds the columns of dy, because a was repeated along axis 1: after column {k} it "
            f"is {_list(da)}.",
        )
    state = state._replace(da=da)
    for k in range(rows):
        _, db = gradients(a, b, np.where(row[:, None] <= k, dy, 0))
        tinted = dict.fromkeys(((k, j) for j in range(columns)), "first")
        yield _frame(
            state._replace(db=db[None], tinted=tinted),
            f"db adds the rows of dy, because b was repeated along axis 0: after row {k} it is "
            f"{_list(db)}.",
        )
    yield _frame(
        state._replace(db=db[None]),
        "The sums are the adjoint of the repetition: the product of dy and the repeated a has the "
        f"sum {number((dy * wide_a).sum())}, and that of da and a has the sum "
        f"{number((da * a).sum())}; for b, the sums are {number((dy * high_b).sum())} and "
        f"{number((db * b).sum())}.",
    )


def _frame(state: State, words: str) -> Frame:
    canvas = Canvas(WIDTH, HEIGHT)
    table = partial(canvas.table, width=CELL, height=CELL)
    is_back = not np.isnan(state.dy).all()
    canvas.text(LEFT, 12, "Backward: sum" if is_back else "Forward: repeat", size=14, bold=True)
    own_a = dict.fromkeys(((i, 0) for i in range(len(state.a))), "second")
    own_b = dict.fromkeys(((0, j) for j in range(state.b.shape[1])), "second")
    table(state.a, LEFT, UPPER, title=f"a {A.shape}", tinted=own_a)
    table(state.b, RIGHT, UPPER, title=f"b {B.shape}", tinted=own_b)
    table(state.y, LEFT, LOWER, title="y = a + b")
    if is_back:
        table(state.dy, RIGHT, LOWER, title="dy", tinted=state.tinted)
        table(state.da, SUMS, LOWER, title="da")
        table(state.db, RIGHT, BELOW, title="db")
    return Frame(canvas.svg(), words)


def _list(numbers):
    return ", ".join(number(value) for value in numbers.flat)
