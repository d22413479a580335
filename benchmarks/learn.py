"""Train a network as a whole command, with the settings of its preset; keep its log, its curves and what it reached."""

import csv
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.recording import RESULTS, keep
from minidl.training.loop import CURVES, PICTURE, TABLE

NETWORKS = ("siamese", "cifar10")


def register(parser):
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("--folder", type=Path, metavar="FOLDER", help="of a run to go on from, or that is done")


def run(arguments):
    with tempfile.TemporaryDirectory() as temporary:
        folder, network = arguments.folder or Path(temporary) / "run", arguments.network
        resume = ["--resume"] if arguments.folder else []
        command = [sys.executable, "-m", "minidl.cli", "train", network, "--folder", str(folder), *resume]
        subprocess.run(command, check=True)
        result = json.loads((folder / "result.json").read_text())
        with open(folder / TABLE, newline="") as file:
            epochs = list(csv.DictReader(file))
        for picture in (CURVES, PICTURE):
            if (folder / picture).exists():
                shutil.copy(folder / picture, RESULTS / f"{network}_{picture}")
    keep(network, {**result, "epochs": epochs})
