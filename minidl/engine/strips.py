"""The engine divides work into strips: parts that fit a processor's cache and that threads compute
in parallel, or parts that fit the memory of a GPU.

A strip of a batch of images is (slice of the images, slice of the rows of each).
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np

from minidl.engine.threads import get_threads
from minidl.shapes import Windows

STRIP = 1 << 19  # numbers in a strip that fits the cache
GPU_STRIP = 1 << 27  # numbers in a strip that fits the memory of a GPU together with the arrays
LEAST = 1 << 17  # numbers in the smallest strip whose work takes longer than to wake a thread


def strips(
    images: int, rows: int, row: int, strip: int, threads: int | None = None
) -> list[tuple[slice, slice]]:
    """Return strips [(slice of the images, slice of the rows)] of about equal size. Each has at
    most `strip` units of work, or is a single row.

    If a whole image fits, a strip consists of one or several images, and otherwise of rows of one
    image.

    images: number of images
    rows: number of rows in an image
    row: units of work in one row
    threads: number of threads that compute the strips; by default `get_threads()`

    >>> strips(images=3, rows=4, row=10, strip=80, threads=2)
    [(slice(0, 1, None), slice(0, 4, None)), (slice(1, 3, None), slice(0, 4, None))]
    """
    if strip >= row * rows:
        parts = equal_parts(images, strip // max(1, row * rows), threads)
        return [(part, slice(0, rows)) for part in parts]
    return [
        (slice(image, image + 1), part)
        for image in range(images)
        for part in equal_parts(rows, strip // row, threads)
    ]


def equal_parts(length: int, most: int, threads: int | None = None) -> list[slice]:
    """Return slices that divide range(length) into parts of about equal size. Each has at most
    `most` items, or is a single item.

    There are as few parts as possible. If there are several, their number is a multiple of the
    number of threads, by default `get_threads()`, but at most `length`.

    >>> equal_parts(10, most=4, threads=2)
    [slice(0, 2, None), slice(2, 5, None), slice(5, 7, None), slice(7, 10, None)]
    """
    count, threads = -(-length // max(1, most)), threads or get_threads()
    if count > 1:
        count = min(length, -(-count // threads) * threads)
    ends = [length * number // max(1, count) for number in range(count + 1)]
    return [slice(begin, end) for begin, end in pairwise(ends)]


def fair_strip(xp: Any, numbers: int, most: int | None = None) -> int:
    """Return how many numbers a strip has if there are so many in all.

    On a CPU this is at most `most`, by default what fits the cache. It is less if some threads
    would otherwise have no strip, but at least LEAST.
    """
    if xp is not np:
        return GPU_STRIP
    return min(most or STRIP, max(-(-numbers // get_threads()), LEAST))


def strips_of_windows(
    xp: Any, images: int, windows: Windows, numbers: int
) -> list[tuple[slice, slice, Windows]]:
    """Return [(slice of the images, slice of the outputs along the first axis, the Windows of these
    outputs)], with strips for every thread if there is enough work.

    images: number of images
    windows: the windows over one image
    numbers: how many numbers the work on one window reads or writes
    """
    rows, *others = windows.out
    row = prod(others) * numbers
    return [
        (image, part, replace(windows, out=(part.stop - part.start, *others)))
        for image, part in strips(images, rows, row, fair_strip(xp, images * rows * row))
    ]


def non_overlapping(
    parts: Sequence[tuple[slice, slice, Windows]], windows: Windows
) -> list[list[tuple[slice, slice, Windows]]]:
    """Divide strips of windows into groups, so that no two windows of different strips in a group
    read the same row of an image.

    parts: the result of `strips_of_windows`. The strips of one group can add to an image in
    parallel.
    """
    starts = sorted({rows.start for _, rows, _ in parts})
    shortest = min((rows.stop - rows.start for _, rows, _ in parts), default=1)
    overlap = windows.reach[0] - windows.stride[0]
    groups = 1 + max(0, -(-overlap // (windows.stride[0] * shortest)))
    return [
        [part for part in parts if starts.index(part[1].start) % groups == number]
        for number in range(groups)
    ]
