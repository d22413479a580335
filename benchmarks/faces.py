"""Detect and recognise the faces of ORL's 40 people, and time each step.

None of the shipped networks was trained on these people.
"""

import os
from pathlib import Path

from tqdm import tqdm

from benchmarks import faces_timed
from benchmarks.recording import keep, results_folder, watch_others
from minidl.errors import FileError
from minidl.faces import THRESHOLD, FaceReader, evaluate, plot_evaluation, read_album

FOLDER = Path("orl", "orl_faces")  # in MINIDL_DATA
THRESHOLDS = 0.44, 0.46, 0.48, 0.5, 0.52, 0.54, 0.56, 0.6


def run(arguments):
    folder, reader = orl_folder(), FaceReader()
    album = read_album(folder, reader, lambda paths: tqdm(paths, leave=False, disable=None))
    rates, pairs = evaluate(album, THRESHOLD)
    plot_evaluation(results_folder() / "faces.png", rates, pairs)
    for name, value in rates._asdict().items():
        print(f"{name:24}{value:.4g}")
    at_thresholds = [_rates(evaluate(album, threshold)[0]) for threshold in THRESHOLDS]
    for row in at_thresholds:
        print(", ".join(f"{name} {value:.4f}" for name, value in row.items()))
    others = watch_others()
    timed = faces_timed.everything(reader, album.paths[0])
    for what, seconds in timed.items():
        for name, value in seconds.items():
            print(f"{what}: {name:44}{1e3 * value:8.1f} ms")
    measured = {"at_thresholds": at_thresholds, "seconds": timed, "others": others()}
    keep("faces", rates._asdict() | measured)


def orl_folder():
    """Return the folder with the pictures of ORL's people. Raise FileError if it is missing."""
    data = os.environ.get("MINIDL_DATA")
    if not data or not (Path(data) / FOLDER).is_dir():
        state = f"is {data}, which does not contain {FOLDER}" if data else "is not set"
        raise FileError(
            f"the ORL faces are missing: the variable MINIDL_DATA {state}; "
            f"set MINIDL_DATA to a folder that contains {FOLDER}"
        )
    return Path(data) / FOLDER


def _rates(evaluation):
    names = "threshold", "false_accept", "false_reject", "known_named", "strangers_accepted"
    return {name: getattr(evaluation, name) for name in names}
