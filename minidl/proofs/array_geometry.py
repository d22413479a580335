"""Random geometries of ops that select, join, repeat, reduce or contract arrays.

The functions are as in `geometry`.
"""

import numpy as np

from minidl.proofs.geometry import Arguments, Chooser, Numbers, Shape, lengths, reduction

Labels = str  # of the axes of an array, in a formula of einsum

# The axes of "..." have the letters x and y, the last one y.
FORMULAS_OF_TWO: dict[str, tuple[Labels, Labels]] = {
    "ij,jk->ik": ("ij", "jk"),
    "nkj , nji": ("nkj", "nji"),
    "i,j->ji": ("i", "j"),
    "ij,ij->": ("ij", "ij"),
    "iij,jk->ik": ("iij", "jk"),
    "ijk,l->il": ("ijk", "l"),
    "...i,...i->...": ("xyi", "yi"),
    "i...,j...->...ij": ("iy", "jxy"),
    "i...j,...->j": ("iyj", "xy"),
}
FORMULAS_OF_ONE: dict[str, Labels] = {
    "ii": "ii", "ii->i": "ii", "ijk->kj": "ijk", "ij->": "ij", "...ij->...ji": "xyij",
    "iji->j": "iji", "iii->i": "iii",
}  # fmt: skip


def power(choose: Chooser) -> Arguments:
    a, b = _broadcasting(choose, 2)
    return {"x": a, "exponent": b}


def power_of_number(choose: Chooser) -> Arguments:
    return {"x": Shape(lengths(choose, 0, 4)), "number": choose.one_of((-1, 0, 0.5, 1, 2, 3))}


def clip(choose: Chooser) -> Arguments:
    return dict(zip(("x", "min", "max"), _broadcasting(choose, 3), strict=True))


def clip_to_numbers(choose: Chooser) -> Arguments:
    bounds = choose.one_of(((-1, 2), (None, 0), (0, None), (1.0, -1.0)))
    return {"x": Shape(lengths(choose, 0, 4)), "bounds": bounds}


def where(choose: Chooser) -> Arguments:
    condition, a, b = _broadcasting(choose, 3)
    bools = [choose.one_of((True, False)) for _ in range(int(np.prod(condition)))]
    given = np.array(bools).reshape(condition or (1,)).tolist()
    return {"condition": Numbers(given), "a": a, "b": b}


def _broadcasting(choose, count):
    """Return shapes that broadcast: some axes have length 1, and some axes in front are missing."""
    shape = lengths(choose, 0, 3)
    shapes = [[choose.one_of((n, 1)) for n in shape] for _ in range(count)]
    return [Shape(each[choose.one_of((0, min(1, len(shape)))) :]) for each in shapes]


def statistics(choose: Chooser) -> Arguments:
    """At least two numbers for each variance, so that there are more than the correction."""
    geometry = reduction(choose)
    x, axis = Shape(n + 1 for n in geometry["x"]), geometry["axis"]
    axis = 0 if axis == () else axis
    return {**geometry, "x": x, "axis": axis, "correction": choose.one_of((0, 1, 0.5))}


def cumsum(choose: Chooser) -> Arguments:
    shape = lengths(choose)
    return {"x": Shape(shape), "axis": choose.one_of((None, 0, -1))}


def stack(choose: Chooser) -> Arguments:
    shape = Shape(lengths(choose, 0))
    return {"a": shape, "b": shape, "axis": choose.integer(-len(shape) - 1, len(shape))}


def split(choose: Chooser) -> Arguments:
    shape = lengths(choose)
    axis = choose.integer(-len(shape), len(shape) - 1)
    n = shape[axis]
    sections = choose.one_of((n, 1, [n // 2], [0, 1, n]))
    return {"x": Shape(shape), "sections": sections, "axis": axis}


def repeat(choose: Chooser) -> Arguments:
    shape = lengths(choose)
    axis = choose.one_of((None, *range(-len(shape), len(shape))))
    n = int(np.prod(shape)) if axis is None else shape[axis]
    several = [choose.integer(0, 2) for _ in range(n)]
    return {"x": Shape(shape), "repeats": choose.one_of((several, 1, 2, 3)), "axis": axis}


def tile(choose: Chooser) -> Arguments:
    counts = tuple(choose.integer(1, 3) for _ in range(choose.integer(1, 3)))
    return {"x": Shape(lengths(choose, 0)), "counts": choose.one_of((counts, counts[0]))}


def flatten(choose: Chooser) -> Arguments:
    shape = lengths(choose)
    start = choose.integer(0, len(shape) - 1)
    end = choose.integer(start, len(shape) - 1)
    return {"x": Shape(shape), "start": start - len(shape), "end": end}


def squeeze(choose: Chooser) -> Arguments:
    shape = lengths(choose)
    axis = choose.integer(0, len(shape))
    x = Shape((*shape[:axis], 1, *shape[axis:]))
    return {"x": x, "axis": choose.one_of((None, axis, axis - len(x), (axis,)))}


def expand_dims(choose: Chooser) -> Arguments:
    return {"x": Shape(lengths(choose)), "axis": choose.one_of((0, -1, 1, (0, 2), (-1, -2)))}


def einsum_of_one(choose: Chooser) -> Arguments:
    formula = choose.one_of(tuple(FORMULAS_OF_ONE))
    return {"a": _shape(choose, FORMULAS_OF_ONE[formula], {}), "subscripts": formula}


def einsum_of_two(choose: Chooser) -> Arguments:
    """In each formula, the second array may have length 1 along its first axis."""
    formula = choose.one_of(tuple(FORMULAS_OF_TWO))
    known: dict[str, int] = {}
    a, b = (_shape(choose, labels, known) for labels in FORMULAS_OF_TWO[formula])
    b = Shape((choose.one_of((b[0], 1)), *b[1:]))
    return {"a": a, "b": b, "subscripts": formula}


def _shape(choose, labels, known):
    """Return a shape with one length for each label. known: {label: length}, which is added to."""
    for label in labels:
        known.setdefault(label, choose.integer(1, 3))
    return Shape(known[label] for label in labels)
