"""Saliency maps as pictures: in grey, and laid over the picture."""

from typing import NamedTuple

import numpy as np
from PIL import Image

from minidl.typing import Array
from minidl.visualize.drawing import short

PERCENTILE = 99  # of |values|: this value has the full colour, larger ones are clipped
# RGB: orange and blue, which all people tell apart who see colours at all, or confuse red and green
Colour = tuple[float, ...]
FOR, AGAINST = (255, 96, 0), (0, 144, 255)
MIDDLE = 100.0  # the lightness of a darkened picture at which these colours are unchanged


class Shades(NamedTuple):
    """A map as pictures of the size of the picture that it is about.

    grey: (H, W) or (H, W, 3), 0..255, the map alone
    laid_over: (H, W, 3), 0..255, the map in colours over the picture
    scale: the numbers that black and white stand for, as a text
    colours: RGB, of the map that is laid over, from the least number of the scale to the largest
    """

    grey: np.ndarray
    laid_over: np.ndarray
    scale: str
    colours: list[Colour]

    @property
    def ends(self) -> tuple[str, str]:
        """The least and the largest number of the scale, as texts."""
        least, _, largest = self.scale.removeprefix("from ").partition(" to ")
        return (least, largest) if largest else ("0", "0")


def shades(values: np.ndarray, picture: np.ndarray) -> Shades:
    """Return the Shades of a map (h, w) of a picture (H, W, 3), 0..255.

    Let s be the 99th percentile of |values|. In grey, a map without negative numbers goes from 0
    (black) to s (white), and a map with negative numbers from -s (black) over 0 (grey) to s
    (white). Each position of a coarse map becomes a rectangle. In the other picture, positive
    numbers are orange and negative ones are blue. The saturation is |value| / s, interpolated
    between positions. The lightness is that of the picture, so that it can be seen everywhere.
    """
    share, top = shares(values)
    size = picture.shape[:2]
    grey = enlarged(in_grey(share), size, Image.Resampling.NEAREST)
    over = laid_over(enlarged(share, size, Image.Resampling.BILINEAR), picture)
    return Shades(grey, over, scale(values, top), colours_of(share, (MIDDLE,) * 3))


def shares(values: np.ndarray) -> tuple[np.ndarray, float]:
    """Return values / s, clipped to -1 to 1, and s: the 99th percentile of |values| or, if that is
    0, the largest |value|."""
    top = float(np.percentile(abs(values), PERCENTILE)) or float(abs(values).max())
    return np.clip(values / (top or 1.0), -1, 1), top


def in_grey(share: np.ndarray) -> np.ndarray:
    """Return shares as numbers 0..255: see `shades`."""
    return 127.5 * (1 + share) if (share < 0).any() else 255 * share


def scale(values: np.ndarray, top: float) -> str:
    """Return the scale of Shades. top: s of `shares`"""
    low = -top if (values < 0).any() else 0.0
    return f"from {short(low)} to {short(top)}" if top else "all 0"


def colours_of(share: np.ndarray, zero: Colour, full: float = 1.0) -> list[Colour]:
    """Return the colours of Shades. zero: that of 0; full: the opacity of the others"""
    ends = [AGAINST, FOR] if (share < 0).any() else [FOR]
    mixed = [
        tuple(round(z + full * (c - z)) for c, z in zip(end, zero, strict=True)) for end in ends
    ]
    return [*mixed[:-1], zero, mixed[-1]]


def laid_over(share: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """Return shares (H, W) in colours over a darkened grey copy of a picture (H, W, 3)."""
    dark = 0.6 * picture.mean(axis=-1, keepdims=True) + 40
    return tinted(share, dark)


def tinted(share: np.ndarray, grey: np.ndarray) -> np.ndarray:
    """Return greys (.., 1), 0..255, in the colours of shares (..). Where the share is 1, MIDDLE is
    the full colour, 0 is black and 255 is white."""
    colour = np.where(share[..., None] > 0, FOR, AGAINST)
    darker, lighter = np.minimum(grey / MIDDLE, 1), np.maximum(grey - MIDDLE, 0) / (255 - MIDDLE)
    full = colour * darker + (255 - colour) * lighter
    return grey + abs(share[..., None]) * (full - grey)


def scale_bar(colours: list[Colour], height: int, width: int) -> np.ndarray:
    """Return the colours of Shades as a picture (height, width, 3), from left to right."""
    places = np.linspace(0, len(colours) - 1, width)
    channels = zip(*colours, strict=True)
    row = [np.interp(places, np.arange(len(colours)), channel) for channel in channels]
    return np.broadcast_to(np.stack(row, axis=-1), (height, width, 3)).astype(np.float32)


def enlarged(values: Array, size: tuple[int, ...], resampling: Image.Resampling) -> np.ndarray:
    """Return values (h, w) resized to (H, W)."""
    return np.asarray(Image.fromarray(values.astype(np.float32)).resize([*size[::-1]], resampling))
