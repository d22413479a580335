"""Exercises of the chapter about VGG19's verdict."""

import numpy as np

from minidl.book.exercises.exercise import Exercise
from minidl.proofs import Shape
from minidl.visualize.saliency.occlusion import occlusion


def occlusion_map(D, window, stride):
    """As `minidl.visualize` computes it, for a scalar that falls by D."""
    height, width = ((n - 1) * stride + window for n in D.shape)

    def scalar(pictures):
        covered = pictures.data[..., 0] > 0
        first = [tuple(np.argwhere(one)[0] // stride) if one.any() else None for one in covered]
        return Values([0.0 if place is None else -D[place] for place in first])

    picture = np.zeros((height, width, 1))
    return occlusion(scalar, picture, picture + 1, window, stride)


class Values:
    """What a scalar returns: its numbers, as `data`."""

    def __init__(self, numbers):
        self.data = np.array(numbers)


def spread(D, window, stride, reduced=np.mean, side=lambda window: window, outside=0.0):
    """Return a map of what `reduced` makes of the numbers of all squares that contain a pixel."""
    height, width = ((n - 1) * stride + window for n in D.shape)
    found: list[list[list[float]]] = [[[] for _ in range(width)] for _ in range(height)]
    for (r, c), number in np.ndenumerate(D):
        for y in range(r * stride, min(r * stride + side(window), height)):
            for x in range(c * stride, min(c * stride + side(window), width)):
                found[y][x].append(number)
    return np.array([[reduced(one) if one else outside for one in row] for row in found])


def at(offset):
    """Return the map with each number at one pixel of its square, offset(window)."""

    def wrong(D, window, stride):
        found = np.zeros([(n - 1) * stride + window for n in D.shape])
        for (r, c), number in np.ndenumerate(D):
            found[r * stride + offset(window), c * stride + offset(window)] += number
        return found

    return wrong


def every_pixel(D, window, stride):
    """The map of squares that are placed at adjacent pixels"""
    height, width = ((n - 1) * stride + window for n in D.shape)
    found = np.zeros((height, width))
    part = spread(D, window, 1)[:height, :width]
    found[: part.shape[0], : part.shape[1]] = part
    return found


EXERCISES = [
    Exercise(
        name="occlusion-map",
        chapter="verdict",
        title="Occlusion: a map from covered squares",
        task="""\
(R, C) -> (H, W)

A picture is covered with a grey square of side `window`, at R x C places: square (r, c) begins at
row r stride and at column c stride, and the stride is at most the side of a square. D (R, C) states
by how much the score of a class falls when each square is covered. The map M (H, W) has a number
for each pixel, where

    H = (R - 1) stride + window,      W = (C - 1) stride + window

A pixel lies in one or more squares. Its number is the mean over the squares S that contain it:

    M[y, x] = mean D[r, c]  over  0 ≤ y - r stride < window,  0 ≤ x - c stride < window

Return M.""",
        hint="""\
Add each number to a slice of a map of sums, and 1 to the same slice of a map of counts. The map is
their quotient.""",
        right=occlusion_map,
        returns=("M",),
        example={"D": np.array([[8.0, 2.0]]), "window": 2, "stride": 1},
        cases={
            "one square": {"D": Shape((1, 1)), "window": 3, "stride": 2},
            "squares that do not overlap": {"D": Shape((2, 3)), "window": 2, "stride": 2},
            "squares that overlap": {"D": Shape((3, 2)), "window": 3, "stride": 2},
            "many squares": {"D": Shape((4, 3)), "window": 5, "stride": 2},
        },
        wrong={
            "The numbers of the squares are added. Take their mean.":
                lambda D, window, stride: spread(D, window, stride, sum),
            "The largest number counts alone. Take the mean over all squares of a pixel.":
                lambda D, window, stride: spread(D, window, stride, max),
            "The last square counts alone. Take the mean over all squares of a pixel.":
                lambda D, window, stride: spread(D, window, stride, lambda one: one[-1]),
            "The first square counts alone. Take the mean over all squares of a pixel.":
                lambda D, window, stride: spread(D, window, stride, lambda one: one[0]),
            "The sum is divided by the number of all squares, not of those that contain the pixel.":
                lambda D, window, stride: spread(D, window, stride, sum) / D.size,
            "Each number stands at the first pixel of its square. It belongs to all of them.":
                at(lambda window: 0),
            "Each number stands at the centre of its square. It belongs to all of its pixels.":
                at(lambda window: window // 2),
            "The stride is ignored: square (r, c) begins at row r and column c.":
                every_pixel,
            "The squares lack their last row and column.":
                lambda D, window, stride: spread(D, window, stride, side=lambda n: n - 1),
            "The sign is wrong: where the score falls, the map is positive.":
                lambda D, window, stride: -spread(D, window, stride),
            "The sizes of the numbers are taken. A score that rises counts as a negative number.":
                lambda D, window, stride: spread(abs(D), window, stride),
        },
    ),
]  # fmt: skip
