"""`minidl visualize patches` on small pictures."""

import io
import os

import numpy as np
import pytest

from minidl.cli import main
from minidl.cli.visualize import patches as command
from minidl.data import read_image, read_metadata, write_image
from minidl.layers import Dense, Flatten
from tests.data.official import digits, idx
from tests.visualize import tiny


@pytest.fixture(autouse=True)
def folder_of_pictures(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "holiday" / "beach").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(12):
        folder = "holiday/beach" if number % 2 else "holiday"
        write_image(f"{folder}/{number}.png", rng.uniform(0, 255, (20, 30, 3)))


@pytest.fixture
def small_network(monkeypatch):
    monkeypatch.setattr(command, "open_network", lambda source: tiny.two_convolutions())


def patches(*arguments):
    return main(["visualize", "patches", *map(str, arguments)])


def refused(capsys, *arguments):
    assert patches(*arguments) == 2
    assert os.listdir() == ["holiday"]
    error = capsys.readouterr().err
    assert error.startswith("minidl: ") and error.count("\n") == 1
    return error


def test_nine_patches_of_each_unit(capsys, small_network):
    assert patches("holiday", "--size", 16, "--per-layer", 2) == 0
    lines = capsys.readouterr().out.splitlines()
    units = [line for line in lines if ".png " in line and "relu:" in line]
    assert len(units) == 4 and all(line.count(".png") == 9 for line in units)
    assert "beach/" in units[0]
    assert read_image("patches.png").shape[0] > 2 * 192


@pytest.mark.parametrize("backward", ["gradient", "deconvnet", "guided"])
def test_named_units(capsys, small_network, backward):
    options = "--units", "far:3", "near_relu:1", "--backward", backward, "--tiles", "--size", 8
    files = []
    for _ in range(2):
        assert patches("holiday", *options) == 0
        with open("patches.png", "rb") as file:
            files.append(file.read())
    assert capsys.readouterr().out.startswith("far:3: ")
    assert files[0] == files[1]
    record = read_metadata("patches.png")
    assert record["units"] == ["far:3", "near_relu:1"]
    assert record["command"].startswith("minidl visualize patches holiday")


def test_units_of_vgg19(capsys):
    units = ["conv1_1:3", "block2_conv1.pre:7"]
    assert patches("holiday", "--units", *units, "--size", 20, "--limit", 3) == 0
    out = capsys.readouterr().out
    assert "block1_conv1:3: " in out and "block2_conv1.pre:7: " in out
    assert (
        "units are never active" in out and "patches of 3 pictures, and their deconvolutions" in out
    )


def test_a_damaged_picture_is_reported_and_skipped(capsys, small_network):
    for name in ("note.png", "README.md"):
        with open(f"holiday/beach/{name}", "w") as file:
            file.write("no picture")
    assert patches("holiday", "--size", 16) == 2
    out, error = capsys.readouterr()
    assert "note.png is no picture" in error and "README" not in error
    assert "patches of 12 pictures" in out
    assert os.path.exists("patches.png")


def test_units_that_are_never_active_are_listed(capsys, monkeypatch):
    monkeypatch.setattr(command, "open_network", lambda source: tiny.colours())
    assert patches("holiday", "--size", 8, "--units", "relu:0", "relu:3") == 0
    out = capsys.readouterr().out
    assert "relu:3: is active in none of the pictures" in out
    assert "relu: 1 of 4 units are never active in these pictures: 3" in out


def test_a_data_set(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command, "open_network", lambda source: tiny.two_convolutions())
    (tmp_path / "digits").mkdir()
    names = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
    for name, array in zip(names, digits(), strict=True):
        (tmp_path / "digits" / name).write_bytes(idx(array))
    options = ["--data", "digits", "--layers", "near_relu", "--limit", 5]
    assert patches("--dataset", "mnist", *options) == 0
    assert "patches of 5 pictures" in capsys.readouterr().out


def test_errors_are_one_sentence_and_nothing_is_written(capsys, small_network):
    assert "is no folder" in refused(capsys, "elsewhere")
    assert "is no folder" in refused(capsys, "holiday/0.png")
    assert "no layer 'middle'" in refused(capsys, "holiday", "--layers", "middle")
    assert "wanted LAYER:CHANNEL" in refused(capsys, "holiday", "--units", "near:x")
    assert "is a whole layer" in refused(capsys, "holiday", "--units", "near")
    error = refused(capsys, "holiday", "--units", "near:6", "--size", 8)
    assert "near has 6 channels; found near:6" in error
    assert "at least 1" in refused(capsys, "holiday", "--per-layer", 0)
    assert "does not fit" in refused(capsys, "holiday", "--size", 1, "--layers", "far")
    assert "minidl writes" in refused(capsys, "holiday", "-o", "patches.svg")
    error = refused(capsys, "holiday", "-o", "holiday/0.png")
    assert "meant both as 0.png and as --output" in error
    error = refused(capsys, "holiday", "--model", "m.png", "-o", "m.png")
    assert "meant both as --model and as --output" in error
    assert "wanted LAYER:CHANNEL" in refused(capsys, "holiday", "--units", "near:" + "9" * 5000)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("holiday", "--data", "digits"), "--data would change nothing with a FOLDER"),
        (
            ("holiday", "--per-layer", 2, "--units", "near:1"),
            "--per-layer would change nothing with --units",
        ),
        (("--dataset", "mnist", "--tiles"), "--tiles would change nothing with --dataset"),
        (("--dataset", "mnist", "--size", 9), "--size would change nothing with --dataset"),
    ],
)
def test_options_without_effect_are_refused(capsys, small_network, options, message):
    assert message in refused(capsys, *options)


def test_an_earlier_output_is_replaced_and_not_searched(capsys, small_network):
    for _ in range(2):
        assert patches(".", "--size", 16) == 0
        assert "patches of 12 pictures" in capsys.readouterr().out
    assert patches(".", "--size", 16, "-o", "holiday/other.png") == 0
    # with another --output, the earlier one is a picture like the others
    assert "patches of 13 pictures" in capsys.readouterr().out


def test_a_closed_terminal_does_not_lose_the_picture(small_network, monkeypatch):
    class ClosedStream(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

        def fileno(self):
            return null_device.fileno()

    with open(os.devnull, "w") as null_device, monkeypatch.context() as patched:
        patched.setattr("sys.stdout", ClosedStream())
        patches("holiday", "--size", 16)
    assert os.path.exists("patches.png")


def test_damaged_weights_are_reported(capsys, monkeypatch):
    monkeypatch.setattr(command, "open_network", lambda source: tiny.colours(bias=np.nan))
    assert "relu makes NaN or infinite numbers" in refused(capsys, "holiday", "--size", 8)


def test_a_network_of_signals_is_refused(capsys, monkeypatch):
    network = tiny.two_convolutions()._replace(size=(400,))
    monkeypatch.setattr(command, "open_network", lambda source: network)
    assert "no pictures" in refused(capsys, "holiday")


def test_inactive_units_make_no_picture(capsys, monkeypatch):
    monkeypatch.setattr(command, "open_network", lambda source: tiny.colours())
    assert patches("holiday", "--size", 8, "--units", "relu:3") == 2
    assert "none of the units is active" in capsys.readouterr().err
    assert os.listdir() == ["holiday"]


def test_a_class_has_a_score_in_every_picture_also_a_negative_one(capsys, monkeypatch):
    layers = {"flatten": Flatten(), "scores": Dense(np.full((16 * 16 * 3, 2), [[-1, -2]], "f4"))}
    network = tiny.network(layers, size=(16, 16), classes=("less", "least"))
    monkeypatch.setattr(command, "open_network", lambda source: network)
    assert patches("holiday", "--class", "less") == 0
    out = capsys.readouterr().out
    assert out.startswith("less: ") and out.count(".png -") == 9 and "(100.0%)" in out
    assert "never active" not in out
