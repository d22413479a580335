"""Outputs cut into strips: parts that fit the processor's caches, for its cores to share."""


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
