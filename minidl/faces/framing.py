"""Where a face is in the pictures that a network was trained on.

`minidl train faces` learns from complete pictures, in which a face has about the same place and
size. For the network, a face of any other picture has to be cut out in the same way. A Framing is
the mean place of the upright square of a face (see reader.py) in the pictures of the training.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minidl import ops
from minidl.faces.sampling import Square, part_around, shrunk
from minidl.typing import Array


class Framing(NamedTuple):
    """The place of the upright square of a face in a picture, in shares of its lengths."""

    x: float  # the centre of the square: a share of the width
    y: float  # a share of the height
    width: float  # the side of the square: a share of the width
    height: float  # a share of the height

    @classmethod
    def of(cls, squares: Sequence[Square], sizes: Sequence[tuple[int, int]]) -> "Framing":
        """Return the median of N squares in pictures of the sizes (height, width).

        >>> Framing.of([Square(50, 30, 40)], [(60, 100)])
        Framing(x=0.5, y=0.5, width=0.4, height=0.6666666666666666)
        """
        shares = [
            (square.x / width, square.y / height, square.side / width, square.side / height)
            for square, (height, width) in zip(squares, sizes, strict=True)
        ]
        return cls(*map(float, np.median(shares, axis=0)))

    def crop(self, picture: Array, square: Square, size: tuple[int, int]) -> Array:
        """Return a part of a picture (H, W, 3), as (*size, 3), in which the square of a face is at
        the place of this framing.

        Outside the picture, its border is repeated. Where the part is reduced by a factor of 2 or
        more, it is cut out of the means of blocks of pixels.
        """
        down, across = (np.arange(length) / length for length in size)
        shares = np.stack(np.meshgrid(across, down), axis=-1) - [self.x, self.y]
        x, y = np.moveaxis(square.place(shares / [self.width, self.height] + 0.5), -1, 0)
        height, width = picture.shape[:2]
        x, y = x.clip(0, width - 1), y.clip(0, height - 1)
        step = min(square.side / self.height / size[0], square.side / self.width / size[1])
        part, left, upper = part_around(picture, x, y, margin=2 * int(step))
        factor = max(1, min(int(step), *part.shape[:2]))
        blocks = shrunk(part, factor)
        centre = (factor - 1) / 2  # of the first block
        rows, columns = ((y - upper - centre) / factor, (x - left - centre) / factor)
        last_row, last_column = (length - 1 for length in blocks.shape[:2])
        [crop] = ops.resample(
            blocks[None], rows[None].clip(0, last_row), columns[None].clip(0, last_column)
        )
        return crop
