"""Train a network as a whole command, with the settings of a preset; keep its log, its curves and
what it reached."""

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
    parser.add_argument(
        "network", choices=NETWORKS, help="faces: three, from triplets and with either head"
    )
    parser.add_argument(
        "--preset",
        choices=("fast", "original"),
        default="fast",
        help="the settings (default: fast)",
    )
    parser.add_argument(
        "--folder", type=Path, metavar="FOLDER", help="of a run to go on from, or that is done"
    )


def run(arguments):
    network, preset = arguments.network, arguments.preset
    suffix = "" if preset == "fast" else f"_{preset}"
    if network != "faces":
        _learn(network + suffix, [network, "--preset", preset], arguments.folder)
    elif arguments.folder:
        raise ArgumentError(
            "faces are three runs of minutes, which begin anew each time; leave --folder out"
        )
    else:
        people = str(faces.people())
        for head in HEADS:
            settings = "pairs" if preset == "fast" and head != "triplet" else preset
            _learn(f"faces_{head}{suffix}", [network, people, "--preset", settings, "--head", head])


def _learn(name, words, begun_in=None):
    """Run `minidl train` with these words and keep results/NAME.json, and its pictures. begun_in:
    the folder to go on from."""
    with tempfile.TemporaryDirectory() as temporary:
        folder, begun, others = begun_in or Path(temporary) / "run", _clocks(), watch_others()
        command = ["train", *words, "--folder", str(folder), *(["--resume"] if begun_in else [])]
        if code := subprocess.run([sys.executable, "-m", "minidl.cli", *command]).returncode:
            raise MinidlError(
                f"`minidl {' '.join(command)}` ended with the code {code}; mend what it says"
            )
        seconds, cpu = (now - then for now, then in zip(_clocks(), begun, strict=True))
        result = json.loads((folder / RESULT).read_text())
        with open(folder / TABLE, newline="") as file:
            epochs = list(csv.DictReader(file))
        for picture in (CURVES, PICTURE):
            if (folder / picture).exists():
                shutil.copy(folder / picture, results_folder() / f"{name}_{picture}")
    # The whole command, with loading, checkpoints, drawings and the test
    whole = dict.fromkeys(("command_seconds", "cpu_seconds", "others")) if begun_in else {
        "command_seconds": seconds, "cpu_seconds": cpu, "others": others(),
    }  # fmt: skip
    keep(name, {**result, **whole, "epochs": epochs})


def _clocks():
    """Seconds: of the clock, of the processor by the programs that were run"""
    times = os.times()
    return time.perf_counter(), times.children_user + times.children_system
