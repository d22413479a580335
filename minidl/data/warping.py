"""Pictures turned, zoomed and moved a little at random: (N, H, W, C), a whole batch at once."""

import numpy as np

from minidl.errors import ArgumentError


def warp(rng, pictures, degrees=0.0, zoom=0.0, shift=0.0):
    """(N, H, W, C) -> (N, H, W, C), float32: each picture turned by up to `degrees` to either side, made larger or smaller by a
    factor of up to 1 + zoom, and moved along both axes by up to `shift` pixels, every amount as likely.

    What moves in from outside is the border again. The pixel at p shows what was at c + A (p - c) - t,

        A = 1/z [[cos θ, -sin θ], [sin θ, cos θ]],      c: the middle,  z: factor,  θ: angle,  t: shift,

    which lies between four pixels and is their mean, weighted with their nearness.
    """
    if min(degrees, zoom, shift) < 0:
        raise ArgumentError(f"degrees, zoom and shift are {degrees}, {zoom} and {shift}; wanted numbers of at least 0")
    n, height, width, _ = pictures.shape
    theta = np.radians(rng.uniform(-degrees, degrees, n))
    factor = (1 + zoom) ** rng.uniform(-1, 1, n)
    moved = rng.uniform(-shift, shift, (2, n, 1, 1))
    cos, sin = (part[:, None, None] for part in (np.cos(theta) / factor, np.sin(theta) / factor))
    down, right = np.arange(height)[:, None] - (height - 1) / 2, np.arange(width) - (width - 1) / 2
    rows = np.clip(cos * down - sin * right - moved[0] + (height - 1) / 2, 0, height - 1)
    columns = np.clip(sin * down + cos * right - moved[1] + (width - 1) / 2, 0, width - 1)
    return _between(pictures.astype(np.float32), rows, columns)


def _between(pictures, rows, columns):
    """The pictures at rows and columns (N, H, W) that are no whole numbers"""
    n, height, width, channels = pictures.shape
    top, left = (np.minimum(np.floor(places).astype(int), size - 2) for places, size in ((rows, height), (columns, width)))
    below, beside = ((places - first).astype(np.float32)[..., None] for places, first in ((rows, top), (columns, left)))
    flat = pictures.reshape(-1, channels)
    first = (np.arange(n)[:, None, None] * height + top) * width + left
    upper = flat[first] * (1 - beside) + flat[first + 1] * beside
    lower = flat[first + width] * (1 - beside) + flat[first + width + 1] * beside
    return upper * (1 - below) + lower * below
