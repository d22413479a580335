"""`minidl stylize`: kill -9 at any moment leaves whole files, and a checkpoint that continues.

The kernel ends a killed process at once, so no handler can help. Each run is a child that is forked
by a process that has imported minidl and read the weights, because that takes longer than the run.
"""

import csv
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from minidl.style_transfer.checkpoint import load

STEPS = 6
RUN = (
    f"photo.png painting.jpg --size 32 --steps {STEPS} -o painted.png --every 1 -q "
    "--checkpoint run.checkpoint --preview preview.png --log losses.csv --frames frames "
    "--film film.gif"
)
FILES = ("painted.png", "preview.png", "film.gif", "losses.csv", "run.checkpoint")
SERVER = """
import functools, os, sys
from minidl.checkpoints import shipped
from minidl.cli import main
from minidl.style_transfer import painting
painting.vgg19 = functools.cache(painting.vgg19)
painting.vgg19(shipped("vgg19"), pooling="avg")
for line in iter(sys.stdin.readline, ""):
    child = os.fork()
    if not child:
        os._exit(main(line.split()))
    print(child, flush=True)
    sys.stdin.readline()  # until then the number of an ended child is not used again
    print(os.waitpid(child, 0)[1], flush=True)
"""


class Runs:
    """Runs `minidl stylize` in children of one process, one after the other. A context."""

    def __enter__(self):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
        self._server = subprocess.Popen([sys.executable, "-c", SERVER], **pipes)
        return self

    def __exit__(self, *error):
        self._server.stdin.close()
        self._server.stdout.close()
        self._server.wait()

    def start(self, options):
        """Start a command and return the number of its process."""
        self._server.stdin.write(f"stylize {options}\n")
        return int(self._server.stdout.readline())

    def end(self):
        """Wait for the end of the command, and return its status as os.waitpid does."""
        self._server.stdin.write("\n")
        return int(self._server.stdout.readline())


def kill_at_random(process, rng, duration):
    """Kill a process at a random moment of its duration, or while it writes a random file."""
    if rng.random() < 0.5:
        time.sleep(rng.uniform(0, duration))
    else:
        for _ in range(rng.randint(1, 4 * STEPS)):  # it writes four files at each step
            while unfinished():
                pass
            while not unfinished() and not os.path.exists("film.gif"):  # the last file
                pass
    os.kill(process, signal.SIGKILL)


def unfinished():
    """Return the names of temporary files."""
    folders = [folder for folder in (".", "frames") if os.path.exists(folder)]
    return [name for folder in folders for name in os.listdir(folder) if name.startswith(".")]


def must_be_whole(path):
    """Read a file completely."""
    if path.suffix == ".csv":
        with open(path, newline="") as file:
            rows = [
                {name: float(cell) for name, cell in row.items()} for row in csv.DictReader(file)
            ]
        assert [row["step"] for row in rows] == [*range(1, len(rows) + 1)] != []
    elif path.suffix == ".checkpoint":
        load(path)
    else:
        with Image.open(path) as picture:
            for number in range(getattr(picture, "n_frames", 1)):
                picture.seek(number)
                picture.load()


def written():
    """Return the files with a final name that a run has written."""
    paths = [*map(Path, FILES), *Path("frames").glob("step*")]
    return [path for path in paths if path.exists()]


def pictures():
    """Return {name: bytes} of the painting and its frames."""
    paths = [path for path in written() if path.suffix == ".png"]
    return {str(path): path.read_bytes() for path in paths}


@pytest.mark.parametrize("kills", [2, pytest.param(200, marks=pytest.mark.thorough)])
def test_a_killed_run_leaves_whole_files_and_continues_with_the_same_bytes(kills):
    rng, counts = random.Random(kills), Counter()
    with Runs() as runs:
        runs.start(RUN)
        assert runs.end() == 0  # the first run reads more from the disk than the next
        begin = time.monotonic()
        runs.start(RUN)
        assert runs.end() == 0
        duration, unbroken = time.monotonic() - begin, pictures()
        for _ in range(10 * kills):  # some runs end before they are killed
            if counts["killed"] >= kills and counts["resumed"]:
                break
            for path in written():
                path.unlink()
            kill_at_random(runs.start(RUN), rng, duration)
            counts["killed"] += runs.end() == signal.SIGKILL
            counts["while a file was written"] += bool(unfinished())
            for path in written():
                must_be_whole(path)
            is_stored = os.path.exists("run.checkpoint")
            counts["resumed"] += is_stored
            runs.start("--resume run.checkpoint -q" if is_stored else RUN)
            assert runs.end() == 0
            assert pictures() == unbroken and not unfinished()
    print(dict(counts))
    assert counts["killed"] >= kills and counts["resumed"]
