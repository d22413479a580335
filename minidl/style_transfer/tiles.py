"""Tiles of a picture, whose features are exactly those of the whole picture.

A position of a layer depends on the pixels of its own cell and on a halo around it (see
`VGG19.reach`). The features of a tile are computed from its own pixels and their halo. At the
positions of its own pixels they are those of the whole picture, because nothing that they depend on
is cut off. The borders of the picture are padded with zeros, as in the whole picture.

Tiles begin at multiples of the stride of the deepest layer, so that the windows of all poolings
keep their places. A pooling drops an odd last row or column. The last tile therefore ends at the
border of the picture, and has at least one position of the deepest layer.
"""

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

from minidl.typing import Operand

Window = tuple[slice, slice]  # rows and columns


class Tile(NamedTuple):
    """A part of a picture. own: the pixels that belong to this tile alone. outer: these pixels
    and the halo around them."""

    own: Window
    outer: Window

    def positions(self, stride: int) -> Window:
        """Return the positions of the own pixels at a layer of this stride, in the whole map."""
        rows, columns = (slice(own.start // stride, own.stop // stride) for own in self.own)
        return rows, columns

    def cut(self, features: Operand, stride: int) -> Operand:
        """(1, h, w, C) -> (1, h', w', C): from the features of the outer pixels at a layer of this
        stride, return those of the own pixels."""
        rows, columns = (
            slice(own.start - outer.start // stride, own.stop - outer.start // stride)
            for own, outer in zip(self.positions(stride), self.outer, strict=True)
        )
        return features[:, rows, columns]


def tiles(size: Sequence[int], side: int | None, stride: int, halo: int) -> list[Tile]:
    """Return the tiles of a picture.

    size: its height and width. side: the length of a tile in pixels along each axis, without the
    halo, or None for one tile. It is rounded down to a multiple of the stride, but not below one
    stride. The last tile also has the rest of the picture, which is smaller than a stride. stride,
    halo: of the deepest layer, as `VGG19.reach` returns them.

    >>> for tile in tiles((37, 16), 16, stride=4, halo=6):
    ...     print(*tile.own, *tile.outer, sep="  ")
    slice(0, 12, None)  slice(0, 16, None)  slice(0, 20, None)  slice(0, 16, None)
    slice(12, 24, None)  slice(0, 16, None)  slice(4, 32, None)  slice(0, 16, None)
    slice(24, 37, None)  slice(0, 16, None)  slice(16, 37, None)  slice(0, 16, None)
    """
    rows, columns = (_parts(length, side or length, stride, halo) for length in size[:2])
    return [
        Tile((row, column), (outer_row, outer_column))
        for row, outer_row in rows
        for column, outer_column in columns
    ]


def _parts(length, side, stride, halo):
    """Return (own, outer) slices of range(length). All but the last have the same length."""
    cells = max(1, length // stride)  # positions of the deepest layer
    count = ceil(cells / max(1, side // stride))
    step, around = ceil(cells / count) * stride, ceil(halo / stride) * stride
    starts = range(0, cells * stride, step)
    ends = [*starts[1:], length]
    return [
        (slice(start, end), slice(max(0, start - around), min(length, end + around)))
        for start, end in zip(starts, ends, strict=True)
    ]
