"""Find the faces of a picture, their landmarks and their embeddings.

1. `find` (finding.py) gives boxes around the faces.
2. `upright` gives the square in which a face is upright, from its landmarks. This is done twice,
   because the landmarks are more accurate in an upright square.
3. The embedding is the mean of the embeddings of that square and of its mirror image.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minidl.backend import current_device, to_device, to_numpy
from minidl.checkpoints import shipped
from minidl.data.images import as_picture
from minidl.faces.finding import find, turned_score
from minidl.faces.identification import THRESHOLD
from minidl.faces.sampling import Square
from minidl.models import face_detector, face_landmarks, face_recognition
from minidl.models.face_landmarks import SIDE as LANDMARKS_SIDE
from minidl.models.face_recognition import NUMBERS
from minidl.models.face_recognition import SIDE as RECOGNITION_SIDE
from minidl.typing import Array
from minidl.typing import Path as PathLike

NETWORKS: dict[str, Callable[[], Any]] = {
    "face_detector": face_detector,
    "face_landmarks": face_landmarks,
    "face_recognition": face_recognition,
}
# The version of the steps from a picture to an embedding. Increase it when embeddings change.
PREPROCESSING = 2
AT_ONCE = 32  # faces in one batch
LEFT_EYE, RIGHT_EYE, MOUTH = slice(36, 42), slice(42, 48), slice(48, 68)  # of the 68 landmarks
# Geometry of the squares on which the networks were trained, as fractions of the side:
EYES_TO_MOUTH = 0.42  # the distance of the mouth from the eyes
# A face may be upside down if the score of its turned crops is so much lower than its own. On ORL
# it is at least 0.12 lower for upright faces, and at most 0.12 for those that are upside down.
SUSPICIOUS = 0.2
CENTRE_HEIGHT = 0.4  # how far below the upper edge the centre of eyes and mouth is


@dataclass(frozen=True, eq=False)
class Face:
    """A face in a picture. Lengths are in pixels of the picture."""

    box: tuple[float, ...]  # x, y, width, height; it may extend beyond the picture
    score: float  # confidence of the detector, from 0 to 1
    landmarks: Array  # (68, 2): x and y, in the order of minidl.models.face_landmarks
    # (D,) float32, 128 numbers of the shipped network; None if FaceReader.faces had embed=False
    embedding: Array | Any
    turned: int = 0  # degrees by which the picture was turned clockwise to find it (looking.py)
    stretched: bool = False  # whether the contrast was stretched to find it (looking.py)


class FaceReader:
    """Find and embed faces, on the device that is current when the reader is created.

    network: the folder of a run of `minidl train faces`, whose network computes the embeddings;
    None for the shipped one. Raise FileError if there is no such network in it.

    identity: a text that identifies the weights and the steps of the computation. The embeddings
    of two readers can be compared only if their identities are equal. numbers: how many numbers an
    embedding has. threshold: the largest distance of two faces of one person. network: the path of
    the run, or "".
    """

    identity: str

    def __init__(self, network: PathLike | None = None) -> None:
        self._detector, self._landmarks, self._recognition = (load() for load in NETWORKS.values())
        self._own, self.network = None, "" if network is None else str(network)
        self.numbers, self.threshold = NUMBERS, THRESHOLD
        contents = b"".join(
            hashlib.sha256(Path(shipped(name)).read_bytes()).digest() for name in NETWORKS
        )
        if network is not None:
            # This imports the recipes and the training, which other readers do not need.
            from minidl.faces.trained import own_network

            self._own = own_network(network)
            self.numbers, self.threshold = self._own.numbers, self._own.threshold
            contents += self._own.digest
        self.identity = hashlib.sha256(contents + str(PREPROCESSING).encode()).hexdigest()[:16]

    def faces(self, picture: Array, embed: bool = True) -> list[Face]:
        """Return the faces of a picture (H, W, 3), the one with the highest score first.

        picture: RGB, as `minidl.data.as_picture` accepts it. embed: whether to compute embeddings.
        Raise ShapeError, NonFiniteError or ArgumentError if `as_picture` refuses the picture.
        """
        picture = as_picture(picture)
        boxes = find(self._detector, picture)
        squares = [around(box, *picture.shape[:2]) for box in boxes]
        landmarks: list[Array] = []
        for _ in range(2):
            points = self._each(self._landmarks, picture, squares, LANDMARKS_SIDE, (68, 2))
            landmarks = list(map(Square.place, squares, points))
            squares = [upright(of_face) for of_face in landmarks]
        embeddings = self._embeddings(picture, squares) if embed else [None] * len(squares)
        return [
            Face(tuple(map(float, box[:4])), float(box[4]), of_face, embedding)
            for box, of_face, embedding in zip(boxes, landmarks, embeddings, strict=True)
        ]

    def suspects_half_turn(self, picture: Array, face: Face) -> bool:
        """Return whether a face of a picture (H, W, 3) may be upside down."""
        score = turned_score(self._detector, as_picture(picture), np.array(face.box))
        return score > face.score - SUSPICIOUS

    def _embeddings(self, picture, squares):
        if self._own is None:
            return self._shipped(picture, squares)
        return self._own.embeddings(picture, squares, lambda: self._shipped(picture, squares))

    def _shipped(self, picture, squares):
        def mean_with_mirrored(crops):
            return (self._recognition(crops) + self._recognition(crops[:, :, ::-1])) / 2

        return self._each(mean_with_mirrored, picture, squares, RECOGNITION_SIDE, (NUMBERS,))

    @staticmethod
    def _each(network, picture, squares, side, shape):
        """Return the output (N, *shape) of the network for each of N squares of the picture."""
        outputs = [np.empty((0, *shape), np.float32)]
        for begin in range(0, len(squares), AT_ONCE):
            batch = squares[begin : begin + AT_ONCE]
            crops = np.stack([square.cut(picture, side) for square in batch])
            outputs.append(to_numpy(network(to_device(crops, current_device()))))
        return np.concatenate(outputs)


def around(box: Sequence[float] | Array, height: int, width: int) -> Square:
    """Return the square around the part of a box that lies in a picture of this size.

    box: x, y, width and height. The square has the same centre as that part and its longer side.
    """
    left, right = np.clip([box[0], box[0] + box[2]], 0, width)
    upper, lower = np.clip([box[1], box[1] + box[3]], 0, height)
    return Square((left + right) / 2, (upper + lower) / 2, max(right - left, lower - upper, 1.0))


def upright(landmarks: Array) -> Square:
    """Return the square in which the face with these landmarks (68, 2) is upright.

    Its upper edge is parallel to the line between the eyes. EYES_TO_MOUTH gives its size and
    CENTRE_HEIGHT its place.
    """
    left, right, mouth = (landmarks[part].mean(axis=0) for part in (LEFT_EYE, RIGHT_EYE, MOUTH))
    distance = (np.linalg.norm(mouth - left) + np.linalg.norm(mouth - right)) / 2
    side = max(1.0, float(distance / EYES_TO_MOUTH))
    line = right - left
    angle = np.arctan2(line[1], line[0])
    down = np.array([-np.sin(angle), np.cos(angle)])
    x, y = (left + right + mouth) / 3 + (0.5 - CENTRE_HEIGHT) * side * down
    return Square(x, y, side, angle)
