"""Patches in their place of the receptive field. What lies outside the picture is hatched."""

from collections.abc import Iterable, Sequence
from math import floor
from typing import NamedTuple

import numpy as np
from PIL import Image

from minidl.data.images import to_pillow
from minidl.grids import LINE, PAPER
from minidl.typing import Shape
from minidl.visualize.drawing.shades import Colour
from minidl.visualize.receptive_fields import Field, Slices

PERIOD, WIDTH = 6, 2  # pixels: distance of the hatching's lines, and their width
GREYS = (172.0,) * 3, (196.0,) * 3  # a hatching for light and dark pages
HATCHED = "hatched: outside the picture"


class Frame(NamedTuple):
    """The part of a receptive field that is drawn, of the same size for all positions of a layer.

    begin: its first pixel along each axis, in the picture; negative if it lies outside
    size: its number of pixels along each axis
    """

    begin: Shape
    size: Shape

    def cuts(self, place: Slices) -> bool:
        """Return whether the frame is larger than a part of the picture."""
        return self.size != tuple(part.stop - part.start for part in place)


def frames(field: Field, positions: Iterable[Sequence[int]]) -> list[Frame]:
    """Return a Frame around the centre of the receptive field of each position.

    All are as large as the receptive field, or smaller if none of these fields has pixels of the
    picture further from its centre. Of a layer without positions, the frame is the picture.
    """
    positions = list(positions)
    if not field.out:
        return [Frame((0,) * len(field.extent), field.extent)] * len(positions)
    begins, sizes = [], []
    for axis, n in enumerate(field.size):
        first = [floor(field.offset[axis] + o[axis] * field.stride[axis]) for o in positions]
        seen = [field.seen(o)[axis] for o in positions]
        # twice the distance from the centre to the further end of what is in the picture
        reach = max(
            (
                max(2 * b + n - 2 * part.start, 2 * part.stop - 2 * b - n)
                for b, part in zip(first, seen, strict=True)
            ),
            default=n,
        )
        left_out = max(0, n - reach) // 2  # at each end
        begins.append([b + left_out for b in first])
        sizes.append(n - 2 * left_out)
    return [Frame(begin, tuple(sizes)) for begin in zip(*begins, strict=True)]


def in_frame(
    part: np.ndarray,
    place: Slices,
    frame: Frame,
    side: int,
    hatching: tuple[Colour, Colour] = (LINE, PAPER),
) -> np.ndarray:
    """Return a part (h, w, 3) of a picture, 0..255, in its place of a frame whose longer side has
    `side` pixels.

    place: the slices of the part in the picture
    hatching: the colours of what lies outside, those of the lines and of the paper
    """
    scale = side / max(frame.size)
    height, width = (max(1, round(length * scale)) for length in frame.size)
    y, x = np.indices((height, width))
    canvas = np.where(((x + y) % PERIOD < WIDTH)[..., None], *hatching).astype(np.float32)
    ends = [
        (round((part.start - begin) * scale), round((part.stop - begin) * scale))
        for part, begin in zip(place, frame.begin, strict=True)
    ]
    (top, bottom), (left, right) = ((a, max(b, a + 1)) for a, b in ends)
    enlarges = scale >= 1
    resampling = Image.Resampling.NEAREST if enlarges else Image.Resampling.BOX
    image = to_pillow(part).convert("RGB").resize((right - left, bottom - top), resampling)
    canvas[top:bottom, left:right] = np.asarray(image)[: height - top, : width - left]
    return canvas
