"""Train a network as a whole command, with the settings of a preset; keep its log, its curves and what it reached."""

import csv
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.recording import RESULTS, keep
from minidl.cli.train import NETWORKS, RESULT
from minidl.errors import MinidlError
from minidl.training.loop import CURVES, PICTURE, TABLE


def register(parser):
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("--preset", choices=("fast", "seed"), default="fast", help="the settings (default: fast)")
    parser.add_argument("--folder", type=Path, metavar="FOLDER", help="of a run to go on from, or that is done")


def run(arguments):
    network, preset = arguments.network, arguments.preset
    name = network if preset == "fast" else f"{network}_{preset}"
    with tempfile.TemporaryDirectory() as temporary:
        folder, begun = arguments.folder or Path(temporary) / "run", time.perf_counter()
        resume = ["--resume"] if arguments.folder else []
        command = ["train", network, "--preset", preset, "--folder", str(folder), *resume]
        if code := subprocess.run([sys.executable, "-m", "minidl.cli", *command]).returncode:
            raise MinidlError(f"`minidl {' '.join(command)}` ended with the code {code}; mend what it says")
        seconds = time.perf_counter() - begun
        result = json.loads((folder / RESULT).read_text())
        with open(folder / TABLE, newline="") as file:
            epochs = list(csv.DictReader(file))
        for picture in (CURVES, PICTURE):
            if (folder / picture).exists():
                shutil.copy(folder / picture, RESULTS / f"{name}_{picture}")
    whole = None if arguments.folder else seconds  # with loading, checkpoints, drawings and the test
    keep(name, {**result, "command_seconds": whole, "epochs": epochs})
