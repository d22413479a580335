"""Scale a picture, and cut squares out of it at any place and angle.

The position (x, y) is the pixel in column x and row y. Colours at positions between pixels are
interpolated bilinearly.
"""

from functools import reduce
from operator import add
from typing import NamedTuple

import numpy as np

from minidl import ops
from minidl.typing import Array


class Square(NamedTuple):
    """A square in a picture."""

    x: float  # its centre, in pixels
    y: float
    side: float  # in pixels
    angle: float = 0.0  # of the rotation, in radians; positive angles turn it clockwise

    def place(self, points: Array) -> Array:
        """Return the positions (..., 2) in the picture of points (..., 2) of the square.

        A point is measured in sides from the upper left corner of the square:

            p = centre + side · R (point - ½),      R = [[cos, -sin], [sin, cos]] of the angle

        >>> Square(10, 10, 4).place(np.array([0.0, 1.0]))
        array([ 8., 12.])
        """
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        rotated = (np.asarray(points) - 0.5) @ np.array([[cos, sin], [-sin, cos]])
        return np.array([self.x, self.y]) + self.side * rotated

    def cut(self, picture: Array, pixels: int) -> Array:
        """Return the square of a picture (H, W, 3), scaled to (pixels, pixels, 3).

        The pixel in row i and column j is at the point (j, i) / pixels of the square. Outside the
        picture it is black. Where the square is reduced by a factor of 2 or more, it is cut out of
        the means of blocks of pixels.
        """
        steps = np.arange(pixels) / pixels
        x, y = np.moveaxis(self.place(np.stack(np.meshgrid(steps, steps), axis=-1)), -1, 0)
        part, left, upper = part_around(picture, x, y, margin=int(self.side / pixels))
        factor = max(1, int(self.side / pixels))
        if factor > 1:
            # The last blocks include black pixels outside the picture.
            part = shrunk(filled_up(part, factor), factor)
        centre = (factor - 1) / 2  # of the first block
        return _interpolated(part, (x - left - centre) / factor, (y - upper - centre) / factor)


def filled_up(picture: Array, multiple: int) -> Array:
    """Return a picture (H, W, 3) with black rows below and black columns at the right, so that both
    lengths are multiples of a number."""
    missing = [(0, -length % multiple) for length in picture.shape[:2]]
    return np.pad(picture, [*missing, (0, 0)])


def shrunk(picture: Array, factor: int) -> Array:
    """Return (⌊H / factor⌋, ⌊W / factor⌋, 3): the means of blocks of factor x factor pixels.

    Rows and columns that do not fill a block are dropped.

    >>> shrunk(np.arange(24.0).reshape(2, 4, 3), 2)[..., 0]
    array([[ 7.5, 13.5]])
    """
    height, width = (length // factor for length in picture.shape[:2])
    part = picture[: height * factor, : width * factor]
    rows = reduce(add, (part[first::factor] for first in range(factor)))
    return reduce(add, (rows[:, first::factor] for first in range(factor))) / factor**2


def resized(picture: Array, height: int, width: int) -> Array:
    """Return a picture (H, W, 3) scaled to (height, width, 3).

    The pixel in row i is at the position i·H / height, and likewise for columns. Positions beyond
    the last pixel have its colour.

    >>> resized(np.array([0.0, 3.0]).reshape(1, 2, 1), 1, 3).ravel()
    array([0., 2., 3.])
    """
    # One axis after the other takes a ninth of the time of `ops.resample`, which would compute the
    # same formula with other rounding errors.
    return _stretched(_stretched(picture, height, axis=0), width, axis=1)


def _stretched(picture, length, axis):
    positions = np.arange(length) * (picture.shape[axis] / length)
    before = positions.astype(int)
    after = np.minimum(before + 1, picture.shape[axis] - 1)
    fraction = (positions - before).astype(picture.dtype)
    fraction = fraction.reshape([-1 if i == axis else 1 for i in range(picture.ndim)])
    low, high = picture.take(before, axis), picture.take(after, axis)
    high -= low
    high *= fraction
    return high + low


def part_around(picture: Array, x: Array, y: Array, margin: int) -> tuple[Array, int, int]:
    """Return (part, column, row). The part (h, w, 3) of the picture (H, W, 3) contains all
    positions x, y (n, m) inside it, and a margin. column, row: those of its upper left corner."""
    (left, right), (upper, lower) = (
        (max(0, int(positions.min()) - margin), min(length, int(positions.max()) + 2 + margin))
        for positions, length in ((x, picture.shape[1]), (y, picture.shape[0]))
    )
    return picture[upper : max(upper, lower), left : max(left, right)], left, upper


def _interpolated(picture, x, y):
    """Return the colours at the positions x, y (n, n). Outside the picture they are black."""
    # `resample` repeats the pixels at the border, which are made black here.
    bordered = np.pad(picture, [(1, 1), (1, 1), (0, 0)])
    [colours] = ops.resample(bordered[None], y[None] + 1, x[None] + 1)
    return colours
