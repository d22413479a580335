"""Long work is announced before it begins, and refused unless it is confirmed."""

import os

import numpy as np
import pytest

from minidl.cli import main
from minidl.cli.visualize import dream, effort, invert, patches, saliency, unit
from minidl.data import write_image
from tests.visualize import tiny

COMMANDS = {
    dream: (["dream", "photos/0.png", "--octaves", "2", "--steps", "3"], "6 steps up to 70x100"),
    unit: (["unit", "far", "0", "1", "--size", "16", "--steps", "5"], "5 steps for 2 pictures"),
    invert: (["invert", "photos/0.png", "--layers", "near", "--steps", "4"], "4 steps for 70x100"),
    patches: (["patches", "photos", "--size", "20"], "searching 2 pictures of 20x20"),
    saliency: (
        ["saliency", "photos/0.png", "--unit", "far:1", "--methods", "occlusion", "--window", "50",
         "--stride", "50"],
        "5 forward passes of 70x100",
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def new_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkdir("photos")
    for number in range(2):
        pixels = np.random.default_rng(number).uniform(0, 255, (100, 70, 3))
        write_image(f"photos/{number}.png", pixels)
    for command in COMMANDS:
        monkeypatch.setattr(command, "open_network", lambda source: tiny.two_convolutions())


def visualize(words):
    return main(["visualize", *words, "-o", "out.png"])


@pytest.mark.parametrize("command", COMMANDS)
def test_long_work_is_refused_before_it_begins(monkeypatch, capsys, command):
    words, work = COMMANDS[command]
    monkeypatch.setattr(effort, "LIMIT", 0)
    assert visualize(words) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"minidl: {work}") and error.count("\n") == 1
    assert " will take about 0 s; take " in error and error.endswith("or confirm with --long\n")
    assert os.listdir() == ["photos"]


@pytest.mark.parametrize("command", COMMANDS)
def test_long_work_begins_with_the_option(monkeypatch, capsys, command):
    words, work = COMMANDS[command]
    monkeypatch.setattr(effort, "LIMIT", 0)
    monkeypatch.setattr(effort, "WORTH_SAYING", 0)
    assert visualize([*words, "--long"]) == 0
    assert f"{work}" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_short_work_is_not_announced(capsys, command):
    assert visualize(COMMANDS[command][0]) == 0
    assert "will take" not in capsys.readouterr().err


@pytest.mark.parametrize("command", [dream, unit, invert, saliency])
def test_what_does_not_fit_into_the_memory_is_refused(monkeypatch, capsys, command):
    monkeypatch.setattr(effort, "available_memory", lambda: 1000)
    assert visualize(COMMANDS[command][0]) == 2
    error = capsys.readouterr().err
    assert "of memory, and 0 are available; take a smaller --size" in error
    assert os.listdir() == ["photos"]


def test_the_time_is_that_of_a_pass_times_their_number(monkeypatch, capsys):
    class Arguments:
        long = True

    seconds = iter([0.0, 60.0])
    monkeypatch.setattr(effort.time, "perf_counter", lambda: next(seconds))
    assert effort.announced(Arguments, lambda: 7, 12, "this", "take less") == 7
    assert capsys.readouterr().err == "this will take about 12 min\n"


def test_a_short_pass_is_measured_again_as_the_first_prepares_kernels(monkeypatch, capsys):
    class Arguments:
        long = False

    seconds = iter([0.0, 9.0, 9.0, 10.0])
    monkeypatch.setattr(effort.time, "perf_counter", lambda: next(seconds))
    effort.announced(Arguments, lambda: 7, 80, "this", "take less")
    assert capsys.readouterr().err == "this will take about 80 s\n"
