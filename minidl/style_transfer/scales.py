"""Paint from coarse to fine: first a small picture, then the same picture in twice the size.

At a coarse scale the kernels of the network cover more of the picture, so that the strokes are
broad, and a step costs a quarter of one at the next scale. The finer scales add the details.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image
from PIL.Image import Resampling

from minidl.backend import array_module, to_numpy
from minidl.typing import Array

SMALLEST = 128  # pixels of the shorter side of the coarsest scale


def scale_sizes(shape: Sequence[int], scales: int) -> list[tuple[int, int]]:
    """Return the (height, width) of a painting at each scale, the coarsest first.

    shape: (H, W, ...) of the painting. scales: how many there are at most. Each is half as large as
    the next. Scales with a side below SMALLEST are left out, except the last.

    >>> scale_sizes((640, 800), 2), scale_sizes((640, 800), 9)
    ([(320, 400), (640, 800)], [(160, 200), (320, 400), (640, 800)])
    """
    halvings = [2**k for k in range(scales) if not k or min(shape[:2]) >= SMALLEST * 2**k]
    return [(round(shape[0] / f), round(shape[1] / f)) for f in reversed(halvings)]


def style_size(style: Sequence[int], factor: float) -> tuple[int, int]:
    """Return the (height, width) of a style at a scale. Its shorter side is not reduced below
    SMALLEST.

    style: (H, W, ...) of the style picture. factor: size of the scale over that of the painting.

    >>> style_size((300, 400), 0.5), style_size((160, 400), 0.5)
    ((150, 200), (128, 320))
    """
    height, width = style[:2]
    own = max(factor, min(1, SMALLEST / min(height, width)))
    return round(own * height), round(own * width)


def scale_steps(steps: int, count: int) -> list[int]:
    """Return the number of steps at each of `count` scales: `steps` at the finest, and twice as
    many as at the next at each coarser one.

    All coarser scales together then take about as long as the finest.

    >>> scale_steps(30, 3)
    [120, 60, 30]
    """
    return [steps * 2**k for k in reversed(range(count))]


def resampled(
    numbers: Array, size: tuple[int, int], resampling: Resampling = Resampling.BICUBIC
) -> Array:
    """(H, W, C) -> (*size, C) float32: resample any numbers, on any device."""
    height, width = size
    planes = np.moveaxis(to_numpy(numbers), -1, 0).astype(np.float32)
    resized = [
        np.asarray(Image.fromarray(plane).resize((width, height), resampling)) for plane in planes
    ]
    return array_module(numbers).asarray(np.stack(resized, axis=-1))


def carried(state: Mapping[str, Any], old: tuple[int, int], new: tuple[int, int]) -> dict[str, Any]:
    """Return the state of Adam for a picture of the size `new`, from that for the size `old`.

    If x' = U x is the enlarged picture, and both have about the same loss, then the gradients
    satisfy g = Uᵀ g'. U copies each number to r others, so that

        g' ≈ U g / r,      r = (H' W') / (H W)

    The mean m of gradients is therefore resampled and divided by r, and the mean v of their squares
    by r². The interpolation is linear, so that v does not become negative.
    """
    ratio = new[0] * new[1] / (old[0] * old[1])
    powers = {"m": 1, "v": 2}
    return {
        name: resampled(value, new, Resampling.BILINEAR) / ratio ** powers[name[0]]
        if name.startswith(("m/", "v/"))
        else value
        for name, value in state.items()
    }
