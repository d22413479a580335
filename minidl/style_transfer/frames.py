"""Sequences of frames: read them, and begin each painting with the one before."""

import pathlib
from collections.abc import Iterator
from fractions import Fraction
from math import gcd

import numpy as np

from minidl import ops
from minidl.backend import array_module
from minidl.data.animation import Animation
from minidl.data.folders import picture_files
from minidl.data.images import ENDINGS, fit, image_size, read_image
from minidl.errors import ArgumentError, FileError, ShapeError
from minidl.files import must_be_folder
from minidl.typing import Array, Path

ANIMATIONS = (".gif", ".webp")
FPS = Fraction(24)  # frames per second of a folder of frames
RADIUS = 1 / 64  # of the window in which changes are averaged, as a part of the longer side


class Frames:
    """The frames of a folder of pictures, or of an animated GIF or WebP.

    source: the path of the folder or file. longest: pixels of the longer side, to which larger
    frames are reduced.

    An iteration reads one frame after the other: (H, W, 3), RGB, uint8. `len` gives their
    number. The files of a folder are in the natural order of their names: 2.png is before 10.png.
    Hidden files and files with the endings of other formats are left out. Transparent pixels are
    composited on white.

    Raise FileError if the source is of another kind, has no frames, or is damaged, and ShapeError
    if the frames of a folder have several sizes.
    """

    def __init__(self, source: Path, longest: int | None = None) -> None:
        self.path, self.longest = pathlib.Path(source), longest
        self._files: list[pathlib.Path] = []  # of a folder
        if self.path.is_file():
            self._animation = _animation(self.path)
            self._count = self._animation.count
        else:
            wanted = "a folder of pictures, or an animated GIF or WebP"
            self._files, _ = picture_files(must_be_folder(self.path, wanted))
            if not self._files:
                raise FileError(
                    f"{self.path} has no frames; wanted files that end in {', '.join(ENDINGS)}"
                )
            self._count = len(self._files)
            self._must_have_one_size()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Array]:
        if self._files:
            return (levels(read_image(path, self.longest)) for path in self._files)
        return (levels(frame.pixels) for frame in self._animation.frames(longest=self.longest))

    def ticks(self, fps: Fraction | None = None) -> tuple[list[int], Fraction]:
        """Return for how many ticks each frame is shown, and the number of ticks per second.

        fps: frames per second; None keeps the times of an animation, and is FPS for a folder. A
        time of 0 is 0.1 seconds, as in browsers.
        """
        if fps is not None or self._files:
            return [1] * len(self), FPS if fps is None else fps
        times = [frame.milliseconds or 0 for frame in self._animation.frames()]
        unit = gcd(*times)
        return [time // unit for time in times], Fraction(1000, unit)

    def _must_have_one_size(self):
        first, *others = self._files
        width, height = fit(*image_size(first), self.longest)
        for path in others:
            found = fit(*image_size(path), self.longest)
            if found != (width, height):
                raise ShapeError(
                    f"{path} has {found[0]}x{found[1]} pixels, and {first.name} has "
                    f"{width}x{height}; wanted frames of one size"
                )


def levels(picture: Array) -> np.ndarray:
    """Return a picture rounded to 8 bits."""
    return np.rint(picture).astype(np.uint8)


def next_start(painted: Array, before: Array, now: Array, sensitivity: float = 10.0) -> Array:
    """(H, W, 3) three times -> (H, W, 3): the picture from which to paint the next frame

        start = (1 - a) painted + a now,    a = 1 - exp(-(sensitivity · d / 255)²)

    painted: the painting of the frame before. before, now: the frame before and the next one, as
    they were filmed. d: the mean |now - before| over the channels and over a window around each
    pixel. The window reaches over 1/64 of the longer side in each direction.

    Where the film does not change, the paint stays and does not flicker. Where it changes, the new
    frame is painted anew. By default, noise of 3 levels mixes in 1 % of the new frame, and a change
    of 25 levels 62 %.

    Nothing is known about motion, so this suits cameras that stand still.

    - Strokes do not move along with what they depict. Where the whole picture moves, everything is
      painted anew, and flickers.
    - What is painted anew begins as a photograph. With few steps it looks less painted than the
      rest.
    - A change that is small from one frame to the next, such as a sunset, is hardly mixed in. Only
      the steps of the painting follow it.

    Raise ShapeError if the shapes differ, and ArgumentError if `sensitivity` is negative.

    >>> black, grey = np.zeros((1, 1, 3)), np.full((1, 1, 3), 25.5)
    >>> next_start(black, black, grey).round(2)                    # a = 1 - 1/e = 0.632
    array([[[16.12, 16.12, 16.12]]])
    """
    if not painted.shape == before.shape == now.shape or painted.ndim != 3:
        raise ShapeError(
            f"the painting has shape {painted.shape}, the frame before {before.shape} and the next "
            f"one {now.shape}; wanted one shape (H, W, 3): resize them"
        )
    if not sensitivity >= 0:
        raise ArgumentError(f"sensitivity is {sensitivity}; wanted a number of at least 0")
    xp = array_module(painted)
    before, now = (frame.astype(np.float32) for frame in (before, now))  # bytes cannot be negative
    change = _smoothed(abs(now - before).mean(axis=-1, keepdims=True))
    share = 1 - xp.exp(-((sensitivity * change / 255) ** 2))
    return (1 - share) * painted + share * now


def _smoothed(values):
    """(H, W, 1) -> (H, W, 1): the mean over a square window, without what is outside"""
    r = round(RADIUS * max(values.shape))
    for window, padding in (((2 * r + 1, 1), (r, 0)), ((1, 2 * r + 1), (0, r))):
        values = ops.avg_pool(values[None], window, stride=1, padding=padding, count_padding=False)[
            0
        ]
    return values


def _animation(path):
    if path.suffix.lower() not in ANIMATIONS:
        raise FileError(
            f"{path} is no folder of pictures and no animated {' or '.join(ANIMATIONS)}; ffmpeg "
            "can write the frames of a video into a folder"
        )
    return Animation(path)
