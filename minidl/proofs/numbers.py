"""The numbers in the arrays of a geometry. They depend only on a seed."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minidl.proofs.geometry import Numbers, Shape

if TYPE_CHECKING:
    from minidl.proofs.table import Row


def fill(row: "Row", geometry: Mapping[str, Any], seed: int | Sequence[Any]) -> dict[str, Any]:
    """Return the arguments of the geometry with an array of numbers for each Shape and Numbers.

    row: says which numbers an argument has.
    """
    rng = np.random.default_rng(seed)
    shapes = {name: value for name, value in geometry.items() if isinstance(value, Shape)}
    words = {name: row.data.get(name, _default_word(row.kinds.get(name))) for name in shapes}
    spaced = iter(_spaced(rng, [shapes[name] for name in shapes if words[name] == "spaced"]))
    arrays = {
        name: next(spaced) if words[name] == "spaced" else DATA[words[name]](rng, shape)
        for name, shape in shapes.items()
    }
    given = {
        name: np.array(value) for name, value in geometry.items() if isinstance(value, Numbers)
    }
    filled = {name: np.asarray(array, np.float64) for name, array in arrays.items()}
    return {**geometry, **given, **filled}


def _default_word(kind):
    return "spaced" if kind == "piecewise linear" else "normal"


def _spaced(rng, shapes):
    """Return arrays whose numbers all differ by at least 1 from each other and by 1/2 from 0, so
    that no step reaches a kink."""
    sizes = [int(np.prod(shape)) for shape in shapes]
    numbers = rng.permutation(sum(sizes)) - sum(sizes) // 2 + 0.5
    parts = np.split(numbers, np.cumsum(sizes)[:-1]) if sizes else []
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def _two_clusters(rng, shape):
    """Return numbers near -1 and 1, half of each in every channel. None is near the mean, where a
    ReLU after a normalization has its kink."""
    count = int(np.prod(shape[:-1]))
    centres = np.where(np.arange(count) < count // 2, -1.0, 1.0)[:, None]
    numbers = centres + rng.uniform(-0.1, 0.1, (count, shape[-1]))
    return rng.permuted(numbers, axis=0).reshape(shape)


def _with_a_zero(rng, shape):
    """Return normal numbers, one of which is 0."""
    numbers = rng.standard_normal(shape)
    numbers.flat[rng.integers(numbers.size)] = 0
    return numbers


def _with_rows_of_zeros(rng, shape):
    """Return normal numbers, but zeros in a third of the vectors along the last axis."""
    return rng.standard_normal(shape) * (rng.random((*shape[:-1], 1)) < 2 / 3)


def _positive_definite(rng, shape):
    """Return symmetric matrices B Bᵀ + 20 I, whose eigenvalues are at least 20."""
    B = rng.standard_normal(shape)
    return B @ B.mT + 20 * np.eye(shape[-1])


def _counts(rng, shape):
    """Return numbers of at least 0, half of them 0."""
    return rng.uniform(0, 3, shape) * rng.integers(0, 2, shape)


# word of a Row -> function (rng, shape) that returns the numbers. "spaced" is the word for
# `_spaced`, which fills all arrays of a row together.
DATA = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "positive": lambda rng, shape: rng.uniform(0.5, 2, shape),
    "nonzero": lambda rng, shape: rng.uniform(0.5, 2, shape) * rng.choice([-1.0, 1.0], shape),
    "hundreds": lambda rng, shape: 100.0 * rng.integers(-2, 3, shape),
    "odd thousands": lambda rng, shape: 1000.0 * (10 * rng.integers(-3, 3, shape) + 5),
    "two clusters": _two_clusters,
    "corners": lambda rng, shape: rng.integers(0, 2, shape),  # of a cube: points often coincide
    "with a zero": _with_a_zero,
    "rows of zeros": _with_rows_of_zeros,
    "tiny rows of zeros": lambda rng, shape: 1e-20 * _with_rows_of_zeros(rng, shape),
    "positive definite": _positive_definite,
    "counts": _counts,
    "tiny counts": lambda rng, shape: 1e-20 * _counts(rng, shape),
}  # the squares of the tiny ones underflow in float32
