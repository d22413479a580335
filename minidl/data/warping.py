"""Rotate, zoom and shift batches of pictures (N, H, W, C) at random."""

from collections.abc import Sequence

import numpy as np

from minidl.errors import ArgumentError
from minidl.ops import resample
from minidl.typing import Array


def warp(
    rng: np.random.Generator,
    pictures: Array,
    degrees: float = 0.0,
    zoom: float = 0.0,
    shift: float = 0.0,
) -> Array:
    """(N, H, W, C) -> (N, H, W, C) float32: rotate, zoom and shift each picture at random.

    The amounts are those of `random_places`. Pixels from outside of a picture have the value of the
    nearest pixel of its border.
    """
    size = pictures.shape[1:3]
    rows, columns = random_places(rng, len(pictures), size, size, degrees, zoom, shift)
    return resample(pictures.astype(np.float32), rows, columns)


def random_places(
    rng: np.random.Generator,
    n: int,
    size: Sequence[int],
    seen: Sequence[int],
    degrees: float = 0.0,
    zoom: float = 0.0,
    shift: float = 0.0,
) -> tuple[Array, Array]:
    """Return the places of the pixels of n random views of a picture: rows and columns, both
    (n, H', W').

    The pixel at p of a view shows the place c + A (p - c') - t of the picture,

        A = 1/z [[cos θ, -sin θ], [sin θ, cos θ]],

    where c and c' are the centres of picture and view, z is a factor from 1 / (1 + zoom) to
    1 + zoom, θ an angle from -degrees to degrees, and t a shift from -shift to shift pixels along
    each axis.

    size  (H, W) of the picture
    seen  (H', W') of a view

    Raises ArgumentError if an amount is negative.
    """
    if min(degrees, zoom, shift) < 0:
        raise ArgumentError(
            f"degrees, zoom and shift are {degrees}, {zoom} and {shift}; wanted numbers of at "
            "least 0"
        )
    theta = np.radians(rng.uniform(-degrees, degrees, n))
    factor = (1 + zoom) ** rng.uniform(-1, 1, n)
    t = rng.uniform(-shift, shift, (2, n, 1, 1))
    cos, sin = (part[:, None, None] for part in (np.cos(theta) / factor, np.sin(theta) / factor))
    down = np.arange(seen[0])[:, None] - (seen[0] - 1) / 2
    right = np.arange(seen[1]) - (seen[1] - 1) / 2
    rows = cos * down - sin * right - t[0] + (size[0] - 1) / 2
    columns = sin * down + cos * right - t[1] + (size[1] - 1) / 2
    return rows, columns
