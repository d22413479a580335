"""Ctrl-C and SIGTERM in `minidl visualize` keep what there is, written whole."""

import os
import signal
import subprocess
import sys
from itertools import count

import numpy as np
import pytest

from minidl.autograd import Tensor
from minidl.cli import main
from minidl.cli.visualize import dream, invert, patches, saliency, unit
from minidl.data import read_image, read_metadata, resize, write_image
from minidl.visualize.dream import Step
from minidl.visualize.network import Network
from tests.visualize import tiny


@pytest.fixture(autouse=True)
def new_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkdir("photos")
    rng = np.random.default_rng(0)
    for number in range(6):
        write_image(f"photos/{number}.png", rng.uniform(0, 255, (100, 70, 3)))
    for command in (dream, invert, patches, saliency, unit):
        monkeypatch.setattr(command, "open_network", lambda source: tiny.two_convolutions())


def visualize(action, *words):
    return main(["visualize", action, *map(str, words), "-o", "out.png"])


def interrupted_at(monkeypatch, call, number=signal.SIGINT):
    """Let the network send a signal to this process at its pass of this number, twice."""
    calls, compute = count(1), Network.activations

    def activations(self, pictures, *arguments):
        if isinstance(pictures, Tensor) and next(calls) == call:
            os.kill(os.getpid(), number)
            os.kill(os.getpid(), number)
        return compute(self, pictures, *arguments)

    monkeypatch.setattr(Network, "activations", activations)


def stopped(capsys):
    """Return the number of steps in the metadata, and what was printed."""
    out = capsys.readouterr().out
    assert "stopped " in out and out.rstrip().endswith("out.png")
    assert not [name for name in os.listdir() if name.startswith(".")]  # no unfinished file
    return read_metadata("out.png")["stopped_after"], out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_dream_is_kept_in_its_full_size(monkeypatch, capsys, number):
    interrupted_at(monkeypatch, call=5, number=number)  # 1 measures the picture
    assert visualize("dream", "photos/0.png", "--octaves", 2, "--steps", 9) == 130
    assert read_image("out.png").shape == (100, 70, 3)
    steps, out = stopped(capsys)
    assert steps == 3 and "stopped after 3 of 18 steps in " in out


def test_a_stopped_dream_has_the_change_of_its_last_step(monkeypatch):
    change = np.zeros((72, 50, 3), np.float32)
    change[20:40] = 30

    def dreaming(network, picture, units, **settings):
        small = resize(picture, 72, 50)
        yield Step(1, 1, small + change)
        os.kill(os.getpid(), signal.SIGINT)
        yield Step(1, 2, small)

    monkeypatch.setattr(dream, "dream", dreaming)
    assert visualize("dream", "photos/0.png") == 130
    difference = read_image("out.png") - read_image("photos/0.png")
    assert abs(difference[:24]).max() <= 1 and difference[30:54].mean() > 20


def test_the_pictures_of_units_are_kept(monkeypatch, capsys):
    interrupted_at(monkeypatch, call=6)  # 1 scales the objective, 2 measures it
    assert visualize("unit", "far", 0, 1, "--size", 16, "--steps", 40) == 130
    steps, out = stopped(capsys)
    assert steps == 3 and "stopped after 3 of 40 steps" in out
    assert all(after != before for before, after in read_metadata("out.png")["units"].values())


def test_the_reconstructions_are_kept_as_far_as_they_came(monkeypatch, capsys):
    # 1 is for the estimate, 2 the target, 3 to 7 the steps, 8 the result, 9 the next target
    interrupted_at(monkeypatch, call=12)
    words = ["--layers", "near", "far", "--match", "content", "style", "--steps", 5]
    assert visualize("invert", "photos/0.png", *words) == 130
    done, out = stopped(capsys)
    assert done == 2 and "in 5 steps" in out and "in 2 steps" in out
    assert "stopped in picture 2 of 4" in out


def test_the_patches_of_the_pictures_so_far_are_kept(monkeypatch, capsys):
    monkeypatch.setattr("minidl.visualize.strongest.NUMBERS_AT_ONCE", 1)
    interrupted_at(monkeypatch, call=4)
    assert visualize("patches", "photos", "--size", 20, "--per-layer", 1) == 130
    out = capsys.readouterr().out
    assert "patches of 3 pictures, stopped before the other 3" in out
    assert read_metadata("out.png")["pictures"] == "3 pictures"


def test_the_maps_so_far_are_kept(monkeypatch, capsys):
    interrupted_at(monkeypatch, call=4)
    words = ["--unit", "far_relu:1", "--methods", "gradient", "guided", "occlusion"]
    assert visualize("saliency", "photos/0.png", *words) == 130
    done, out = stopped(capsys)
    assert done == 2 and "stopped after 2 of 3 maps" in out and "occlusion" not in out


@pytest.mark.parametrize(
    ("action", "words", "call"),
    [
        ("dream", ["photos/0.png"], 2),
        ("unit", ["far", "0"], 3),
        ("invert", ["photos/0.png"], 2),
        ("saliency", ["photos/0.png", "--unit", "far:1"], 2),
        ("patches", ["photos", "--layers", "far"], 1),
    ],
)
def test_nothing_is_written_if_there_is_nothing_to_keep(monkeypatch, capsys, action, words, call):
    interrupted_at(monkeypatch, call)
    assert visualize(action, *words) == 130
    assert "minidl: stopped" in capsys.readouterr().err and sorted(os.listdir()) == ["photos"]


def test_a_complete_picture_has_no_such_record(capsys):
    assert visualize("dream", "photos/0.png", "--octaves", 1, "--steps", 1) == 0
    assert "stopped" not in capsys.readouterr().out
    assert "stopped_after" not in read_metadata("out.png")


@pytest.mark.thorough
def test_ctrl_c_in_a_process():
    """The signal is sent after the first step, which prints the first state of the bar."""
    words = ["visualize", "dream", "photos/0.png", "--steps", "100000", "--long", "-o", "out.png"]
    process = subprocess.Popen(
        [sys.executable, "-m", "minidl", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    seen = ""
    while "step/s" not in seen and process.poll() is None:
        seen += process.stderr.read(1)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in seen + error
    assert "stopped after" in out and read_image("out.png").shape == (100, 70, 3)
