"""Boxes around the faces of a picture, by the detector at several scales.

The detector finds faces of about 48 to 300 pixels. It is applied to the picture at full size and at
1/2, 1/4, ... of it, so a face of 48 pixels or more is found in a picture of any size. A small
picture
is enlarged first. Each scaled picture is called a look. A large look is divided into tiles:

- Neighbouring tiles overlap by OVERLAP pixels. The border between them is the middle of the
overlap.
- A box belongs to the tile that contains its centre.
- A tile may cut a box that is longer than OVERLAP. Such a box is discarded. The look at half the
size
  finds it again, where it is still at least OVERLAP / 2 pixels long.

Each box is then confirmed by looks at that box alone, in which a face has about 80 pixels. This
rejects boxes that resemble a face at one size only.

Cost: about 1.4 times that of the detector for the picture at full size.
"""

from itertools import product
from typing import NamedTuple

import numpy as np

from minidl.backend import current_device, current_module, to_device, to_numpy
from minidl.engine.threads import share
from minidl.faces.sampling import Square, resized, shrunk
from minidl.models.face_detector import CELL

ENLARGED, CLEAR = 1.25, 832  # factor by which a small picture is enlarged, to at most CLEAR pixels
SMALLEST = 104  # pixels of the longer side in the last look, which shows the largest faces
TILE, OVERLAP = 1088, 192  # pixels: the longest side of a tile, and the overlap of two tiles
AT_ONCE = 8  # tiles in memory at the same time, about 0.1 GB each
AROUND = 416, 224  # sides of two more looks, with a black border, for pictures without a sure face
ALONE = (2, 160), (3, 224)  # looks at a box alone: (side in multiples of the box, side in pixels)
SURE, LEAST = 0.5, 0.4  # least score of a face, and of a face in a picture without a sure one
PROVEN = 0.85  # score from which a box needs no confirmation; a false box rarely has more than 0.8
# two boxes show one face if they share more than this of their union, or of the smaller box
UNION, SMALLER = 0.4, 0.6


def find(detector, picture):
    """(H, W, 3) -> (N, 5): x, y, width, height in pixels, and score, the best first

    Where no face is sure, the picture is looked at twice as large again, and in the middle of a
    black one: a face that fills it, or is cut by its border, then stands free.
    """
    height, width = picture.shape[:2]
    longest = max(height, width)
    finest = max(longest, min(round(ENLARGED * longest), CLEAR))
    found = _in_looks(detector, picture, looks(picture, finest))
    sure = _confirmed(detector, picture, found, SURE)
    if len(sure):
        return sure
    larger = min(2 * finest, CLEAR)
    if larger > finest:
        found = np.concatenate([found, _in_looks(detector, picture, [_enlarged(picture, larger)])])
    square = Square(width / 2, height / 2, 2 * longest)
    around = [_in_square(detector, picture, square, side, current_device()) for side in AROUND]
    return _confirmed(detector, picture, np.concatenate([found, *around]), LEAST)


def _confirmed(detector, picture, boxes, least):
    """(M, 5) -> (N, 5): the best box of each face that a look at it alone confirms, with the higher
    of the two scores"""
    device = current_device()
    scores = {tuple(box): box[4] for box in boxes if box[4] >= PROVEN}

    def look(box):
        return _score_alone(detector, picture, box, device)

    while True:
        chosen = best(boxes)
        new = [box for box in chosen if tuple(box) not in scores]
        scores |= zip(map(tuple, new), share(current_module(), look, new), strict=True)
        if all(scores[tuple(box)] >= least for box in chosen):
            break
        boxes = boxes[[scores.get(tuple(box), least) >= least for box in boxes]]
    chosen[:, 4] = [max(box[4], scores[tuple(box)]) for box in chosen]
    return chosen[(-chosen[:, 4]).argsort(kind="stable")]


def _score_alone(detector, picture, box, device):
    """The mean score of the detections at the place of a box, in looks where a face has about 80
    pixels"""
    x, y, width, height = box[:4]
    scores = []
    for times, side in ALONE:
        square = Square(x + width / 2, y + height / 2, times * max(width, height))
        boxes = _in_square(detector, picture, square, side, device, least=0)
        scores.append(boxes[_overlap(box, boxes) > UNION, 4].max(initial=0))
    return np.mean(scores)


def _in_square(detector, picture, square, side, device, least=LEAST):
    """The boxes in a square of the picture that is scaled to `side` pixels, in pixels of the
    picture"""
    boxes = _boxes(detector, square.cut(picture, side), device, least)
    corner = square.x - square.side / 2, square.y - square.side / 2
    return _in_pixels(boxes, square.side, square.side) + np.array([*corner, 0, 0, 0])


def looks(picture, finest):
    """[(H, W, 3)]: the picture with `finest` pixels on its longer side, then repeatedly half as
    large"""
    made = [_enlarged(picture, finest)]
    while max(made[-1].shape[:2]) >= 2 * SMALLEST and min(made[-1].shape[:2]) >= 2:
        made.append(shrunk(made[-1], 2))
    return made


def _enlarged(picture, longest):
    height, width = picture.shape[:2]
    scale = longest / max(height, width)
    return (
        picture
        if scale == 1
        else resized(picture, max(1, round(scale * height)), max(1, round(scale * width)))
    )


class Span(NamedTuple):
    """The pixels begin:end of one axis that a tile shows, and the interval of box centres that
    belong to it"""

    begin: int
    end: int
    first: float
    last: float


def spans(length):
    """[Span] of the tiles along an axis. The lengths are multiples of CELL, except where the axis
    is shorter.

    >>> [(span.begin, span.end, span.first, span.last) for span in spans(2000)]
    [(0, 800, -inf, 700.0), (600, 1400, 700.0, 1300.0), (1200, 2000, 1300.0, inf)]
    """
    count = 1 if length <= TILE else -(-(length - OVERLAP) // (TILE - OVERLAP))
    size = -(-(length + (count - 1) * OVERLAP) // (count * CELL)) * CELL
    begins = (
        [(length - size) * number // (count - 1) for number in range(count)] if count > 1 else [0]
    )
    ends = [min(begin + size, length) for begin in begins]
    borders = [
        -np.inf,
        *((begin + end) / 2 for begin, end in zip(begins[1:], ends, strict=False)),
        np.inf,
    ]
    return list(map(Span, begins, ends, borders, borders[1:]))


def _in_looks(detector, picture, of_sizes):
    """(M, 5): the boxes of all looks, in pixels of the picture"""
    device = current_device()

    def work(tile):
        look, down, across = tile
        boxes = _of_tile(detector, look, down, across, device)
        return _in_pixels(boxes, picture.shape[1] / look.shape[1], picture.shape[0] / look.shape[0])

    tiles, found = (
        [(look, *tile) for look in of_sizes for tile in product(*map(spans, look.shape[:2]))],
        [],
    )
    for begin in range(0, len(tiles), AT_ONCE):
        found += share(current_module(), work, tiles[begin : begin + AT_ONCE])
    return np.concatenate(found)


def _of_tile(detector, look, down, across, device):
    """The boxes that belong to a tile, in pixels of the look"""
    part = look[down.begin : down.end, across.begin : across.end]
    filled = [(0, -length % CELL) for length in part.shape[:2]]
    part = np.pad(part, [*filled, (0, 0)])
    boxes = _in_pixels(_boxes(detector, part, device), *part.shape[1::-1])
    boxes = boxes + np.array([across.begin, down.begin, 0, 0, 0])
    x, y = (boxes[:, :2] + boxes[:, 2:4] / 2).T
    own = (across.first <= x) & (x < across.last) & (down.first <= y) & (y < down.last)
    for axis, span, length in ((2, across, look.shape[1]), (3, down, look.shape[0])):
        if span.end - span.begin < length:
            own &= boxes[:, axis] <= OVERLAP
    return boxes[own]


def _boxes(detector, picture, device, least=LEAST):
    """(M, 5), as fractions of the width and height of the picture"""
    [boxes] = to_numpy(
        detector.boxes(to_device(picture[None].astype(np.float32, copy=False), device))
    )
    return boxes[boxes[:, 4] >= least]


def _in_pixels(boxes, width, height):
    return boxes * [width, height, width, height, 1]


def best(boxes):
    """(M, 5) -> (N, 5): of the boxes of one face the one of the best score; the best first"""
    left, kept = boxes[(-boxes[:, 4]).argsort(kind="stable")], []
    while len(left):
        first, left = left[0], left[1:]
        kept.append(first)
        left = left[~_are_of_one(first, left)]
    return np.array(kept).reshape(-1, 5)


def _are_of_one(box, others):
    shared = _shared(box, others)
    smaller = np.minimum(np.prod(box[2:4]), np.prod(others[:, 2:4], axis=1))
    return (_overlap(box, others) > UNION) | (shared > SMALLER * smaller)


def _overlap(box, others):
    """(5,), (M, 5) -> (M,): intersection over union"""
    shared = _shared(box, others)
    return shared / (np.prod(box[2:4]) + np.prod(others[:, 2:4], axis=1) - shared)


def _shared(box, others):
    """(5,), (M, 5) -> (M,): pixels in the intersection"""
    begin = np.maximum(box[:2], others[:, :2])
    end = np.minimum(box[:2] + box[2:4], others[:, :2] + others[:, 2:4])
    return np.prod(np.maximum(end - begin, 0), axis=1)
