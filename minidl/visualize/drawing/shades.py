"""Maps of numbers as pictures: in grey, and laid over the picture that they are about."""

from typing import NamedTuple

import numpy as np
from PIL import Image

from minidl.visualize.drawing.words import short

PERCENTILE = 99  # of the sizes in a map: a few sharp peaks shall not leave all the rest dark
FOR, AGAINST = (255, 96, 0), (0, 144, 255)  # RGB: orange, blue


class Shades(NamedTuple):
    """grey: (H, W), laid_over: (H, W, 3), 0..255, both as large as the picture; scale: in words."""

    grey: np.ndarray
    laid_over: np.ndarray
    scale: str


def shades(values, picture):
    """(h, w), (H, W, 3) 0..255 -> Shades, each map scaled by itself

    With s, below which 99 % of the sizes lie: a map without negative numbers goes from black, 0, to
    white, s; one with them from black, -s, over grey, 0, to white, s. A coarse map's positions show
    as blocks. Over the picture, which is made grey and dim, what is positive is laid in orange,
    what is negative in blue, the more densely the larger it is, and smoothly.
    """
    top = float(np.percentile(abs(values), PERCENTILE)) or float(abs(values).max())
    share = np.clip(values / top, -1, 1) if top else np.zeros_like(values)
    if (values < 0).any():
        grey, scale = 127.5 * (1 + share), f"from {short(-top)} to {short(top)}"
    else:
        grey, scale = 255 * share, f"from 0 to {short(top)}"
    grey = _enlarged(grey, picture.shape[:2], Image.Resampling.NEAREST)
    return Shades(grey, _laid_over(share, picture), scale if top else "all 0")


def _laid_over(share, picture):
    dim = 0.6 * picture.mean(axis=-1, keepdims=True) + 40
    share = _enlarged(share, picture.shape[:2], Image.Resampling.BILINEAR)[..., None]
    colour = np.where(share > 0, FOR, AGAINST)
    return dim + abs(share) * (colour - dim)


def _enlarged(values, size, resampling):
    """To (H, W)"""
    return np.asarray(Image.fromarray(values.astype(np.float32)).resize(size[::-1], resampling))
