"""Work cut into strips: parts that fit the processor's caches, for its cores to share; or a GPU's
memory."""

from dataclasses import replace
from itertools import pairwise
from math import prod

import numpy as np

from minidl.engine.threads import get_threads

STRIP = 1 << 19  # numbers
# numbers, where a strip is to fit not a cache but, beside the arrays, a GPU's memory
GPU_STRIP = 1 << 27
LEAST = 1 << 17  # numbers that are worked off before another core has heard of them


def strips(images, rows, row, strip, cores=None):
    """[(slice of the images, slice of the rows)]: at most about `strip` units of work each, as
    equal as can be.

    images: how many; rows: how many each has; row: units of work in one. Several images go together
    where they are small, some rows of one where it is large. cores: those that share them, by
    default all that minidl uses.

    >>> strips(images=3, rows=4, row=10, strip=80, cores=2)
    [(slice(0, 1, None), slice(0, 4, None)), (slice(1, 3, None), slice(0, 4, None))]
    """
    if strip >= row * rows:
        return [
            (some, slice(0, rows))
            for some in equal_parts(images, strip // max(1, row * rows), cores)
        ]
    return [
        (slice(image, image + 1), part)
        for image in range(images)
        for part in equal_parts(rows, strip // row, cores)
    ]


def equal_parts(length, most, cores=None):
    """[slice]: as few equal parts as hold at most `most` each, or 1; if several, as many for every
    core, if the length allows.

    >>> equal_parts(10, most=4, cores=2)
    [slice(0, 2, None), slice(2, 5, None), slice(5, 7, None), slice(7, 10, None)]
    """
    count, cores = -(-length // max(1, most)), cores or get_threads()
    if count > 1:
        count = min(length, -(-count // cores) * cores)
    ends = [length * number // max(1, count) for number in range(count + 1)]
    return [slice(begin, end) for begin, end in pairwise(ends)]


def fair_strip(xp, numbers, most=None):
    """How many numbers of so many make a strip: what fits the cache (or `most`), less if that
    leaves a core without work."""
    if xp is not np:
        return GPU_STRIP
    return min(most or STRIP, max(-(-numbers // get_threads()), LEAST))


def strips_of_windows(xp, images, windows, numbers):
    """[(slice of the images, slice of the first axis' outputs, the windows of these)], enough for
    every core to have some.

    numbers: that the work on one window reads or writes.
    """
    rows, *rest = windows.out
    row = prod(rest) * numbers
    parts = strips(images, rows, row, fair_strip(xp, images * rows * row))
    return [
        (some, part, replace(windows, out=(part.stop - part.start, *rest))) for some, part in parts
    ]


def apart(parts, windows):
    """The strips of windows in groups: no two of a group reach into the same row of an image."""
    starts = sorted({rows.start for _, rows, _ in parts})
    least = min((rows.stop - rows.start for _, rows, _ in parts), default=1)
    overlap = windows.reach[0] - windows.stride[0]
    groups = 1 + max(0, -(-overlap // (windows.stride[0] * least)))
    return [
        [part for part in parts if starts.index(part[1].start) % groups == first]
        for first in range(groups)
    ]
