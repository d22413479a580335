"""`minidl visualize features`, run as its users run it, on small pictures."""

import os

import numpy as np
import pytest

from minidl.cli import main
from minidl.cli.visualize import features as command
from minidl.data import read_image, write_image
from minidl.layers import Convolution, ReLU, Sequential
from minidl.visualize.network import of_sequential
from tests.visualize import tiny


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_image("cat.png", np.random.default_rng(0).uniform(0, 255, (24, 36, 3)))


def features(*arguments):
    return main(["visualize", "features", *map(str, arguments)])


def refused(capsys, *arguments):
    assert features(*arguments) == 2
    assert sorted(os.listdir()) == ["cat.png"]
    error = capsys.readouterr().err
    assert error.startswith("minidl: ") and error.count("\n") == 1
    return error


def test_maps_of_vgg19_and_their_numbers(capsys):
    assert features("cat.png", "--layers", "conv1_2", "pool1", "--channels", 3, "--raw", "raw.npz", "--scale", "layer") == 0
    with np.load("raw.npz") as raw:
        assert {name: array.shape for name, array in raw.items()} == {"conv1_2": (24, 36, 64), "pool1": (12, 18, 64)}
        strongest = np.argsort(-raw["conv1_2"].mean(axis=(0, 1)))[:3]
    out = capsys.readouterr().out
    assert f"conv1_2 (24x36x64): {', '.join(map(str, strongest))}\n" in out
    assert "features.png: all maps of a layer are scaled together" in out
    assert min(read_image("features.png").shape[:2]) > 3 * 96


def test_the_same_bytes_twice(monkeypatch):
    monkeypatch.setattr(command, "open_network", lambda source: tiny.two_convolutions())
    for name in ("first", "again"):
        assert features("cat.png", "-o", f"{name}.png", "--raw", f"{name}.npz") == 0
    for ending in ("png", "npz"):
        with open(f"first.{ending}", "rb") as first, open(f"again.{ending}", "rb") as again:
            assert first.read() == again.read()


def test_maps_of_a_signal(monkeypatch):
    kernel = np.random.default_rng(0).standard_normal((5, 1, 3)).astype(np.float32)
    network = of_sequential(Sequential(Convolution(kernel), ReLU()), lambda x: x, size=(30,))
    monkeypatch.setattr(command, "open_network", lambda source: network)
    np.save("tone.npy", np.sin(np.arange(30.0))[:, None])
    assert features("tone.npy") == 0
    assert os.path.exists("features.png")


def test_what_cannot_be_done_is_said_and_nothing_is_written(capsys):
    assert "no such picture" in refused(capsys, "dog.png")
    assert "no layer 'conv9_1'" in refused(capsys, "cat.png", "--layers", "conv9_1")
    assert "does not fit" in refused(capsys, "cat.png", "--layers", "conv1_1", "pool5")
    assert "at least 1" in refused(capsys, "cat.png", "--channels", 0)
    assert "at least 1" in refused(capsys, "cat.png", "--size", 0)
    assert ".npz" in refused(capsys, "cat.png", "--raw", "raw.csv")
    assert "minidl writes" in refused(capsys, "cat.png", "-o", "maps.svg")
    assert "overwrite" in refused(capsys, "cat.png", "-o", "cat.png")
    assert "there is no such network" in refused(capsys, "cat.png", "--model", "elsewhere")
