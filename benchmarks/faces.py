"""Find and tell apart the faces of ORL's 40 people, which no network here was trained on; and the time of each step."""

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import numpy as np
from tqdm import tqdm

import minidl
from benchmarks.recording import RESULTS, keep
from minidl.data import read_image, resize, shipped_picture
from minidl.errors import FileError
from minidl.faces import FaceReader
from minidl.faces.evaluation import evaluate, plot_evaluation
from minidl.faces.identification import THRESHOLD
from minidl.faces.portraits import read_album
from minidl.models import face_detector, face_landmarks, face_recognition

FOLDER = Path("orl", "orl_faces")  # in MINIDL_DATA
THRESHOLDS = 0.44, 0.46, 0.48, 0.5, 0.52, 0.54, 0.56, 0.6
SIDES = {"face_detector": (128, 416, 832), "face_landmarks": (112,), "face_recognition": (150,)}
NETWORKS = {"face_detector": face_detector, "face_landmarks": face_landmarks, "face_recognition": face_recognition}
BATCHES = 1, 16
ROUNDS = 5
START = "from minidl.faces import FaceReader; FaceReader()"


def run(arguments):
    folder, reader = _folder(), FaceReader()
    begun = time.perf_counter()
    album = read_album(folder, reader, lambda paths: tqdm(paths, leave=False, disable=None))
    seconds = (time.perf_counter() - begun) / len(album.paths)
    found, pairs = evaluate(album, THRESHOLD)
    plot_evaluation(RESULTS / "faces.png", found, pairs)
    for what, value in found._asdict().items():
        print(f"{what:24}{value:.4g}")
    at_thresholds = [_told(evaluate(album, threshold)[0]) for threshold in THRESHOLDS]
    for row in at_thresholds:
        print(", ".join(f"{what} {value:.4f}" for what, value in row.items()))
    timed = {"networks": _networks(), "pictures": _pictures(reader) | {"ORL, 92x112": seconds}, "start": _start()}
    for what, times in timed.items():
        print(what, times)
    keep("faces", {**found._asdict(), "at_thresholds": at_thresholds, "seconds": timed})


def _folder():
    data = os.environ.get("MINIDL_DATA")
    if not data or not (Path(data) / FOLDER).is_dir():
        raise FileError(f"ORL's faces are measured on; name a folder that holds {FOLDER} in the variable MINIDL_DATA")
    return Path(data) / FOLDER


def _told(found):
    names = "threshold", "false_accept", "false_reject", "known_named", "strangers_accepted"
    return {name: getattr(found, name) for name in names}


def _networks():
    """{network, side and batch: seconds for one picture}"""
    found, rng = {}, np.random.default_rng(0)
    for name, sides in SIDES.items():
        network = NETWORKS[name]()
        for side in sides:
            for count in BATCHES if side < 400 else (1,):
                pictures = rng.uniform(0, 255, (count, side, side, 3)).astype(np.float32)
                found[f"{name}, {side} pixels, batch {count}"] = _seconds(lambda p=pictures, f=network: f(p)) / count
    return found


def _pictures(reader):
    """{picture: seconds from its numbers to those of its face}"""
    astronaut = read_image(shipped_picture("astronaut"))
    shown = {"astronaut, 512x512": astronaut, "astronaut, 3000x3000": resize(astronaut, 3000, 3000)}
    shown["no face, 640x427"] = read_image(shipped_picture("rocket"))
    return {name: _seconds(lambda p=picture: reader.faces(p)) for name, picture in shown.items()}


def _start():
    """Seconds of a process that does nothing but get ready"""
    return _seconds(lambda: subprocess.run([sys.executable, "-c", START], check=True, cwd=Path(minidl.__file__).parents[1]))


def _seconds(call):
    call()
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return median(times)
