"""`minidl visualize unit` on small pictures."""

import os

import pytest

from minidl.cli import main
from minidl.cli.visualize import unit as command
from minidl.data import read_image, read_metadata
from minidl.visualize.drawing import short
from tests.visualize import tiny


@pytest.fixture(autouse=True)
def new_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def unit(*arguments):
    return main(["visualize", "unit", *map(str, arguments), "--steps", "3"])


def refused(capsys, *arguments):
    assert unit(*arguments) == 2
    assert os.listdir() == []
    error = capsys.readouterr().err
    assert error.startswith("minidl: ") and error.count("\n") == 1
    return error


def with_network(monkeypatch, network):
    monkeypatch.setattr(command, "open_network", lambda source: network)


def test_channels_of_vgg19_in_one_picture_with_a_record(capsys):
    assert unit("conv1_2", 3, 17, 40, "--size", 32, "-o", "three.png") == 0
    record = read_metadata("three.png")
    assert list(record["units"]) == ["block1_conv2:3", "block1_conv2:17", "block1_conv2:40"]
    assert all(after > before for before, after in record["units"].values())
    assert record["command"].startswith("minidl visualize unit conv1_2 3 17 40")
    out = capsys.readouterr().out
    before, after = record["units"]["block1_conv2:17"]
    assert f"block1_conv2:17: {short(before)} -> {short(after)}" in out
    assert "the picture is three.png" in out
    height, width, _ = read_image("three.png").shape
    assert height > 64 and width > 64  # two rows of two


def test_the_same_bytes_twice():
    for name in ("first.png", "again.png"):
        assert unit("conv1_1", 5, "--size", 24, "-o", name) == 0
    assert read_image("first.png").tobytes() == read_image("again.png").tobytes()


def test_classes_by_name(monkeypatch, capsys):
    with_network(monkeypatch, tiny.classifier(16, ("dim", "very bright")))
    assert unit("very bright", "dim") == 0 and capsys.readouterr().err == ""
    assert list(read_metadata("unit.png")["units"]) == ["very bright", "dim"]
    assert unit("dim", "--size", 20) == 2
    assert "the network takes 16x16" in capsys.readouterr().err


def test_a_network_of_signals_is_refused(monkeypatch, capsys):
    with_network(monkeypatch, tiny.colours()._replace(size=(64,)))
    assert "the network takes arrays (64, 'channels')" in refused(capsys, "relu", 1)


def test_units_that_do_not_rise_or_are_inactive_are_reported(monkeypatch, capsys):
    with_network(monkeypatch, tiny.colours(bias=-5.0))
    assert unit("relu", 0, 3, "--size", 16) == 0
    error = capsys.readouterr().err
    assert "relu:0 rose, but its mean is still not above 0" in error
    assert "relu:3 did not rise" in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("conv9_9", 1), "VGG19 has no layer 'conv9_9'"),
        (("conv1_1",), "wanted a layer and numbers of its channels, such as conv4_2 17 40"),
        (("conv1_1", "x"), "found 'conv1_1 x'"),
        (("conv1_1", "9" * 5000), "wanted a layer and numbers of its channels"),
        (("conv1_1", 64), "block1_conv1 has 64 channels; found block1_conv1:64"),
        (("conv1_1", 1, "--size", 3), "wanted at least 16 pixels"),
        (("conv1_1", 1, "--seed", -1), "--seed is -1; wanted a number of at least 0"),
        (("conv1_1", 1, "-o", "none/unit.png"), "there is no folder none"),
        (("conv1_1", 1, "-o", "unit.pdf"), "minidl writes .png"),
        (
            ("conv1_1", 1, "-o", "a.png", "--model", "a.png"),
            "meant both as --model and as --output",
        ),
        (("conv1_1", 1, "--model", "none.h5"), "none.h5: there is no such network"),
    ],
)
def test_errors_are_one_sentence(capsys, arguments, message):
    assert message in refused(capsys, *arguments)
