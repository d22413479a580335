"""Boxes around the faces of a picture, by the detector at several scales."""

import numpy as np

from minidl.backend import current_device, to_device, to_numpy
from minidl.faces.sampling import Square, resized, shrunk, squared

# The detector sees faces of 45 pixels or more. Each of these is what the picture's longer side is made in turn:
SIDES = 832, 416, 224, 128
LARGEST = 1664  # and this before them, where it is as long as that: of a large picture the small faces are lost below
ENLARGED = 1.5  # at most
AROUND = 416, 224  # and these, where no face is sure, with as much black around the picture as it is large
SURE, LEAST = 0.5, 0.4  # scores: of a face, and of one in a picture that shows none that is sure
UNION, SMALLER = 0.4, 0.6  # two boxes are of one face where they share more than that of their union, or of the smaller one


def find(detector, picture):
    """(H, W, 3) -> (N, 5): x, y, width, height in pixels, and score, the best first

    Where no face is sure, the picture is looked at twice as large again, and in the middle of a black one: a face that fills
    it, or is cut by its border, then stands free.
    """
    height, width = picture.shape[:2]
    longest = max(height, width)
    sides = [side for side in SIDES if side <= ENLARGED * longest] or [SIDES[-1]]
    if longest >= LARGEST:
        sides = [LARGEST, *sides]
    found = _in_each_size(detector, picture, sides)
    sure = found[found[:, 4] >= SURE]
    if len(sure):
        return best(sure)
    larger = [2 * sides[0]] if 2 * sides[0] <= min(LARGEST, max(SIDES[0], ENLARGED * longest)) else []
    square = Square(width / 2, height / 2, 2 * longest)
    corner = [width / 2 - longest, height / 2 - longest, 0, 0, 0]
    framed = [_in_pixels(_boxes(detector, square.cut(picture, side)), square.side) + corner for side in AROUND]
    return best(np.concatenate([found, _in_each_size(detector, picture, larger), *framed]))


def _in_each_size(detector, picture, sides):
    """(M, 5); sides: falling, so that each size is made from the one before"""
    found, times = [np.empty((0, 5))], 1
    for side in sides:
        factor = min(max(picture.shape[:2]) // side, *picture.shape[:2])
        if factor > 1:
            picture, times = shrunk(picture, factor), times * factor
        boxes = _boxes(detector, resized(squared(picture), side, side))
        found.append(_in_pixels(boxes, max(picture.shape[:2]) * times))
    return np.concatenate(found)


def _boxes(detector, square):
    """(M, 5) in parts of the square's side"""
    [boxes] = to_numpy(detector.boxes(to_device(square[None].astype(np.float32), current_device())))
    return boxes[boxes[:, 4] >= LEAST]


def _in_pixels(boxes, side):
    return boxes * [side, side, side, side, 1]


def best(boxes):
    """(M, 5) -> (N, 5): of the boxes of one face the one of the best score; the best first"""
    left, kept = boxes[(-boxes[:, 4]).argsort(kind="stable")], []
    while len(left):
        first, left = left[0], left[1:]
        kept.append(first)
        left = left[~_are_of_one(first, left)]
    return np.array(kept).reshape(-1, 5)


def _are_of_one(box, others):
    begin = np.maximum(box[:2], others[:, :2])
    end = np.minimum(box[:2] + box[2:4], others[:, :2] + others[:, 2:4])
    shared = np.prod(np.maximum(end - begin, 0), axis=1)
    area, areas = np.prod(box[2:4]), np.prod(others[:, 2:4], axis=1)
    return (shared > UNION * (area + areas - shared)) | (shared > SMALLER * np.minimum(area, areas))
