"""Pictures turned, zoomed and moved a little at random: (N, H, W, C), a whole batch at once."""

import numpy as np

from minidl.errors import ArgumentError
from minidl.ops import resample


def warp(rng, pictures, degrees=0.0, zoom=0.0, shift=0.0):
    """(N, H, W, C) -> (N, H, W, C), float32: each picture turned by up to `degrees` to either side,
    made larger or smaller by a factor of up to 1 + zoom, and moved along both axes by up to `shift`
    pixels, every amount as likely.

    What moves in from outside is the border again.
    """
    size = pictures.shape[1:3]
    rows, columns = random_places(rng, len(pictures), size, size, degrees, zoom, shift)
    return resample(pictures.astype(np.float32), rows, columns)


def random_places(rng, n, size, seen, degrees=0.0, zoom=0.0, shift=0.0):
    """Where the pixels of n views look at pictures of a size (H, W): rows and columns, each (n, H',
    W'), (H', W') being `seen`.

    The pixel at p of a view shows what was at c + A (p - c') - t,

        A = 1/z [[cos θ, -sin θ], [sin θ, cos θ]],      c, c': the middles,  z: factor,  θ: angle,  t: shift,

    z between 1 / (1 + zoom) and 1 + zoom, θ between -degrees and degrees, t between -shift and
    shift along either axis.
    """
    if min(degrees, zoom, shift) < 0:
        raise ArgumentError(
            f"degrees, zoom and shift are {degrees}, {zoom} and {shift}; wanted numbers of at least 0"
        )
    theta = np.radians(rng.uniform(-degrees, degrees, n))
    factor = (1 + zoom) ** rng.uniform(-1, 1, n)
    moved = rng.uniform(-shift, shift, (2, n, 1, 1))
    cos, sin = (part[:, None, None] for part in (np.cos(theta) / factor, np.sin(theta) / factor))
    down, right = (
        np.arange(seen[0])[:, None] - (seen[0] - 1) / 2,
        np.arange(seen[1]) - (seen[1] - 1) / 2,
    )
    rows = cos * down - sin * right - moved[0] + (size[0] - 1) / 2
    columns = sin * down + cos * right - moved[1] + (size[1] - 1) / 2
    return rows, columns
