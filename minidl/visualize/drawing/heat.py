"""Arrays of one, two or three axes as coloured pictures."""

import numpy as np
from PIL import Image

from minidl.data.images import to_pillow

# Colours from 0 to the largest number: violet, red, cream; and for negative numbers: blue. The
# lightness grows along both lists, so that they can be read without the colours.
POSITIVE = np.array([
    (6, 4, 18), (46, 17, 88), (108, 28, 122), (176, 48, 106), (230, 86, 78), (252, 155, 92),
    (252, 244, 198),
])  # fmt: skip
NEGATIVE = np.array([
    (6, 4, 18), (8, 30, 64), (10, 66, 106), (14, 106, 140), (40, 150, 170), (112, 200, 200),
    (222, 250, 240),
])  # fmt: skip
CURVE = 64  # pixels: height of a curve


def heat(values: np.ndarray, top: float) -> np.ndarray:
    """Return the colours (.., 3), 0..255, of values (..): black for 0, cream for `top` and above,
    pale blue for -`top` and below."""
    share = np.clip(abs(values) / top, 0, 1) if top > 0 else np.zeros(np.shape(values))
    return np.where(values[..., None] < 0, _between(share, NEGATIVE), _between(share, POSITIVE))


def _between(share, palette):
    steps = np.linspace(0, 1, len(palette))
    return np.stack([np.interp(share, steps, channel) for channel in palette.T], axis=-1)


def as_picture(values: np.ndarray, top: float, longest: int | None = None) -> np.ndarray:
    """Return an array as a picture (H, W, 3), 0..255.

    values: a map (h, w); a volume (d, h, w), drawn as its middle slice; or a signal (l,), drawn as
        a curve, upwards for positive and downwards for negative numbers
    top: the absolute value that is drawn lightest, or highest
    longest: pixels of the longer side, as for `sized`; by default one pixel for each number
    """
    if values.ndim == 1:
        return _curve(values, top, longest or len(values))
    while values.ndim > 2:
        values = values[values.shape[0] // 2]
    picture = heat(values, top)
    return picture if longest is None else sized(picture, longest)


def sized(picture: np.ndarray, longest: int) -> np.ndarray:
    """Return a picture (H, W, 3), clipped to 0..255, whose longer side has `longest` pixels. A
    larger picture is averaged; each pixel of a smaller one becomes a rectangle."""
    h, w = picture.shape[:2]
    height, width = (max(1, round(length * longest / max(h, w))) for length in (h, w))
    enlarges = height >= h and width >= w
    filtered = Image.Resampling.NEAREST if enlarges else Image.Resampling.BOX
    return np.asarray(to_pillow(picture).resize((width, height), filtered), np.float32)


def _curve(values, top, width):
    """Return a curve of `width` columns. A column that stands for several numbers is filled from
    the smallest to the largest of them."""
    first = np.arange(width) * len(values) // width
    low = np.minimum(np.minimum.reduceat(values, first), 0)
    high = np.maximum(np.maximum.reduceat(values, first), 0)
    heights = top * np.linspace(1, -1 if low.any() else 0, CURVE)[:, None]
    is_up, is_down = (heights > 0) & (heights <= high), (heights < 0) & (heights >= low)
    return heat(np.where(is_up, high, np.where(is_down, low, 0.0)), top)
