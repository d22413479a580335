"""Find boxes around the faces of a picture, with the detector at several scales.

The detector finds faces of about 48 to 300 pixels. It is applied to an image pyramid: the picture
at full size and at 1/2, 1/4, ... of it, so a face of 48 pixels or more is found in a picture of any
size. A small picture is enlarged first. A large level of the pyramid is divided into tiles:

- Adjacent tiles overlap by OVERLAP pixels. The border between them is the middle of the overlap.
- A box belongs to the tile that contains its centre.
- A tile may cut a box that is longer than OVERLAP. Such a box is discarded. It is found again at
  the next level, where it still has at least OVERLAP / 2 pixels.

Each box is then confirmed by applying the detector to crops around the box, in which a face has
about 80 pixels. This rejects boxes that resemble a face at one size only.

Cost: about 1.4 times that of the detector for the picture at full size.
"""

from itertools import product
from typing import NamedTuple

import numpy as np

from minidl.backend import current_device, current_module, to_device, to_numpy
from minidl.engine.threads import parallel_map
from minidl.faces.sampling import Square, filled_up, resized, shrunk
from minidl.models.face_detector import CELL, FaceDetector
from minidl.typing import Array

ENLARGED, CLEAR = 1.25, 832  # factor by which a small picture is enlarged, to at most CLEAR pixels
SMALLEST = 104  # pixels of the longer side in the last level, which shows the largest faces
TILE, OVERLAP = 1088, 192  # pixels: the longest side of a tile, and the overlap of two tiles
AT_ONCE = 8  # tiles in memory at the same time, about 0.1 GB each
FRAMED = 416, 224  # sides of two images of the picture in a black frame
CROPS = (2, 160), (3, 224)  # crops around a box: (side in multiples of the box, side in pixels)
SURE, LEAST = 0.5, 0.4  # least score of a face, and of a face in a picture without a sure one
PROVEN = 0.85  # score from which a box needs no confirmation; a false box rarely has more than 0.8
# Two boxes show one face if they share more than this of their union, or of the smaller box.
UNION, SMALLER = 0.4, 0.6


def find(detector: FaceDetector, picture: Array) -> Array:
    """Return the boxes (N, 5) of the faces in a picture (H, W, 3), RGB, 0..255.

    The columns are x, y, width and height in pixels, and the score from 0 to 1. The box with the
    highest score comes first.

    If no face reaches the score SURE, the picture is enlarged once more and also put into a black
    frame, which separates a face from the border that it fills or touches.
    """
    height, width = picture.shape[:2]
    longest = max(height, width)
    finest = max(longest, min(round(ENLARGED * longest), CLEAR))
    boxes = _in_levels(detector, picture, pyramid(picture, finest))
    sure = _confirmed(detector, picture, boxes, SURE)
    if len(sure):
        return sure
    larger = min(2 * finest, CLEAR)
    if larger > finest:
        enlarged = _scaled(picture, larger)
        boxes = np.concatenate([boxes, _in_levels(detector, picture, [enlarged])])
    frame = Square(width / 2, height / 2, 2 * longest)
    framed = [_in_square(detector, picture, frame, side, current_device()) for side in FRAMED]
    return _confirmed(detector, picture, np.concatenate([boxes, *framed]), LEAST)


def _confirmed(detector, picture, boxes, least):
    """Return the best box of each face whose crops confirm it: (M, 5) -> (N, 5).

    The score of a box becomes that of its crops if this is higher.
    """
    device = current_device()
    scores = {tuple(box): box[4] for box in boxes if box[4] >= PROVEN}

    def score(box):
        return _score_of_crops(detector, picture, box, device)

    while True:
        chosen = best(boxes)
        new = [box for box in chosen if tuple(box) not in scores]
        scores |= zip(map(tuple, new), parallel_map(current_module(), score, new), strict=True)
        if all(scores[tuple(box)] >= least for box in chosen):
            break
        boxes = boxes[[scores.get(tuple(box), least) >= least for box in boxes]]
    chosen[:, 4] = [max(box[4], scores[tuple(box)]) for box in chosen]
    return chosen[(-chosen[:, 4]).argsort(kind="stable")]


def _score_of_crops(detector, picture, box, device):
    """Return the mean score of the detections at the place of a box, in crops in which a face has
    about 80 pixels."""
    x, y, width, height = box[:4]
    scores = []
    for factor, side in CROPS:
        square = Square(x + width / 2, y + height / 2, factor * max(width, height))
        boxes = _in_square(detector, picture, square, side, device, least=0)
        scores.append(boxes[_overlap(box, boxes) > UNION, 4].max(initial=0))
    return np.mean(scores)


def turned_score(detector: FaceDetector, picture: Array, box: Array) -> float:
    """Return the mean of the highest scores in crops of a picture (H, W, 3) around a box (4,), in
    pixels, that are turned upside down.

    It is about 0.1 for an upright face, and about the score of the box or more for one that is
    upside down.
    """
    x, y, width, height = box
    scores = []
    for factor, side in CROPS:
        square = Square(x + width / 2, y + height / 2, factor * max(width, height), np.pi)
        boxes = _boxes(detector, square.cut(picture, side), current_device(), least=0)
        scores.append(boxes[:, 4].max())
    return float(np.mean(scores))


def _in_square(detector, picture, square, side, device, least=LEAST):
    """Return the boxes in a square of the picture that is scaled to `side` pixels, in pixels of the
    picture."""
    boxes = _boxes(detector, square.cut(picture, side), device, least)
    corner = square.x - square.side / 2, square.y - square.side / 2
    return _in_pixels(boxes, square.side, square.side) + np.array([*corner, 0, 0, 0])


def pyramid(picture: Array, finest: int) -> list[Array]:
    """Return the picture with `finest` pixels on its longer side, and then at half the size of the
    one before, repeatedly."""
    levels = [_scaled(picture, finest)]
    while max(levels[-1].shape[:2]) >= 2 * SMALLEST and min(levels[-1].shape[:2]) >= 2:
        levels.append(shrunk(levels[-1], 2))
    return levels


def _scaled(picture, longest):
    height, width = picture.shape[:2]
    scale = longest / max(height, width)
    if scale == 1:
        return picture
    return resized(picture, max(1, round(scale * height)), max(1, round(scale * width)))


class Span(NamedTuple):
    """The extent of a tile along one axis, in pixels."""

    begin: int  # the tile shows the pixels begin:end
    end: int
    first: float  # the centres of its boxes are at first <= centre < last
    last: float


def spans(length: int) -> list[Span]:
    """Return the Span of each tile along an axis of this length.

    The lengths of the tiles are multiples of CELL, except where the axis is shorter.

    >>> [(span.begin, span.end, span.first, span.last) for span in spans(2000)]
    [(0, 800, -inf, 700.0), (600, 1400, 700.0, 1300.0), (1200, 2000, 1300.0, inf)]
    """
    count = 1 if length <= TILE else -(-(length - OVERLAP) // (TILE - OVERLAP))
    size = -(-(length + (count - 1) * OVERLAP) // (count * CELL)) * CELL
    steps = max(1, count - 1)
    begins = [(length - size) * number // steps for number in range(count)]
    ends = [min(begin + size, length) for begin in begins]
    overlaps = zip(begins[1:], ends, strict=False)
    borders = [-np.inf, *((begin + end) / 2 for begin, end in overlaps), np.inf]
    return list(map(Span, begins, ends, borders, borders[1:]))


def _in_levels(detector, picture, levels):
    """Return the boxes (M, 5) in all levels, in pixels of the picture."""
    device = current_device()
    height, width = picture.shape[:2]

    def work(tile):
        level, down, across = tile
        boxes = _in_tile(detector, level, down, across, device)
        return _in_pixels(boxes, width / level.shape[1], height / level.shape[0])

    tiles = [
        (level, down, across)
        for level in levels
        for down, across in product(*map(spans, level.shape[:2]))
    ]
    boxes = []
    for begin in range(0, len(tiles), AT_ONCE):
        boxes += parallel_map(current_module(), work, tiles[begin : begin + AT_ONCE])
    return np.concatenate(boxes)


def _in_tile(detector, level, down, across, device):
    """Return the boxes that belong to a tile, in pixels of its level.

    down, across: the Spans of the tile along the two axes.
    """
    tile = level[down.begin : down.end, across.begin : across.end]
    tile = filled_up(tile, CELL)
    boxes = _in_pixels(_boxes(detector, tile, device), *tile.shape[1::-1])
    boxes = boxes + np.array([across.begin, down.begin, 0, 0, 0])
    x, y = (boxes[:, :2] + boxes[:, 2:4] / 2).T
    own = (across.first <= x) & (x < across.last) & (down.first <= y) & (y < down.last)
    for column, span, length in ((2, across, level.shape[1]), (3, down, level.shape[0])):
        if span.end - span.begin < length:
            own &= boxes[:, column] <= OVERLAP
    return boxes[own]


def _boxes(detector, picture, device, least=LEAST):
    """Return the boxes (M, 5) with a score of at least `least`, as fractions of the width and
    height of the picture."""
    batch = to_device(picture[None].astype(np.float32, copy=False), device)
    [boxes] = to_numpy(detector.boxes(batch))
    return boxes[boxes[:, 4] >= least]


def _in_pixels(boxes, width, height):
    return boxes * [width, height, width, height, 1]


def best(boxes: Array) -> Array:
    """Return the box with the highest score for each face, the highest first: (M, 5) -> (N, 5)."""
    remaining = boxes[(-boxes[:, 4]).argsort(kind="stable")]
    chosen = []
    while len(remaining):
        first, remaining = remaining[0], remaining[1:]
        chosen.append(first)
        remaining = remaining[~show_one_face(first, remaining)]
    return np.array(chosen).reshape(-1, 5)


def show_one_face(box: Array, others: Array) -> Array:
    """Return for each of M other boxes whether it shows the same face as a box: (4,), (M, 4) ->
    (M,). Further columns, such as the score, are not read."""
    smaller = np.minimum(np.prod(box[2:4]), np.prod(others[:, 2:4], axis=1))
    return (_overlap(box, others) > UNION) | (_intersection(box, others) > SMALLER * smaller)


def _overlap(box, others):
    """Return intersection over union: (5,), (M, 5) -> (M,)."""
    shared = _intersection(box, others)
    return shared / (np.prod(box[2:4]) + np.prod(others[:, 2:4], axis=1) - shared)


def _intersection(box, others):
    """Return the number of pixels in the intersection: (5,), (M, 5) -> (M,)."""
    begin = np.maximum(box[:2], others[:, :2])
    end = np.minimum(box[:2] + box[2:4], others[:, :2] + others[:, 2:4])
    return np.prod(np.maximum(end - begin, 0), axis=1)
