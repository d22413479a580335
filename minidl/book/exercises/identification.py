"""Exercises of the chapter about faces."""

import numpy as np

from minidl.book.exercises.exercise import Exercise, given
from minidl.faces.identification import Gallery


def identify(faces, known, threshold):
    gallery = Gallery([*map(str, range(len(known)))], known, threshold)
    return np.array([int(match.name or -1) for match in gallery.identify(faces)])


def norm(d):
    return np.sqrt((d * d).sum(axis=-1))


def by(distance=norm, choose=np.argmin, accepted=np.less_equal, unknown=-1):
    """Return an identification with another distance, choice, comparison or number of a
    stranger."""

    def wrong(faces, known, threshold):
        distances = distance(faces[:, None] - known)
        chosen = choose(distances, axis=1)
        is_known = accepted(distances[np.arange(len(faces)), chosen], threshold)
        return np.where(is_known, chosen, unknown)

    return wrong


def faces_of_known(limit):
    """Return the identification that finds a face for each known one, within a limit(threshold)."""

    def wrong(faces, known, threshold):
        distances = norm(faces[:, None] - known)
        return np.where(distances.min(axis=0) <= limit(threshold), distances.argmin(axis=0), -1)

    return wrong


def by_products(faces, known, threshold):
    chosen = (faces @ known.T).argmax(axis=1)
    return np.where(norm(faces - known[chosen]) <= threshold, chosen, -1)


def counted_from_1(faces, known, threshold):
    numbers = identify(faces, known, threshold)
    return np.where(numbers < 0, -1, numbers + 1)


PEOPLE = np.array([[0.0, 0.0, 0.0], [6.0, 0.0, 0.0], [0.0, 8.0, 0.0], [9.0, 9.0, 9.0]])

EXERCISES = [
    Exercise(
        name="identify",
        chapter="faces",
        title="The nearest known face, or a stranger",
        task="""\
(M, D), (N, D) -> (M,)

faces (M, D) are the embeddings of M faces, and known (N, D) those of N known faces, N at least 1.
The distance of two embeddings is the root of the sum of squared differences. Return an array of M
integers: for each face, the index of the nearest known face if their distance is at most the
threshold, and -1 otherwise. If several are nearest, the first counts.""",
        hint="""\
faces[:, None] - known has the shape (M, N, D). np.argmin finds the first of the smallest
numbers.""",
        right=identify,
        returns=("index",),
        example={
            "faces": np.array([[3.0, 3.5], [9.0, 9.0]]),
            "known": np.array([[0.0, 0.0], [3.0, 4.0]]), "threshold": 1.0,
        },
        cases={
            "one known face": {
                "faces": np.array([[1.0, 1.0], [4.0, 4.0], [-1.0, 2.0]]),
                "known": np.array([[0.0, 0.0]]), "threshold": 3.0,
            },
            "at the threshold": {
                "faces": np.array([[3.0, 4.0], [4.0, 4.0]]),
                "known": np.array([[0.0, 0.0], [20.0, 20.0]]), "threshold": 5.0,
            },
            "several within the threshold": {
                "faces": np.array([[4.0, 0.0, 0.0], [5.0, 2.0, 2.0], [8.0, 3.0, 2.0]]),
                "known": PEOPLE, "threshold": 5.0,
            },
            "two equally near": {
                "faces": np.array([[3.0, 0.0, 0.0], [0.0, 4.0, 0.0]]), "known": PEOPLE,
                "threshold": 5.0,
            },
            "faces and strangers": {
                "faces": np.array([
                    [8.0, 8.0, 9.0], [0.0, 7.0, 1.0], [-3.0, 3.0, 3.0], [5.0, -1.0, 0.0],
                    [-6.0, 0.0, 0.0], [1.0, 1.0, 1.0],
                ]),
                "known": PEOPLE, "threshold": 5.0,
            },
        },
        wrong={
            "The threshold is ignored: a face that is too far from all is a stranger.":
                given(identify, threshold=lambda threshold: np.inf),
            "A distance equal to the threshold counts as known: compare with <=.":
                by(accepted=np.less),
            "The comparison with the threshold is turned around.": by(accepted=np.greater),
            "The first face within the threshold is taken. It has to be the nearest.":
                lambda faces, known, threshold: by(
                    choose=lambda distances, axis: np.argmax(distances <= threshold, axis=axis)
                )(faces, known, threshold),
            "Of several nearest faces, the last is taken. The first counts.": by(
                choose=lambda distances, axis:
                    distances.shape[axis] - 1 - distances[:, ::-1].argmin(axis=axis)
            ),
            "The farthest known face is taken. It has to be the nearest.": by(choose=np.argmax),
            "The root is missing: the squared distance is compared with the threshold.":
                by(lambda d: (d * d).sum(axis=-1)),
            "The distance is a sum of absolute differences. It is the root of a sum of squares.":
                by(lambda d: abs(d).sum(axis=-1)),
            "The distance is the largest difference. It is the root of the sum of squares.":
                by(lambda d: abs(d).max(axis=-1)),
            "The distance is the root of a mean. It is the root of the sum of squares.":
                by(lambda d: np.sqrt((d * d).mean(axis=-1))),
            "The nearest face of each known one is found. Find the nearest known one of each face.":
                (faces_of_known(lambda threshold: threshold), faces_of_known(lambda _: np.inf)),
            "The face with the largest product is taken. It has to be the nearest.": by_products,
            "A stranger is 0, which is the index of a known face. It has to be -1.":
                by(unknown=0),
            "The known faces are counted from 1. An index begins at 0.": counted_from_1,
        },
    ),
]  # fmt: skip
