"""Numbers along one, two or three axes as coloured pictures."""

import numpy as np
from PIL import Image

from minidl.data.images import to_pillow

# From 0 to the largest, ever lighter, so that they read without colours too: violet, red, cream;
# and for negative numbers blue
POSITIVE = np.array(
    [
        (6, 4, 18),
        (46, 17, 88),
        (108, 28, 122),
        (176, 48, 106),
        (230, 86, 78),
        (252, 155, 92),
        (252, 244, 198),
    ]
)
NEGATIVE = np.array(
    [
        (6, 4, 18),
        (8, 30, 64),
        (10, 66, 106),
        (14, 106, 140),
        (40, 150, 170),
        (112, 200, 200),
        (222, 250, 240),
    ]
)
CURVE = 64  # pixels: the height of a curve


def heat(values, top):
    """Numbers (..) -> colours (.., 3), 0..255: black for 0, cream for `top` and above, pale blue
    for -top and below"""
    share = np.clip(abs(values) / top, 0, 1) if top > 0 else np.zeros(np.shape(values))
    return np.where(values[..., None] < 0, _between(share, NEGATIVE), _between(share, POSITIVE))


def _between(share, palette):
    steps = np.linspace(0, 1, len(palette))
    return np.stack([np.interp(share, steps, channel) for channel in palette.T], axis=-1)


def as_picture(values, top, longest=None):
    """(h, w, 3), 0..255: a map (h, w) as it is; of a volume (d, h, w) the middle slice; a signal
    (l,) as a curve, up from a line for what is positive, down for what is negative. top: the number
    that is lightest, or highest; longest: as `sized` has it, or None for a pixel a number."""
    if values.ndim == 1:
        return _curve(values, top, longest or len(values))
    while values.ndim > 2:
        values = values[values.shape[0] // 2]
    picture = heat(values, top)
    return picture if longest is None else sized(picture, longest)


def sized(picture, longest):
    """(H, W, 3), clipped to 0..255, with the longer side made so many pixels: a larger picture is
    averaged, of a smaller one the pixels become squares"""
    h, w = picture.shape[:2]
    return _resized(
        picture, max(1, round(h * longest / max(h, w))), max(1, round(w * longest / max(h, w)))
    )


def _curve(values, top, width):
    """Where more samples than pixels are, a pixel's column reaches from the smallest of its samples
    to the largest"""
    first = np.arange(width) * len(values) // width
    low, high = (
        np.minimum(np.minimum.reduceat(values, first), 0),
        np.maximum(np.maximum.reduceat(values, first), 0),
    )
    heights = top * np.linspace(1, -1 if low.any() else 0, CURVE)[:, None]
    up, down = (heights > 0) & (heights <= high), (heights < 0) & (heights >= low)
    return heat(np.where(up, high, np.where(down, low, 0.0)), top)


def _resized(picture, height, width):
    enlarges = height >= picture.shape[0] and width >= picture.shape[1]
    how = Image.Resampling.NEAREST if enlarges else Image.Resampling.BOX
    image = to_pillow(picture)
    return np.asarray(image.resize((width, height), how), np.float32)
