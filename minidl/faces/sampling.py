"""Pictures between their pixels: other sizes, and squares cut out at any place and angle.

A position (x, y) is that of the pixel in column x and row y; between pixels the four around it are
mixed by nearness. What lies outside of the picture is black.
"""

from typing import NamedTuple

import numpy as np

from minidl import ops


class Square(NamedTuple):
    """A square of a picture: middle and side in pixels, and by which angle, in radians, its upper
    edge falls to the right."""

    x: float
    y: float
    side: float
    angle: float = 0.0

    def place(self, points):
        """(..., 2) in parts of the side from the square's own left upper corner -> (..., 2) in the
        picture

            p = middle + side · R (point - ½),      R = [[cos, -sin], [sin, cos]] of the angle

        >>> Square(10, 10, 4).place(np.array([0.0, 1.0]))
        array([ 8., 12.])
        """
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        turned = (np.asarray(points) - 0.5) @ np.array([[cos, sin], [-sin, cos]])
        return np.array([self.x, self.y]) + self.side * turned

    def cut(self, picture, pixels):
        """(H, W, 3) -> (pixels, pixels, 3): the pixel in row i and column j is at the point (j, i)
        / pixels"""
        steps = np.arange(pixels) / pixels
        x, y = np.moveaxis(self.place(np.stack(np.meshgrid(steps, steps), axis=-1)), -1, 0)
        picture, left, upper, times = _seen(picture, x, y, factor=int(self.side / pixels))
        middle = (times - 1) / 2  # of a block, whose mean lies there
        return _at(picture, (x - left - middle) / times, (y - upper - middle) / times)


def shrunk(picture, times):
    """(H, W, 3) -> (⌊H / times⌋, ⌊W / times⌋, 3): the means of blocks of times x times pixels; what
    is left over is dropped

    >>> shrunk(np.arange(24.0).reshape(2, 4, 3), 2)[..., 0]
    array([[ 7.5, 13.5]])
    """
    height, width = (length // times for length in picture.shape[:2])
    part = picture[: height * times, : width * times]
    rows = sum(part[first::times] for first in range(times))
    return sum(rows[:, first::times] for first in range(times)) / times**2


def resized(picture, height, width):
    """(H, W, 3) -> (height, width, 3): the pixel in row i is at i·H / height, and so the columns;
    behind the last pixel there is the last one again

    >>> resized(np.array([0.0, 3.0]).reshape(1, 2, 1), 1, 3).ravel()
    array([0., 2., 3.])
    """
    picture = _stretched(picture, height, axis=0)
    return _stretched(picture, width, axis=1)


def _stretched(picture, length, axis):
    places = np.arange(length) * (picture.shape[axis] / length)
    low = places.astype(int)
    high = np.minimum(low + 1, picture.shape[axis] - 1)
    share = (
        (places - low)
        .astype(picture.dtype)
        .reshape([-1 if i == axis else 1 for i in range(picture.ndim)])
    )
    low, high = picture.take(low, axis), picture.take(high, axis)
    high -= low
    high *= share
    return high + low


def _seen(picture, x, y, factor):
    """The part of the picture around these positions, so many times smaller where that is more than
    once, with its corner and how much smaller it is."""
    (left, right), (upper, lower) = (
        (max(0, int(places.min()) - factor), min(length, int(places.max()) + 2 + factor))
        for places, length in ((x, picture.shape[1]), (y, picture.shape[0]))
    )
    part = picture[upper : max(upper, lower), left : max(left, right)]
    if factor <= 1:
        return part, left, upper, 1
    # blocks, the last ones with some of the black outside
    whole = [(0, -length % factor) for length in part.shape[:2]]
    return shrunk(np.pad(part, [*whole, (0, 0)]), factor), left, upper, factor


def _at(picture, x, y):
    """The colours of a picture at the positions x, y (n, n); black outside the picture"""
    bordered = np.pad(picture, [(1, 1), (1, 1), (0, 0)])  # `resample` extends the border outwards
    [colours] = ops.resample(bordered[None], y[None] + 1, x[None] + 1)
    return colours
