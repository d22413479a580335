"""Draw the boxes and landmarks of faces into a copy of their picture."""

from collections.abc import Iterable

import numpy as np
from PIL import ImageDraw

from minidl.data.images import to_pillow
from minidl.faces.reader import Face
from minidl.typing import Array

BOX, POINT = (255, 200, 0), (0, 255, 120)  # RGB


def draw_faces(picture: Array, faces: Iterable[Face]) -> Array:
    """Return a copy (H, W, 3), float32, of a picture (H, W, 3) with the box and landmarks of each
    face.

    The lines are wider for larger faces.
    """
    canvas = to_pillow(picture)
    pen = ImageDraw.Draw(canvas)
    for face in faces:
        x, y, width, height = (float(number) for number in face.box)
        line = max(1, round(max(width, height) / 100))
        pen.rectangle((x, y, x + max(width, 1), y + max(height, 1)), outline=BOX, width=line)
        for px, py in np.asarray(face.landmarks, float):
            pen.ellipse((px - line, py - line, px + line, py + line), fill=POINT)
    return np.asarray(canvas, np.float32)
