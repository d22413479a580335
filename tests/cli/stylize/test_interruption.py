"""`minidl stylize`: Ctrl-C, other signals and a closed terminal do not lose the painting."""

import csv
import os
import shlex
import signal
import subprocess
import time

import pytest

from minidl.data import read_image, read_metadata
from tests.cli.stylize.commands import PROCESS

LONG = [*PROCESS, *["--size", "32", "--steps", "100000", "-o", "painted.png"]]
PREVIEW = ["--preview", "preview.png", "--every", "1"]


def wait_for_preview():
    deadline = time.monotonic() + 60
    while not os.path.exists("preview.png") and time.monotonic() < deadline:
        time.sleep(0.05)


def test_ctrl_c_saves_the_painting():
    words = [*LONG, *PREVIEW, "--log", "losses.csv"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for_preview()
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=60)
    assert process.returncode == 130, error
    assert "stopped after" in out and "the painting is in painted.png" in out
    assert "Traceback" not in error
    steps = read_metadata("painted.png")["steps_done"]
    with open("losses.csv", newline="") as file:
        assert len(list(csv.DictReader(file))) == steps >= 1


@pytest.mark.thorough
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_repeated_signals_do_not_lose_the_painting(number):
    process = subprocess.Popen([*LONG, *PREVIEW, "-q"])
    wait_for_preview()
    for _ in range(4):
        process.send_signal(number)
        time.sleep(0.003)
    # the last signal may arrive after the painting is saved
    assert process.wait(timeout=60) in (130, -number)
    assert read_metadata("painted.png")["steps_done"] >= 1
    assert not [name for name in os.listdir() if name.startswith(".")]  # no unfinished file


@pytest.mark.thorough
@pytest.mark.parametrize("redirection", [">&-", "2>&-", "| true", ">/dev/full"])
def test_a_closed_terminal_does_not_lose_the_painting(redirection):
    line = f"{shlex.join(PROCESS)} --size 32 --steps 2 -o painted.png {redirection}"
    subprocess.run(line, shell=True, stderr=subprocess.DEVNULL)
    assert read_image("painted.png").shape == (20, 32, 3)
