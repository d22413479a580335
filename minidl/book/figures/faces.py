"""A face that is known from one picture: it is found, cut out, and compared with changed copies of
the picture and with the face of another person."""

from typing import NamedTuple

import numpy as np

from minidl.book.figures.canvas import Canvas, number
from minidl.book.figures.figure import Figure, Frame
from minidl.data import read_image, resize, shipped_picture
from minidl.faces import THRESHOLD, Face, FaceReader, between
from minidl.typing import Array

KNOWN, OTHER = "astronaut", "van-gogh-pere-tanguy"
WHOLE = 300  # units: the side of the picture of the first frame
SIDE = 150  # units: the side of a face that is cut out
LONGEST = 1.0  # the distance at the end of the scale
LEFT, SCALE = 20.0, 320.0  # units: the beginning and the length of the scale


class Compared(NamedTuple):
    """A picture that is compared with the known one, and the face in it."""

    title: str
    picture: Array
    face: Face
    distance: float


def draw() -> Figure:
    """Return the figure."""
    reader = FaceReader()
    known = read_image(shipped_picture(KNOWN))
    [face] = reader.faces(known)
    frames = [_found(known, face)]
    frames += [_compared(known, face, other) for other in comparisons(reader, known, face)]
    return Figure(
        "A face and its changed copies",
        "The first picture is the only one that the program knows of this person. Changed copies "
        f"of this picture give points within the distance {THRESHOLD}: it was mirrored, darkened "
        "and reduced. The painted face of another person is farther away.",
        {"": frames},
        stills=(0, 1, len(frames) - 1),
    )


def comparisons(reader: FaceReader, known: Array, face: Face) -> list[Compared]:
    """Return the pictures that are compared with the known face, with their distances."""
    pictures = {
        "mirrored": known[:, ::-1],
        "dark": 0.4 * known,
        "a quarter of the size": resize(known, *(length // 4 for length in known.shape[:2])),
        "another person": read_image(shipped_picture(OTHER)),
    }
    found = []
    for title, picture in pictures.items():
        [other] = reader.faces(picture)
        distance = between(face.embedding, other.embedding)
        found.append(Compared(title, picture, other, distance))
    return found


def _found(picture, face):
    canvas = Canvas(WHOLE, WHOLE)
    scale = WHOLE / max(picture.shape[:2])
    canvas.picture(resize(picture, WHOLE, WHOLE), 0, 0, WHOLE, WHOLE)
    x, y, width, height = (scale * length for length in face.box)
    canvas.curve(
        [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)], "second", 3
    )
    for column, row in scale * np.asarray(face.landmarks):
        canvas.dot(column, row, "second", 1.2)
    words = (
        f"The detector finds one face, with the confidence {number(face.score)}. The second "
        f"network finds its {len(face.landmarks)} landmarks. The third computes "
        f"{len(face.embedding)} numbers from it."
    )
    return Frame(canvas.svg(), words)


def _compared(known, face, other):
    canvas = Canvas(LEFT + SCALE + 40, SIDE + 110)
    for left, title, picture, shown in (
        (LEFT, "known", known, face),
        (LEFT + SIDE + 20, other.title, other.picture, other.face),
    ):
        canvas.text(left, 10, title, bold=True)
        canvas.picture(_cut(picture, shown), left, 24, SIDE, SIDE)
    top = SIDE + 60
    canvas.curve([(LEFT, top), (LEFT + SCALE, top)])
    for distance in (0.0, THRESHOLD, LONGEST):
        place = LEFT + SCALE * distance / LONGEST
        canvas.curve([(place, top - 5), (place, top + 5)])
        canvas.text(place, top + 18, number(distance), anchor="middle")
    is_same = other.distance <= THRESHOLD
    canvas.dot(LEFT + SCALE * other.distance / LONGEST, top, "third" if is_same else "second", 7)
    verdict = "the same person" if is_same else "different people"
    words = (
        f"The distance of the two points is {number(other.distance)}, and the threshold is "
        f"{THRESHOLD}: {verdict}."
    )
    return Frame(canvas.svg(), words)


def _cut(picture, face):
    """Return the square of a picture around a face, (SIDE, SIDE, 3)."""
    x, y, width, height = face.box
    reach = 0.75 * max(width, height)
    column, row = x + width / 2, y + height / 2
    rows = slice(max(0, int(row - reach)), int(row + reach))
    columns = slice(max(0, int(column - reach)), int(column + reach))
    return resize(picture[rows, columns], SIDE, SIDE)
