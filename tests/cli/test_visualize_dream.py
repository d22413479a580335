"""`minidl visualize dream` on small pictures."""

import os

import numpy as np
import pytest
from PIL import Image

from minidl.cli import main
from minidl.cli.visualize import dream as command
from minidl.data import read_image, read_metadata, write_image
from minidl.visualize.drawing import short
from tests.visualize import tiny

QUICK = ("--layers", "conv1_2,conv2_1", "--steps", 1)


@pytest.fixture(autouse=True)
def new_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_image("photo.png", np.random.default_rng(0).uniform(0, 255, (51, 77, 3)))


def dream(*arguments):
    return main(["visualize", "dream", *map(str, arguments)])


def refused(capsys, *arguments):
    before = set(os.listdir())
    assert dream(*arguments) == 2
    assert set(os.listdir()) == before
    error = capsys.readouterr().err
    assert error.startswith("minidl: ") and error.count("\n") == 1
    return error


def test_the_dream_has_the_size_of_the_picture_and_a_record(capsys):
    assert dream("photo.png", *QUICK, "--octaves", 2, "-o", "dreamt.jpg") == 0
    assert read_image("dreamt.jpg").shape == (51, 77, 3)
    record = read_metadata("dreamt.jpg")
    assert record["settings"] == {"octaves": 2, "steps": 1, "rate": 0.8, "seed": 0, "size": 77}
    assert all(after > before for before, after in record["strengths"].values())
    out = capsys.readouterr().out
    before, after = record["strengths"]["block2_conv1"]
    assert (
        f"block2_conv1: mean a² {short(before)} -> {short(after)}" in out and "\n1 step in" in out
    )


def test_a_smaller_size_and_the_same_bytes_twice():
    for name in ("first.png", "again.png"):
        assert dream("photo.png", *QUICK, "--size", 60, "-o", name) == 0
    assert read_image("first.png").shape == (40, 60, 3)
    assert read_image("first.png").tobytes() == read_image("again.png").tobytes()


@pytest.mark.parametrize(
    ("mode", "size"),
    [("L", (40, 31)), ("RGBA", (33, 20)), ("I;16", (20, 20)), ("P", (7, 2)), ("LA", (1, 1))],
)
def test_pictures_of_all_modes_and_sizes(mode, size):
    Image.new(mode, size).save("other.png")
    assert dream("other.png", "--layers", "conv1_2", "--steps", 2) == 0
    assert read_image("dream.png").shape == (*size[::-1], 3)


def test_the_deepest_layer_and_the_classes_of_another_network(monkeypatch):
    monkeypatch.setattr(command, "open_network", lambda source: tiny.two_convolutions())
    assert dream("photo.png", "--steps", 1) == 0
    assert list(read_metadata("dream.png")["strengths"]) == ["far_relu"]
    monkeypatch.setattr(
        command, "open_network", lambda source: tiny.classifier(16, ("dim", "bright"))
    )
    assert dream("photo.png", "--unit", "bright", "--steps", 2) == 0
    [(before, after)] = read_metadata("dream.png")["strengths"].values()
    assert read_image("dream.png").shape == (16, 16, 3) and after > before


def test_an_array_that_is_not_a_picture_is_refused(capsys):
    np.save("volume.npy", np.zeros((8, 8, 8, 1)))
    assert "volume.npy holds an array (8, 8, 8, 1); wanted a picture" in refused(
        capsys, "volume.npy", *QUICK
    )


def test_a_size_without_effect_is_refused(monkeypatch, capsys):
    np.save("photo.npy", np.zeros((40, 50, 3)))
    assert "--size would change nothing with an .npy file" in refused(
        capsys, "photo.npy", *QUICK, "--size", 20
    )
    monkeypatch.setattr(
        command, "open_network", lambda source: tiny.classifier(16, ("dim", "bright"))
    )
    assert "--size would change nothing with a network that takes 16x16" in refused(
        capsys, "photo.png", "--size", 20
    )


def test_a_picture_too_small_for_the_deepest_layers(monkeypatch):
    write_image("thin.png", np.random.default_rng(0).uniform(0, 255, (1, 30, 3)))
    monkeypatch.setattr(command, "open_network", lambda source: tiny.two_convolutions())
    assert dream("thin.png", "--steps", 1) == 0
    assert list(read_metadata("dream.png")["strengths"]) == ["near_relu"]


def test_a_layer_that_does_not_rise_is_reported(monkeypatch, capsys):
    monkeypatch.setattr(command, "open_network", lambda source: tiny.colours(bias=-5.0))
    assert dream("photo.png", "--layers", "relu", "--steps", 1) == 0
    assert "relu did not rise" in capsys.readouterr().err
    np.testing.assert_array_equal(read_image("dream.png"), read_image("photo.png"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none.png",), "none.png: there is no such picture"),
        (("photo.png", "-o", "photo.png"), "meant both as PICTURE and as --output"),
        (("photo.png", "-o", "dream.txt"), "minidl writes .png"),
        (("photo.png", "--layers", "conv9_9"), "VGG19 has no layer 'conv9_9'"),
        (("photo.png", "--unit", "conv1_1"), "wanted LAYER:CHANNEL, or --layers conv1_1"),
        (("photo.png", "--unit", "conv1_1:64"), "block1_conv1 has 64 channels"),
        (("photo.png", "--octaves", 0), "--octaves is 0; wanted a number of at least 1"),
        (("photo.png", "--rate", "nan"), "--rate is nan; wanted a number above 0"),
        (("photo.png", "--seed", -1), "--seed is -1; wanted a number of at least 0"),
        (("photo.png", "--size", 4, "--layers", "conv4_1"), "too small"),
        (("photo.png", "--unit", ""), "VGG19 has no layer ''"),
        (("photo.png", "--unit", "conv1_1:" + "9" * 5000), "wanted LAYER:CHANNEL with a number"),
    ],
)
def test_errors_are_one_sentence(capsys, arguments, message):
    assert message in refused(capsys, *arguments)
