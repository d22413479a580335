"""Pictures changed at random without changing what they show, and normalised: (N, H, W, ...), a
whole batch at once."""

import numpy as np

from minidl.errors import ArgumentError, brief, one_of
from minidl.shapes import is_int

FILLS = {"zeros": "constant", "edge": "edge", "reflect": "reflect"}  # as np.pad names them


def flip(rng, pictures):
    """Each picture mirrored, left for right, with probability 1/2."""
    mirrored = rng.random(len(pictures)) < 0.5
    flipped = pictures.copy()
    flipped[mirrored] = pictures[mirrored, :, ::-1]
    return flipped


def shift(rng, pictures, most, fill="zeros"):
    """Each picture moved by up to `most` pixels along both axes, every shift as likely: padded,
    then cropped at random.

    fill: what moves in from outside: "zeros", "edge" (the border again and again) or "reflect" (the
    inside, mirrored).
    """
    if not (is_int(most) and most >= 0):
        raise ArgumentError(
            f"the largest shift is {brief(most)} pixels; wanted a whole number of at least 0"
        )
    count, *extent = pictures.shape[:3]
    padding = [(0, 0), (most, most), (most, most), *[(0, 0)] * (pictures.ndim - 3)]
    padded = np.pad(pictures, padding, FILLS[one_of("fill", fill, FILLS)])
    # (N, down, right, ..., H, W)
    crops = np.lib.stride_tricks.sliding_window_view(padded, extent, axis=(1, 2))
    down, right = rng.integers(0, 2 * most + 1, (2, count))
    return np.moveaxis(crops, (-2, -1), (3, 4))[np.arange(count), down, right]


def relight(rng, pictures, contrast=0.0, brightness=0.0):
    """(N, H, W, C) -> the same, float32: the differences of each picture's pixels from their mean
    times 1 ± contrast, and then all of them ± brightness, every amount between as likely."""
    n = len(pictures)
    factor = 1 + rng.uniform(-contrast, contrast, (n, 1, 1, 1)).astype(np.float32)
    more = rng.uniform(-brightness, brightness, (n, 1, 1, 1)).astype(np.float32)
    pictures = pictures.astype(np.float32)
    mean = pictures.mean(axis=(1, 2, 3), keepdims=True)
    return mean + (pictures - mean) * factor + more


def normalize(pictures, mean, std):
    """(pictures - mean) / std in float32, or in float64 where the pictures are; mean and std, one
    number or one a channel, are in the unit of the pixels, 0..255.

    >>> normalize(np.array([[[[0, 255, 60]]]], np.uint8), mean=[0, 127.5, 50], std=[1, 127.5, 5])
    array([[[[0., 1., 2.]]]], dtype=float32)
    """
    return (pictures - np.asarray(mean, np.float32)) / np.asarray(std, np.float32)
