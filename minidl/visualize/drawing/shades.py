"""Saliency maps as pictures: in grey, and laid over the picture."""

from typing import NamedTuple

import numpy as np
from PIL import Image

from minidl.visualize.drawing import short

PERCENTILE = 99  # of |values|: this value has the full colour, larger ones are clipped
FOR, AGAINST = (255, 96, 0), (0, 144, 255)  # RGB: orange, blue


class Shades(NamedTuple):
    """A map as pictures of the size of the picture that it is about.

    grey: (H, W), 0..255
    laid_over: (H, W, 3), 0..255
    scale: the numbers that black and white stand for, as a text
    """

    grey: np.ndarray
    laid_over: np.ndarray
    scale: str


def shades(values: np.ndarray, picture: np.ndarray) -> Shades:
    """Return the Shades of a map (h, w) of a picture (H, W, 3), 0..255.

    Let s be the 99th percentile of |values|. In grey, a map without negative numbers goes from 0
    (black) to s (white), and a map with negative numbers from -s (black) over 0 (grey) to s
    (white). Each position of a coarse map becomes a rectangle. In the other picture, positive
    numbers are orange and negative ones are blue, on a darkened grey copy of the picture. The
    opacity is |value| / s, interpolated between positions.
    """
    share, top = shares(values)
    if (values < 0).any():
        grey, scale = 127.5 * (1 + share), f"from {short(-top)} to {short(top)}"
    else:
        grey, scale = 255 * share, f"from 0 to {short(top)}"
    grey = _enlarged(grey, picture.shape[:2], Image.Resampling.NEAREST)
    return Shades(grey, _laid_over(share, picture), scale if top else "all 0")


def shares(values: np.ndarray) -> tuple[np.ndarray, float]:
    """Return values / s, clipped to -1 to 1, and s: the 99th percentile of |values| or, if that is
    0, the largest |value|."""
    top = float(np.percentile(abs(values), PERCENTILE)) or float(abs(values).max())
    return np.clip(values / (top or 1.0), -1, 1), top


def _laid_over(share, picture):
    dark = 0.6 * picture.mean(axis=-1, keepdims=True) + 40
    share = _enlarged(share, picture.shape[:2], Image.Resampling.BILINEAR)[..., None]
    colour = np.where(share > 0, FOR, AGAINST)
    return dark + abs(share) * (colour - dark)


def _enlarged(values, size, resampling):
    """Return values (h, w) resized to (H, W)."""
    return np.asarray(Image.fromarray(values.astype(np.float32)).resize(size[::-1], resampling))
