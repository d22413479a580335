"""The median seconds of each step from a picture to a name."""

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import numpy as np

import minidl
from benchmarks.turns import by_host
from minidl.data import read_image, resize, shipped_picture, write_image
from minidl.faces import Database, Gallery, read_faces
from minidl.faces.identification import THRESHOLD
from minidl.models import face_detector, face_landmarks, face_recognition
from minidl.models.face_recognition import NUMBERS

SIDES = {"face_detector": (128, 416, 832), "face_landmarks": (112,), "face_recognition": (150,)}
NETWORKS = {
    "face_detector": face_detector,
    "face_landmarks": face_landmarks,
    "face_recognition": face_recognition,
}
BATCHES = 1, 16
# (height, width)
PHOTOGRAPHS = {"512x512": (512, 512), "1440x1080": (1080, 1440), "4000x3000": (3000, 4000)}
PEOPLE, MANY, TINY = 1000, 100_000, 32
ROUNDS = 7


def everything(reader, portrait):
    """Return {kind of time: {name: seconds}}. portrait: the path of one of ORL's pictures."""
    with tempfile.TemporaryDirectory() as folder:
        return {
            "networks": _networks(),
            "picture to name": _to_names(reader, portrait, Path(folder)),
            "among": {f"{count:,} embeddings": _among(count) for count in (PEOPLE, MANY)},
            "start": _starts(reader, Path(folder)),
        }


def _networks():
    """Seconds of each network per picture."""
    times, rng = {}, np.random.default_rng(0)
    for name, sides in SIDES.items():
        network = NETWORKS[name]()
        for side in sides:
            for count in BATCHES if side < 400 else (1,):
                pictures = rng.uniform(0, 255, (count, side, side, 3)).astype(np.float32)
                seconds = _seconds(lambda p=pictures, f=network: f(p))
                times[f"{name}, {side} pixels, batch {count}"] = seconds / count
    return times


def _to_names(reader, portrait, folder):
    """Seconds from a file to the names of its faces among PEOPLE, with everything loaded."""
    gallery = Gallery(*_made_up_people(PEOPLE), THRESHOLD)
    paths = {f"portrait of ORL, {_size(portrait)}": portrait}
    astronaut = read_image(shipped_picture("astronaut"))
    for size, extent in PHOTOGRAPHS.items():
        path = paths[f"photograph, {size}"] = folder / f"{size}.jpg"
        write_image(path, resize(astronaut, *extent))
    paths["photograph without a face, 640x427"] = shipped_picture("rocket")

    def identify(path):
        return gallery.identify([face.embedding for face in read_faces(path, reader)])

    return {name: _seconds(lambda p=path: identify(p)) for name, path in paths.items()}


def _size(path):
    height, width = read_image(path).shape[:2]
    return f"{width}x{height}"


def _among(count):
    """Seconds to find one face among so many embeddings, with everything loaded."""
    gallery = Gallery(*_made_up_people(count), THRESHOLD)
    return _seconds(lambda: gallery.identify(gallery.embeddings[-1:]))


def _made_up_people(count):
    """Names, and random vectors whose norms are near those of embeddings."""
    vectors = np.random.default_rng(0).standard_normal((count, NUMBERS), np.float32)
    return [f"person {number}" for number in range(count)], vectors * np.float32(1.4 / NUMBERS**0.5)


def _starts(reader, folder):
    """Seconds of whole processes: the command with a tiny picture, and Python with NumPy only."""
    picture, people = folder / "tiny.png", folder / "people.db"
    write_image(picture, np.zeros((TINY, TINY, 3)))
    database = Database(people, reader.identity, create=True)
    for name, embedding in zip(*_made_up_people(PEOPLE), strict=True):
        database.enroll(name, embedding)
    programs = {
        "`minidl faces identify`, with a tiny picture": [
            *("-m", "minidl.cli", "faces", "identify"), str(people), str(picture),
        ],
        "Python that imports NumPy": ["-c", "import numpy"],
    }  # fmt: skip
    return {name: _seconds(lambda w=words: _process(w)) for name, words in programs.items()}


def _process(arguments):
    subprocess.run(
        [sys.executable, *arguments],
        stdout=subprocess.DEVNULL,
        cwd=Path(minidl.__file__).parents[1],
    )


def _seconds(call):
    call()
    return median(by_host(call, 1) for _ in range(ROUNDS))
