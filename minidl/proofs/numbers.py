"""The numbers in the arrays of a geometry. They come from a seed alone."""

import numpy as np

from minidl.proofs.geometry import Numbers, Shape


def fill(row, geometry, seed, dtype=np.float64):
    """The drawn geometry with arrays of numbers in place of shapes."""
    rng = np.random.default_rng(seed)
    shapes = {name: value for name, value in geometry.items() if isinstance(value, Shape)}
    words = {
        name: row.data.get(
            name, "spaced" if row.kinds.get(name) == "piecewise linear" else "normal"
        )
        for name in shapes
    }
    spaced = iter(
        _spaced(rng, [shape for name, shape in shapes.items() if words[name] == "spaced"])
    )
    arrays = {
        name: next(spaced) if words[name] == "spaced" else DATA[words[name]](rng, shape)
        for name, shape in shapes.items()
    }
    given = {
        name: np.array(value) for name, value in geometry.items() if isinstance(value, Numbers)
    }
    return {
        **geometry,
        **given,
        **{name: np.asarray(array, dtype) for name, array in arrays.items()},
    }


def _two_heaps(rng, shape):
    """In each channel half of the numbers around -1, the others around 1: none is near the mean,
    where a ReLU behind a normalization has its kink."""
    count = int(np.prod(shape[:-1]))
    heaps = np.where(np.arange(count) < count // 2, -1.0, 1.0)[:, None] + rng.uniform(
        -0.1, 0.1, (count, shape[-1])
    )
    return rng.permuted(heaps, axis=0).reshape(shape)


def _with_rows_of_zeros(rng, shape):
    """A third of the vectors along the last axis are 0."""
    return rng.standard_normal(shape) * (rng.random((*shape[:-1], 1)) < 2 / 3)


def _counts(rng, shape):
    """At least 0, half of them 0"""
    return rng.uniform(0, 3, shape) * rng.integers(0, 2, shape)


DATA = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "positive": lambda rng, shape: rng.uniform(0.5, 2, shape),
    "hundreds": lambda rng, shape: 100.0 * rng.integers(-2, 3, shape),
    "odd thousands": lambda rng, shape: 1000.0 * (10 * rng.integers(-3, 3, shape) + 5),
    "two heaps": _two_heaps,
    # of a cube: few points, that often coincide
    "corners": lambda rng, shape: rng.integers(0, 2, shape),
    "rows of zeros": _with_rows_of_zeros,
    "counts": _counts,
    # whose squares vanish in float32
    "tiny rows of zeros": lambda rng, shape: 1e-20 * _with_rows_of_zeros(rng, shape),
    "tiny counts": lambda rng, shape: 1e-20 * _counts(rng, shape),
    "nonzero": lambda rng, shape: rng.uniform(0.5, 2, shape) * rng.choice([-1.0, 1.0], shape),
}


def _spaced(rng, shapes):
    """Arrays whose entries all differ by at least 1 from each other and by 1/2 from 0: no kink
    within reach of a step."""
    sizes = [int(np.prod(shape)) for shape in shapes]
    numbers = rng.permutation(sum(sizes)) - sum(sizes) // 2 + 0.5
    parts = np.split(numbers, np.cumsum(sizes)[:-1]) if sizes else []
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
