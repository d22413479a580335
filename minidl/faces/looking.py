"""Look at a picture again if no face is found in it: in quarter turns, and with more contrast.

The detector finds upright faces only, up to about 30° to either side, and few faces in pictures
that are dark or faint. `look` therefore computes in turn, until it finds a face:

1. the faces of the picture as it is
2. those of the picture in quarter turns
3. those of the picture with the contrast of `stretched`, if it is dark or faint, and of its turns

The detector finds about a third of all upside-down faces without a turn, with a low score. Their
landmarks and embeddings are wrong. If no face has the score CLEAR, and the reader suspects that the
picture is upside down, the half turn is looked at too, and the better of both scores counts.

On 20 pictures of ORL at 4 to 15 % of their contrast, and as dark, the detector finds 1 face without
and 20 with the stretched contrast. The embedding is at a distance of 0.2 to 0.3 from that of the
original.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from minidl.faces.finding import show_one_face
from minidl.faces.reader import Face
from minidl.typing import Array

CLEAR = 0.9  # a face with this score is upright
LEAST = 0.75  # least score of a face in a picture that was changed
TURNS = (1, 3, 2)  # quarter turns, clockwise, in the order in which they are tried
LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
DARKEST, LIGHTEST = 1, 99  # percentiles of the luminance that become black and white
MIDDLE = 0.45  # the median of a stretched picture, as a share of white
FAINT, DARK = 160, 70  # a picture with a smaller range, or a smaller median, of 255 is stretched
SAMPLE = 1 << 20  # pixels of which the percentiles are computed


def look(
    picture: Array, reader: Any, embed: bool = True, *, again: bool = True, turn: bool = False
) -> list[Face]:
    """Return the faces of a picture (H, W, 3), the one with the highest score first.

    Boxes and landmarks are in pixels of the picture as it is given. `Face.turned` and
    `Face.stretched` say what was done to find a face.

    reader: a FaceReader. embed: whether to compute embeddings. again: whether to look again if no
    face is found. turn: look at all quarter turns, even if faces are found; of several boxes at one
    place, the one with the highest score counts. Raise the errors of `FaceReader.faces`.
    """
    faces = reader.faces(picture, embed)
    if turn:
        faces = _one_each([*faces, *_in(_turned(picture, reader, embed))])
    elif (
        faces and again and faces[0].score < CLEAR and reader.suspects_half_turn(picture, faces[0])
    ):
        faces = max(faces, _in_turn(picture, reader, embed, 2), key=_best_score)
    if faces or not again:
        return faces
    if not turn:
        faces = _first(_turned(picture, reader, embed))
    if not faces and _is_dull(picture):
        clear = stretched(picture)
        upright = _sure(reader.faces(clear, embed))
        turns = _turned(clear, reader, embed)
        found = _one_each([*upright, *_in(turns)]) if turn else upright or _first(turns)
        faces = [replace(face, stretched=True) for face in found]
    return faces


def stretched(picture: Array) -> Array:
    """Return a picture (H, W, 3), 0 to 255, with more contrast, float32.

    With the percentiles l and h of the luminance, and its median m after the first step:

        y = 255 ((x - l) / (h - l))^g,      g = ln MIDDLE / ln m

    where (x - l) / (h - l) is clipped to 0..1.

    >>> stretched(np.linspace(0, 60, 101).repeat(3).reshape(1, 101, 3))[0, [0, 50, 100], 0].round()
    array([  0., 115., 255.], dtype=float32)
    """
    low, median, high = _percentiles(picture)
    span = max(high - low, 1.0)
    clipped = ((np.asarray(picture, np.float32) - low) / span).clip(0, 1)
    middle = np.clip((median - low) / span, 0.01, 0.99)
    return 255 * clipped ** float(np.log(MIDDLE) / np.log(middle))


def _is_dull(picture):
    """Return whether a picture is dark or faint."""
    low, median, high = _percentiles(picture)
    return high - low < FAINT or median < DARK


def _percentiles(picture):
    """Return the lowest, the middle and the highest percentile of the luminance."""
    step = max(1, int((picture[..., 0].size / SAMPLE) ** 0.5))
    luminance = picture[::step, ::step].astype(np.float32) @ LUMINANCE
    return map(float, np.percentile(luminance, [DARKEST, 50, LIGHTEST]))


def _turned(picture, reader, embed) -> Iterator[list[Face]]:
    """Yield the faces of each quarter turn."""
    for quarters in TURNS:
        yield _in_turn(picture, reader, embed, quarters)


def _in_turn(picture, reader, embed, quarters):
    """Return the faces that are found after quarter turns of the picture, clockwise."""
    turned = np.ascontiguousarray(np.rot90(picture, -quarters))
    faces = _sure(reader.faces(turned, embed))
    return [turned_back(face, quarters, *picture.shape[:2]) for face in faces]


def turned_back(face: Face, quarters: int, height: int, width: int) -> Face:
    """Return a face of a turned picture with its place in the picture before the turn.

    quarters: of the turn, clockwise: 1, 2 or 3. height, width: of the picture before the turn, in
    which the box and the landmarks (68, 2) of the result are.
    """
    x, y, wide, high = face.box
    ends = _before(np.array([[x, y], [x + wide, y + high]]), quarters, height, width)
    corner, size = ends.min(axis=0), np.abs(ends[1] - ends[0])
    # A landmark is the position of a pixel. The last one is at height - 1.
    landmarks = _before(face.landmarks, quarters, height - 1, width - 1)
    box = tuple(map(float, [*corner, *size]))
    return replace(face, box=box, landmarks=landmarks, turned=90 * quarters)


def _before(points, quarters, height, width):
    """Return the places of points (N, 2) before quarter turns of a picture, clockwise."""
    x, y = np.moveaxis(np.asarray(points), -1, 0)
    places = {1: (y, height - x), 2: (width - x, height - y), 3: (width - y, x)}
    return np.stack(places[quarters], axis=-1)


def _sure(faces):
    return [face for face in faces if face.score >= LEAST]


def _in(groups):
    return [face for faces in groups for face in faces]


def _first(groups):
    return next((faces for faces in groups if faces), [])


def _best_score(faces: Sequence[Face]) -> float:
    return faces[0].score if faces else 0.0


def _one_each(faces):
    """Return the face with the highest score at each place, the highest first."""
    chosen: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.score):
        boxes = np.array([other.box for other in chosen]).reshape(-1, 4)
        if not show_one_face(np.array(face.box), boxes).any():
            chosen.append(face)
    return chosen
