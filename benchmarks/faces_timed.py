"""Seconds of each step from a picture to a name: medians."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

import minidl
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
    """{what: {name: seconds}}. portrait: the path of a picture of ORL."""
    with tempfile.TemporaryDirectory() as folder:
        return {
            "networks": _networks(),
            "picture to name": _to_names(reader, portrait, Path(folder)),
            "among": {f"{count:,} embeddings": _among(count) for count in (PEOPLE, MANY)},
            "start": _starts(reader, Path(folder)),
        }


def _networks():
    """For one picture"""
    found, rng = {}, np.random.default_rng(0)
    for name, sides in SIDES.items():
        network = NETWORKS[name]()
        for side in sides:
            for count in BATCHES if side < 400 else (1,):
                pictures = rng.uniform(0, 255, (count, side, side, 3)).astype(np.float32)
                found[f"{name}, {side} pixels, batch {count}"] = (
                    _seconds(lambda p=pictures, f=network: f(p)) / count
                )
    return found


def _to_names(reader, portrait, folder):
    """From a file with a face to its name among PEOPLE, everything loaded"""
    gallery, paths = (
        Gallery(*_strangers(PEOPLE), THRESHOLD),
        {f"portrait of ORL, {_size(portrait)}": portrait},
    )
    for size, extent in PHOTOGRAPHS.items():
        paths[f"photograph, {size}"] = folder / f"{size}.jpg"
        write_image(
            folder / f"{size}.jpg", resize(read_image(shipped_picture("astronaut")), *extent)
        )
    paths["photograph without a face, 640x427"] = shipped_picture("rocket")

    def identify(path):
        return gallery.identify([face.embedding for face in read_faces(path, reader)])

    return {name: _seconds(lambda p=path: identify(p)) for name, path in paths.items()}


def _size(path):
    height, width = read_image(path).shape[:2]
    return f"{width}x{height}"


def _among(count):
    """One face among so many, everything loaded"""
    gallery = Gallery(*_strangers(count), THRESHOLD)
    return _seconds(lambda: gallery.identify(gallery.embeddings[-1:]))


def _strangers(count):
    """Names, and numbers of the length that embeddings have"""
    numbers = np.random.default_rng(0).standard_normal((count, NUMBERS), np.float32)
    return [f"person {number}" for number in range(count)], numbers * np.float32(1.4 / NUMBERS**0.5)


def _starts(reader, folder):
    """Of whole processes: the command with a tiny picture, among PEOPLE; Python with NumPy alone"""
    write_image(folder / "tiny.png", np.zeros((TINY, TINY, 3)))
    database = Database(folder / "people.db", reader.identity, create=True)
    for name, numbers in zip(*_strangers(PEOPLE), strict=True):
        database.enroll(name, numbers)
    identify = [
        "-m",
        "minidl.cli",
        "faces",
        "identify",
        str(folder / "people.db"),
        str(folder / "tiny.png"),
    ]
    words = {
        "`minidl faces identify`, with a tiny picture": identify,
        "Python that imports NumPy": ["-c", "import numpy"],
    }
    return {name: _seconds(lambda w=arguments: _process(w)) for name, arguments in words.items()}


def _process(arguments):
    subprocess.run(
        [sys.executable, *arguments],
        stdout=subprocess.DEVNULL,
        cwd=Path(minidl.__file__).parents[1],
    )


def _seconds(call):
    call()
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return median(times)
