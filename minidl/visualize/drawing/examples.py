"""Examples of any number of axes as pictures, alone and with a map of what a network reads there.

A picture is drawn as it is, a signal as a curve, and a volume as slices side by side.
"""

import numpy as np
from PIL import Image, ImageDraw

from minidl.visualize.drawing.heat import as_picture
from minidl.visualize.drawing.shades import (
    AGAINST,
    FOR,
    MIDDLE,
    Shades,
    colours_of,
    enlarged,
    in_grey,
    laid_over,
    scale,
    scale_bar,
    shades,
    shares,
)

HEIGHT, WIDTH = 120, 400  # pixels of a curve
FINER = 3  # the curve is drawn so many times as large, and averaged
LINE = 1.5  # pixels: width of the curve
PAPER, INK, FULL = 244, 24, 0.8  # greys; opacity of the strongest colour on the paper
SLICES, COLUMNS = 8, 4  # of a volume
SIDE, GAP = 72, 3  # pixels: least side of a slice, and distance between two parts of a drawing
BAR = 8  # pixels: height of a bar of colours


def shown(example: np.ndarray) -> np.ndarray:
    """Return an example (*spatial, C) as a picture (H, W, 3), 0..255."""
    if example.ndim == 2:
        return _curve(example, np.zeros(len(example)))
    if example.ndim == 3:
        return example
    return _side_by_side([_coloured(part) for part in _slices(_as_greys(example))])


def caption(example: np.ndarray) -> str:
    """Return what `shown` draws."""
    if example.ndim < 4:
        return "the signal" if example.ndim == 2 else "the picture"
    numbers = ", ".join(map(str, slice_numbers(len(example))))
    return f"the volume: slices {numbers}"


def shaded(values: np.ndarray, example: np.ndarray) -> Shades:
    """Return the Shades of a map (*positions) of an example (*spatial, C).

    Over a curve, the map is the colour of the paper. The slices of a volume are scaled together.
    """
    if example.ndim == 3:
        return shades(values, example)
    share, top = shares(values)
    if example.ndim == 2:
        colours = colours_of(share, (PAPER,) * 3, FULL)
        alone, over = as_picture(values, top, WIDTH), _curve(example, share)
        return Shades(alone, over, scale(values, top), colours)
    size = example.shape[1:3]
    depth = np.arange(len(example)) * len(share) // len(example)  # of the map at each slice
    places = _slices(share[depth])
    grey = [
        enlarged(part, size, Image.Resampling.NEAREST) for part in _slices(in_grey(share)[depth])
    ]
    over = [
        laid_over(enlarged(part, size, Image.Resampling.BILINEAR), _coloured(picture))
        for part, picture in zip(places, _slices(_as_greys(example)), strict=True)
    ]
    return Shades(
        _side_by_side([_coloured(part[..., None]) for part in grey]),
        _side_by_side(over),
        scale(values, top),
        colours_of(share, (MIDDLE,) * 3),
    )


def with_bar(shading: Shades) -> np.ndarray:
    """Return a map laid over its example, and below it a bar of its colours."""
    over = shading.laid_over
    width = over.shape[1]
    gap = np.full((GAP, width, 3), 255.0, np.float32)
    return np.concatenate([over, gap, scale_bar(shading.colours, BAR, width)])


def slice_numbers(depth: int) -> list[int]:
    """Return the numbers of the slices that are drawn of so many.

    >>> slice_numbers(4), slice_numbers(16)
    ([0, 1, 2, 3], [1, 3, 5, 7, 9, 11, 13, 15])
    """
    count = min(depth, SLICES)
    return [(2 * n + 1) * depth // (2 * count) for n in range(count)]


def _slices(volume):
    return [volume[n] for n in slice_numbers(len(volume))]


def _as_greys(volume):
    """Return numbers scaled to 0..255, from the least to the largest."""
    low, high = volume.min(), volume.max()
    return (volume - low) * (255 / (high - low) if high > low else 0.0)


def _coloured(part):
    """(h, w, C) -> (h, w, 3), with the mean of the channels"""
    return np.repeat(part.mean(axis=-1, keepdims=True), 3, axis=-1)


def _side_by_side(parts):
    """Return pictures of one size in rows of COLUMNS. Each pixel of a small one becomes a
    square."""
    times = max(1, -(-SIDE // max(parts[0].shape[:2])))
    large = [part.repeat(times, axis=0).repeat(times, axis=1) for part in parts]
    height, width = (length + GAP for length in large[0].shape[:2])
    columns = min(COLUMNS, len(parts))
    rows = -(-len(parts) // columns)
    canvas = np.full((rows * height - GAP, columns * width - GAP, 3), 255.0, np.float32)
    for number, part in enumerate(large):
        y, x = number // columns * height, number % columns * width
        canvas[y : y + part.shape[0], x : x + part.shape[1]] = part
    return canvas


def _curve(signal, share):
    """Return a signal (L, C) as one curve for each channel, on paper in the colours of shares."""
    places, columns = ((np.arange(n) + 0.5) / n for n in (len(share), WIDTH))
    of_column = np.interp(columns, places, share)[:, None]
    colour = np.where(of_column > 0, FOR, AGAINST)
    paper = PAPER + FULL * abs(of_column) * (colour - PAPER)
    low, high = float(signal.min()), float(signal.max())
    size = WIDTH * FINER, HEIGHT * FINER
    ink = Image.new("L", size)
    pen = ImageDraw.Draw(ink)
    x = np.linspace(0, size[0] - 1, len(signal))
    for channel in signal.T:
        relative = (high - channel) / (high - low) if high > low else np.full(len(channel), 0.5)
        y = size[1] * (0.05 + 0.9 * relative)
        pen.line(
            list(zip(x.tolist(), y.tolist(), strict=True)), fill=255, width=round(LINE * FINER)
        )
    opacity = np.asarray(ink.resize((WIDTH, HEIGHT), Image.Resampling.BOX), np.float32) / 255
    return (paper + opacity[..., None] * (INK - paper)).astype(np.float32)
