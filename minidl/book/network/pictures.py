"""The pictures of the page without JavaScript: all units of a layer side by side, as PNG."""

import base64
import io

import numpy as np
from PIL import Image

from minidl.typing import Array

POSITIVE, NEGATIVE, ZERO = (
    np.array(rgb, float) for rgb in ((27, 94, 158), (174, 74, 18), (252, 251, 248))
)
GAP = 2  # pixels between units
LEAST = 16  # the height and width at which a unit is drawn, at least


LEVELS = 127  # of positive numbers, and as many of negative ones
PALETTE = np.array(
    [
        ZERO + abs(level / LEVELS) * ((NEGATIVE if level < 0 else POSITIVE) - ZERO)
        for level in range(-LEVELS, LEVELS + 1)
    ]
    + [[255, 255, 255]]  # between units
)


def signed_sheet(maps: Array) -> str:
    """Return maps (H, W, units) side by side as a PNG in a data URI: blue for positive numbers,
    orange for negative ones. The strength is the square root of the share of the largest."""
    most = abs(maps).max(initial=0) or 1.0
    levels = LEVELS + np.rint(LEVELS * np.sign(maps) * np.sqrt(abs(maps) / most))
    image = Image.fromarray(_side_by_side(levels, len(PALETTE) - 1).astype(np.uint8), "P")
    image.putpalette(np.rint(PALETTE).astype(np.uint8).tobytes())
    return _uri(image)


def colour_sheet(colours: Array) -> str:
    """Return colours (H, W, units, 3), 0 to 255, of units side by side as a PNG in a data URI."""
    return png(np.stack([_side_by_side(part, 255) for part in np.moveaxis(colours, -1, 0)], -1))


def png(colours: Array) -> str:
    """Return a picture (H, W, 3), 0 to 255, as a PNG in a data URI."""
    return _uri(Image.fromarray(np.clip(np.rint(colours), 0, 255).astype(np.uint8)))


def _side_by_side(maps, gap):
    """Return maps (H, W, units) beside each other (H', W'). gap: the number between them"""
    times = max(1, LEAST // max(maps.shape[:2]))
    large = maps.repeat(times, axis=0).repeat(times, axis=1)
    framed = np.pad(large, [(0, 0), (0, GAP), (0, 0)], constant_values=gap)
    return framed.swapaxes(1, 2).reshape(len(large), -1)[:, :-GAP]


def _uri(image):
    file = io.BytesIO()
    image.save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
