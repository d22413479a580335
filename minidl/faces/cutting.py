"""Cut a face out of a picture, so that it is upright and alone."""

from collections.abc import Iterable

import numpy as np

from minidl.faces.reader import Face, upright
from minidl.faces.sampling import Square
from minidl.typing import Array

AROUND = 1.7  # side of the part, in longer sides of the box
LARGEST = 512  # pixels of the part
COVER = 128.0  # the grey of other faces


def cut_out(picture: Array, face: Face, others: Iterable[Face] = ()) -> Array:
    """Return a square part (n, n, 3) of a picture (H, W, 3) around a face, turned so that the face
    is upright.

    others: the other faces of the picture, whose boxes are covered with grey outside the box of the
    face, so that a detector finds one face in the part. Boxes are in pixels of the picture.
    """
    x, y, width, height = face.box
    square = Square(
        x + width / 2, y + height / 2, AROUND * max(width, height), upright(face.landmarks).angle
    )
    pixels = max(1, min(round(square.side), LARGEST))
    part = square.cut(picture, pixels)
    steps = np.arange(pixels) / pixels
    places = square.place(np.stack(np.meshgrid(steps, steps), axis=-1))
    free = ~_inside(places, face)
    for other in others:
        part[_inside(places, other) & free] = COVER
    return part


def _inside(places, face):
    """Return (n, n): whether places (n, n, 2) are in the box of a face."""
    corner, size = np.array(face.box[:2]), np.array(face.box[2:])
    return ((places >= corner) & (places < corner + size)).all(axis=-1)
