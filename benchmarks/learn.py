"""Train a network with `minidl train`; keep its result, its log and its pictures."""

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import faces
from benchmarks.recording import keep, results_folder, watch_others
from minidl.cli.train import NETWORKS
from minidl.errors import ArgumentError, MinidlError
from minidl.models.embedding import HEADS
from minidl.training.folder import CURVES, PICTURE, RESULT, TABLE


def register(parser):
    meaning = "faces: three runs, one from triplets and one from pairs with each head"
    parser.add_argument("network", choices=NETWORKS, help=meaning)
    parser.add_argument(
        "--preset",
        choices=("fast", "original"),
        default="fast",
        help="the settings (default: fast)",
    )
    meaning = "the folder of a run to resume, or of a complete run whose results are kept"
    parser.add_argument("--folder", type=Path, metavar="FOLDER", help=meaning)


def run(arguments):
    network, preset = arguments.network, arguments.preset
    suffix = "" if preset == "fast" else f"_{preset}"
    if network != "faces":
        _learn(network + suffix, [network, "--preset", preset], arguments.folder)
    elif arguments.folder:
        raise ArgumentError(
            f"--folder {arguments.folder} names one run, but `learn faces` makes three new runs; "
            "omit --folder"
        )
    else:
        people = str(faces.orl_folder())
        for head in HEADS:
            settings = "pairs" if preset == "fast" and head != "triplet" else preset
            _learn(f"faces_{head}{suffix}", [network, people, "--preset", settings, "--head", head])


def _learn(name, words, resumed_folder=None):
    """Run `minidl train` with these words. Keep NAME.json and the pictures of the run.

    resumed_folder: the folder of a run to resume. The time of the whole command is then unknown.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = resumed_folder or Path(temporary) / "run"
        begun, others = _clocks(), watch_others()
        resume = ["--resume"] if resumed_folder else []
        command = ["train", *words, "--folder", str(folder), *resume]
        if code := subprocess.run([sys.executable, "-m", "minidl.cli", *command]).returncode:
            raise MinidlError(
                f"`minidl {' '.join(command)}` ended with exit code {code}; expected 0; "
                "follow the message that it printed"
            )
        seconds, cpu = (now - then for now, then in zip(_clocks(), begun, strict=True))
        result = json.loads((folder / RESULT).read_text())
        with open(folder / TABLE, newline="") as file:
            epochs = list(csv.DictReader(file))
        for picture in (CURVES, PICTURE):
            if (folder / picture).exists():
                shutil.copy(folder / picture, results_folder() / f"{name}_{picture}")
    command_times = {"command_seconds": seconds, "cpu_seconds": cpu, "others": others()}
    if resumed_folder:
        command_times = dict.fromkeys(command_times)
    keep(name, result | command_times | {"epochs": epochs})


def _clocks():
    """Seconds of wall-clock time, and of processor time by the programs that were run."""
    times = os.times()
    return time.perf_counter(), times.children_user + times.children_system
