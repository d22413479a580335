"""From a box around a face to the squares that the networks want to see."""

import numpy as np

from minidl.faces.sampling import Square

LEFT_EYE, RIGHT_EYE, MOUTH = slice(36, 42), slice(42, 48), slice(48, 68)  # of the 68 landmarks
FACE = 0.42  # how far the mouth is from the eyes, in parts of the square's side
MIDDLE = 0.4  # where the middle of eyes and mouth is, in parts of its height


def around(box, height, width):
    """The Square around what of a box (x, y, width, height) lies in a picture of this size"""
    left, right = np.clip([box[0], box[0] + box[2]], 0, width)
    upper, lower = np.clip([box[1], box[1] + box[3]], 0, height)
    return Square((left + right) / 2, (upper + lower) / 2, max(right - left, lower - upper, 1.0))


def upright(landmarks):
    """(68, 2) -> the Square in which the line between the eyes is level, of a size and at a height
    as the networks have learnt it: FACE and MIDDLE.
    """
    left, right, mouth = (landmarks[part].mean(axis=0) for part in (LEFT_EYE, RIGHT_EYE, MOUTH))
    side = max(1.0, (np.linalg.norm(mouth - left) + np.linalg.norm(mouth - right)) / 2 / FACE)
    across = right - left
    angle = np.arctan2(across[1], across[0])
    down = np.array([-np.sin(angle), np.cos(angle)])
    return Square(*((left + right + mouth) / 3 + (0.5 - MIDDLE) * side * down), side, angle)
