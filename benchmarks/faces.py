"""Find and tell apart the faces of ORL's 40 people, which no network here was trained on; and the
time of each step."""

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
    folder, reader = people(), FaceReader()
    album = read_album(folder, reader, lambda paths: tqdm(paths, leave=False, disable=None))
    found, pairs = evaluate(album, THRESHOLD)
    plot_evaluation(results_folder() / "faces.png", found, pairs)
    for what, value in found._asdict().items():
        print(f"{what:24}{value:.4g}")
    at_thresholds = [_told(evaluate(album, threshold)[0]) for threshold in THRESHOLDS]
    for row in at_thresholds:
        print(", ".join(f"{what} {value:.4f}" for what, value in row.items()))
    others = watch_others()
    timed = faces_timed.everything(reader, album.paths[0])
    for what, seconds in timed.items():
        for name, value in seconds.items():
            print(f"{what}: {name:44}{1e3 * value:8.1f} ms")
    keep(
        "faces",
        {**found._asdict(), "at_thresholds": at_thresholds, "seconds": timed, "others": others()},
    )


def people():
    """The folder of ORL's people"""
    data = os.environ.get("MINIDL_DATA")
    if not data or not (Path(data) / FOLDER).is_dir():
        raise FileError(
            f"ORL's faces are measured on; name a folder that holds {FOLDER} in the variable MINIDL_DATA"
        )
    return Path(data) / FOLDER


def _told(found):
    names = "threshold", "false_accept", "false_reject", "known_named", "strangers_accepted"
    return {name: getattr(found, name) for name in names}
