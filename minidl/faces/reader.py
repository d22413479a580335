"""From a picture to its faces: where they are, their landmarks, and the 128 numbers that tell whose
they are.

find       boxes around the faces                                           finding.py
align      the square that shows a face upright, by its landmarks; twice, for the second look at it, upright already,
           is the better one                                                alignment.py
embed      128 numbers of the square; the mean with those of its mirror image
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from minidl.backend import current_device, to_device, to_numpy
from minidl.checkpoints import shipped
from minidl.data.images import as_picture
from minidl.faces.alignment import around, upright
from minidl.faces.finding import find
from minidl.models import face_detector, face_landmarks, face_recognition
from minidl.models.face_landmarks import SIDE as LANDMARKS_SIDE
from minidl.models.face_recognition import NUMBERS
from minidl.models.face_recognition import SIDE as RECOGNITION_SIDE

NETWORKS = {
    "face_detector": face_detector,
    "face_landmarks": face_landmarks,
    "face_recognition": face_recognition,
}
PREPROCESSING = 2  # counts what was changed on the way from a picture to the numbers
AT_ONCE = 32  # faces in one batch


@dataclass(frozen=True, eq=False)
class Face:
    """box: (x, y, width, height) in pixels of the picture, which it may leave; score: 0..1, how
    sure the detector is; landmarks: (68, 2), x and y in pixels, in the order of
    minidl.models.face_landmarks; embedding: (128,) float32, or None where it was not asked for."""

    box: tuple
    score: float
    landmarks: np.ndarray
    embedding: np.ndarray | None


class FaceReader:
    """Reads the faces of pictures, on the device that is current when it is made. `identity` names
    the weights and the way to the numbers: embeddings of two readers mean the same only where it is
    the same."""

    def __init__(self):
        self._detector, self._landmarks, self._recognition = (
            network() for network in NETWORKS.values()
        )
        contents = b"".join(
            hashlib.sha256(Path(shipped(name)).read_bytes()).digest() for name in NETWORKS
        )
        self.identity = hashlib.sha256(contents + str(PREPROCESSING).encode()).hexdigest()[:16]

    def faces(self, picture, embed=True):
        """(H, W, 3), RGB, as `minidl.data.as_picture` takes it -> [Face], the best score first.

        embed: whether to compute the embeddings of 128 numbers.
        """
        picture = as_picture(picture)
        boxes = find(self._detector, picture)
        squares = [around(box, *picture.shape[:2]) for box in boxes]
        for _ in range(2):
            points = self._each(self._landmarks, picture, squares, LANDMARKS_SIDE, (68, 2))
            landmarks = [square.place(found) for square, found in zip(squares, points, strict=True)]
            squares = [upright(found) for found in landmarks]
        embeddings = self._embeddings(picture, squares) if embed else [None] * len(squares)
        return [
            Face(tuple(map(float, box[:4])), float(box[4]), *rest)
            for box, *rest in zip(boxes, landmarks, embeddings, strict=True)
        ]

    def _embeddings(self, picture, squares):
        def both(crops):
            return (self._recognition(crops) + self._recognition(crops[:, :, ::-1])) / 2

        return self._each(both, picture, squares, RECOGNITION_SIDE, (NUMBERS,))

    @staticmethod
    def _each(network, picture, squares, side, shape):
        """What the network makes of each square of the picture: (N, *shape)"""
        found = [np.empty((0, *shape), np.float32)]
        for begin in range(0, len(squares), AT_ONCE):
            crops = np.stack(
                [square.cut(picture, side) for square in squares[begin : begin + AT_ONCE]]
            )
            found.append(to_numpy(network(to_device(crops, current_device()))))
        return np.concatenate(found)
