"""What was found in a picture, drawn into a copy of it."""

import numpy as np
from PIL import ImageDraw

from minidl.data.images import to_pillow

BOX, POINT = (255, 200, 0), (0, 255, 120)  # RGB


def draw_faces(picture, faces):
    """(H, W, 3) -> (H, W, 3): the box and the landmarks of each face, in lines that are seen at any
    size of it."""
    canvas = to_pillow(picture)
    pen = ImageDraw.Draw(canvas)
    for face in faces:
        x, y, width, height = (float(number) for number in face.box)
        line = max(1, round(max(width, height) / 100))
        pen.rectangle((x, y, x + max(width, 1), y + max(height, 1)), outline=BOX, width=line)
        for px, py in np.asarray(face.landmarks, float):
            pen.ellipse((px - line, py - line, px + line, py + line), fill=POINT)
    return np.asarray(canvas, np.float32)
