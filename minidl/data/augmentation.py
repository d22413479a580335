"""Augment and normalise batches of pictures (N, H, W, ...).

The random changes do not alter what a picture shows.
"""

from typing import Any

import numpy as np

from minidl.errors import ArgumentError, brief, one_of
from minidl.shapes import is_int
from minidl.typing import Array

# {fill: its name in np.pad}
FILLS: dict[str, Any] = {"zeros": "constant", "edge": "edge", "reflect": "reflect"}


def flip(rng: np.random.Generator, pictures: Array) -> Array:
    """(N, H, W, ...) -> (N, H, W, ...): mirror each of the pictures horizontally with probability
    1/2, as the random numbers of `rng` decide."""
    mirrored = rng.random(len(pictures)) < 0.5
    flipped = pictures.copy()
    flipped[mirrored] = pictures[mirrored, :, ::-1]
    return flipped


def shift(rng: np.random.Generator, pictures: Array, most: int, fill: str = "zeros") -> Array:
    """(N, H, W, ...) -> (N, H, W, ...): shift each picture by up to `most` pixels along both axes.

    The pictures are padded by `most` pixels and cropped at random places, so all shifts are equally
    likely.

    rng: decides the places. fill: the value of the padding: "zeros", "edge" (the nearest pixel of
    the border) or "reflect" (the picture, mirrored at its border).

    Raises ArgumentError if `most` is no int of at least 0 or `fill` is another value.
    """
    if not (is_int(most) and most >= 0):
        raise ArgumentError(
            f"the largest shift is {brief(most)} pixels; wanted a whole number of at least 0"
        )
    count, *size = pictures.shape[:3]
    padding = [(0, 0), (most, most), (most, most), *[(0, 0)] * (pictures.ndim - 3)]
    padded = np.pad(pictures, padding, FILLS[one_of("fill", fill, FILLS)])
    # (N, down, right, ..., H, W)
    crops = np.lib.stride_tricks.sliding_window_view(padded, size, axis=(1, 2))
    down, right = rng.integers(0, 2 * most + 1, (2, count))
    return np.moveaxis(crops, (-2, -1), (3, 4))[np.arange(count), down, right]


def relight(
    rng: np.random.Generator, pictures: Array, contrast: float = 0.0, brightness: float = 0.0
) -> Array:
    """(N, H, W, C) -> (N, H, W, C) float32: change the contrast and brightness of each picture.

    y = mean(x) + a (x - mean(x)) + b, with a uniform in 1 ± contrast and b uniform in ± brightness.
    The mean is over the pixels and channels of the picture.
    """
    n = len(pictures)
    factor = 1 + rng.uniform(-contrast, contrast, (n, 1, 1, 1)).astype(np.float32)
    offset = rng.uniform(-brightness, brightness, (n, 1, 1, 1)).astype(np.float32)
    pictures = pictures.astype(np.float32)
    mean = pictures.mean(axis=(1, 2, 3), keepdims=True)
    return mean + (pictures - mean) * factor + offset


def normalize(pictures: Array, mean: Any, std: Any) -> Array:
    """(N, H, W, C) -> (N, H, W, C): (pictures - mean) / std

    The result is float32, or float64 if the pictures are float64.

    mean, std: one number, or one per channel, in the unit of the pixels (0 to 255).

    >>> normalize(np.array([[[[0, 255, 60]]]], np.uint8), mean=[0, 127.5, 50], std=[1, 127.5, 5])
    array([[[[0., 1., 2.]]]], dtype=float32)
    """
    return (pictures - np.asarray(mean, np.float32)) / np.asarray(std, np.float32)
