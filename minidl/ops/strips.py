"""Work cut into strips: parts that fit the processor's caches, for its cores to share."""

from dataclasses import replace
from math import prod

from minidl.cores import get_threads

STRIP = 1 << 19  # numbers
LEAST = 1 << 14  # numbers that are worked off before another core has heard of them


def strips(images, rows, row, strip):
    """[(slice of the images, slice of the rows)]: about `strip` units of work each, in parts as equal as can be.

    images: how many; rows: how many each has; row: units of work in one. Several images go together where they are small,
    some rows of one where it is large.

    >>> strips(images=3, rows=4, row=10, strip=80)
    [(slice(0, 2, None), slice(0, 4, None)), (slice(2, 3, None), slice(0, 4, None))]
    """
    some_rows = equal_parts(rows, strip // row)
    some_images = equal_parts(images, strip // (row * rows)) if len(some_rows) == 1 else equal_parts(images, 1)
    return [(image, row) for image in some_images for row in some_rows]


def equal_parts(length, most):
    """[slice]: as few parts of a length as hold at most `most` each, or 1, none much shorter than another.

    >>> equal_parts(10, most=4)
    [slice(0, 4, None), slice(4, 8, None), slice(8, 10, None)]
    """
    count = -(-length // max(1, most))
    each = -(-length // max(1, count))
    return [slice(first, min(first + each, length)) for first in range(0, length, max(1, each))]


def strips_of_windows(images, windows, numbers):
    """[(slice of the images, slice of the first axis' outputs, the windows of these)], enough for every core to have some.

    numbers: that the work on one window reads or writes.
    """
    rows, *rest = windows.out
    row = prod(rest) * numbers
    strip = min(STRIP, max(images * rows * row // get_threads(), LEAST))
    return [
        (some, part, replace(windows, out=(part.stop - part.start, *rest))) for some, part in strips(images, rows, row, strip)
    ]


def apart(parts, windows):
    """The strips of windows in groups: no two of a group reach into the same row of the input."""
    height = max((rows.stop - rows.start for _, rows, _ in parts), default=1)
    overlap = windows.reach[0] - windows.stride[0]
    groups = 1 + max(0, -(-overlap // (windows.stride[0] * height)))
    return [[part for part in parts if part[1].start // height % groups == first] for first in range(groups)]
