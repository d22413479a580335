"""A tile of Winograd's F(4x4, 3x3): 6x6 inputs and a 3x3 kernel go through three linear maps and
one product to 4x4 outputs. One frame for each map along each axis."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from minidl.book.figures.canvas import Canvas, Cell, number
from minidl.book.figures.figure import Figure, Frame
from minidl.dispatch import textbook
from minidl.engine.convolution.winograd import A, B, G
from minidl.ops import convolution
from minidl.typing import Array

# The numbers are chosen so that all those at the points are whole and short.
INPUTS = np.array(
    [
        [1, 1, 1, 2, 1, 0],
        [1, 0, 1, 1, 2, 1],
        [0, 1, 0, 0, 2, 1],
        [0, 0, 1, 1, 2, 2],
        [2, 1, 0, 1, 1, 2],
        [0, 1, 1, 2, 1, 1],
    ],
    np.float64,
)
KERNEL = np.array([[16, 24, 8], [-24, -36, -12], [32, 48, -20]], np.float64)

CELL, WIDE = 28, 40  # the side of a cell, and its width for fractions
LEFT, GAP, WIDTH = 4, 32, 376
UPPER, LOWER, HEIGHT = 52, 256, 430
Matrices = dict[str, Array]


def tile(d: Array, g: Array) -> Matrices:
    """Return all matrices of a tile, by the names of the figure, for d (6, 6) and g (3, 3).

    "y" are the outputs by Winograd's algorithm, and "direct" those by the definition.
    """
    x = {"Bᵀ": B.T, "B": B, "G": G, "Gᵀ": G.T, "Aᵀ": A.T, "A": A, "d": d, "g": g}
    x["Bᵀd"], x["Gg"] = B.T @ d, G @ g
    x["V"], x["U"] = x["Bᵀd"] @ B, x["Gg"] @ G.T
    x["M"] = x["U"] * x["V"]
    x["AᵀM"] = A.T @ x["M"]
    x["y"] = x["AᵀM"] @ A
    with textbook():
        x["direct"] = convolution(d[None, ..., None], g[..., None, None])[0, ..., 0]
    return x


def draw() -> Figure:
    """Return the figure."""
    return Figure(
        "A tile of Winograd's algorithm",
        "Sixteen outputs of a 3x3 kernel need 144 multiplications by the definition. Winograd's "
        "algorithm maps inputs and kernel to 36 points, multiplies there, and maps the products "
        "back: y = Aᵀ [(G g Gᵀ) * (Bᵀ d B)] A. A layer maps its inputs once for all output "
        "channels and its kernel once for all tiles, so that the products are nearly all of the "
        "work.",
        {"": [*_frames(tile(INPUTS, KERNEL))]},
        stills=(0, 5, 8),
    )


def _frames(x: Matrices) -> Iterator[Frame]:
    y, direct = x["y"], x["direct"]
    few, many = x["M"].size, direct.size * x["g"].size  # multiplications
    window = [*np.ndindex(3, 3)]
    drawing = Canvas(WIDTH, HEIGHT)
    drawing.text(LEFT, 12, "The definition", size=14, bold=True)
    _matrix(drawing, x, "d", LEFT, UPPER, tinted=window)
    _matrix(drawing, x, "g", _beside("d", x), UPPER, tinted=window)
    _matrix(drawing, x, "direct", LEFT, LOWER, title="y", marked=(0, 0))
    yield Frame(
        drawing.svg(),
        f"By the definition, each of the {direct.size} outputs is a sum of {x['g'].size} products, "
        f"such as y[0,0] = {number(direct[0, 0])}, so that the tile takes {many} multiplications.",
    )
    yield _product(x, "Bᵀ", "d", "Bᵀd", "Bᵀ maps each column of the inputs d")
    yield _product(x, "Bᵀd", "B", "V", "B maps each row, which gives the inputs V at 36 points")
    yield _product(x, "G", "g", "Gg", "G maps each column of the kernel g")
    yield _product(x, "Gg", "Gᵀ", "U", "Gᵀ maps each row, which gives the kernel U at 36 points")
    yield _elementwise(x)
    yield _product(x, "Aᵀ", "M", "AᵀM", "Aᵀ maps each column of the products M")
    yield _product(x, "AᵀM", "A", "y", "A maps each row, which gives the 16 outputs y")
    drawing = Canvas(WIDTH, HEIGHT)
    drawing.text(LEFT, 12, "Both give the same outputs", size=14, bold=True)
    _matrix(drawing, x, "y", LEFT, UPPER, title="by Winograd")
    right, below = _beside("y", x), UPPER + 4 * CELL + 20
    _matrix(drawing, x, "direct", right, UPPER, title="by the definition")
    drawing.text(LEFT, below, f"{few} multiplications", size=13)
    drawing.text(right, below, f"{many} multiplications", size=13)
    yield Frame(
        drawing.svg(),
        f"The outputs of {few} multiplications differ by at most "
        f"{number(np.abs(y - direct).max())} from those of {many}, because of rounding.",
    )


def _product(x: Matrices, left: str, right: str, result: str, words: str) -> Frame:
    """Return the frame of a matrix product. It shows one number of the result with its row and
    column."""
    row, column = 1, 2
    inner = x[right].shape[0]
    drawing = Canvas(WIDTH, HEIGHT)
    drawing.text(LEFT, 12, f"{result} = {left} · {right}", size=14, bold=True)
    _matrix(drawing, x, left, LEFT, UPPER, tinted=[(row, i) for i in range(inner)])
    _matrix(drawing, x, right, _beside(left, x), UPPER, tinted=[(i, column) for i in range(inner)])
    _matrix(drawing, x, result, LEFT, LOWER, marked=(row, column))
    factors = zip(x[left][row], x[right][:, column], strict=True)
    terms = [f"{_factor(a)}·{_factor(b)}" for a, b in factors if round(a * b, 9)]
    value = _exact(x[result][row, column])
    return Frame(
        drawing.svg(), f"{words}; row {row}, column {column} is {' + '.join(terms)} = {value}."
    )


def _elementwise(x: Matrices) -> Frame:
    row, column = 1, 2
    drawing = Canvas(WIDTH, HEIGHT)
    drawing.text(LEFT, 12, "M = U * V, number by number", size=14, bold=True)
    for name, left in (("U", LEFT), ("V", _beside("U", x))):
        _matrix(drawing, x, name, left, UPPER, tinted=[(row, column)])
    _matrix(drawing, x, "M", LEFT, LOWER, marked=(row, column))
    u, v, m = (_factor(x[name][row, column]) for name in "UVM")
    return Frame(
        drawing.svg(),
        f"At each of the {x['M'].size} points, one multiplication gives M; row {row}, column "
        f"{column} is {u}·{v} = {m}.",
    )


def _matrix(
    drawing: Canvas,
    x: Matrices,
    name: str,
    left: float,
    top: float,
    *,
    title: str = "",
    tinted: Sequence[Cell] = (),
    marked: Cell | None = None,
) -> None:
    drawing.table(
        np.vectorize(_exact, otypes=[object])(x[name]), left, top, title=title or name,
        width=_cell_width(name), height=CELL, tinted=dict.fromkeys(tinted, "first"),
        marked={marked: "second"} if marked else {},
    )  # fmt: skip


def _beside(name: str, x: Matrices) -> float:
    """Return the left edge of a matrix to the right of another."""
    return LEFT + x[name].shape[1] * _cell_width(name) + GAP


def _cell_width(name):
    return WIDE if name in ("G", "Gᵀ") else CELL


def _exact(value):
    """Return a number of the transforms, whose divisors are at most 24, as it is without rounding
    errors: 3, -1/6."""
    return str(Fraction(float(value)).limit_denominator(24))


def _factor(value):
    return _exact(value) if value >= 0 else f"({_exact(value)})"
