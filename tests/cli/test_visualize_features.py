"""`minidl visualize features` on small pictures."""

import os

import numpy as np
import pytest

from minidl.autograd import Tensor
from minidl.cli import main
from minidl.cli.visualize import features as command
from minidl.data import read_image, read_metadata, write_image
from minidl.layers import Convolution, ReLU, Sequential
from minidl.recipes import signals
from minidl.recipes.classifiers import until
from minidl.training import save
from minidl.visualize.network import of_sequential
from tests.visualize import tiny


@pytest.fixture(autouse=True)
def new_folder(tmp_path, monkeypatch):
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


def test_maps_of_vgg19_and_their_activations(capsys):
    options = ["--channels", 3, "--raw", "raw.npz", "--scale", "layer"]
    assert features("cat.png", "--layers", "conv1_2", "pool1", *options) == 0
    with np.load("raw.npz") as raw:
        assert {name: array.shape for name, array in raw.items()} == {
            "conv1_2": (24, 36, 64),
            "pool1": (12, 18, 64),
        }
        strongest = np.argsort(-raw["conv1_2"].mean(axis=(0, 1)))[:3]
    out = capsys.readouterr().out
    assert f"conv1_2 (24x36x64): {', '.join(map(str, strongest))}\n" in out
    assert "features.png: all maps of a layer are scaled together" in out
    assert min(read_image("features.png").shape[:2]) > 3 * 96


def test_the_same_bytes_twice(monkeypatch):
    monkeypatch.setattr(command, "open_network", lambda source: tiny.two_convolutions())
    files = []
    for _ in range(2):
        assert features("cat.png", "--raw", "raw.npz") == 0
        for name in ("features.png", "raw.npz"):
            with open(name, "rb") as file:
                files.append(file.read())
    assert files[:2] == files[2:]
    record = read_metadata("features.png")
    assert list(record["layers"]) == ["near_relu", "far_relu"]
    assert record["command"].endswith("--raw raw.npz")


def test_maps_of_a_signal(monkeypatch):
    kernel = np.random.default_rng(0).standard_normal((5, 1, 3)).astype(np.float32)
    network = of_sequential(Sequential(Convolution(kernel), ReLU()), lambda x: x, size=(30,))
    monkeypatch.setattr(command, "open_network", lambda source: network)
    np.save("tone.npy", np.sin(np.arange(30.0))[:, None])
    assert features("tone.npy") == 0
    assert os.path.exists("features.png")


def test_an_example_of_the_test_set(monkeypatch, capsys, tmp_path):
    model = signals.network(seed=0)
    save(tmp_path / "run.h5", {"settings": {"network": "signals"}, "model": model.state()})
    options = ["--model", "run.h5", "--raw", "raw.npz", "--layers", "tones_relu"]
    assert features("--example", 5, *options) == 0
    with np.load("raw.npz") as raw:
        wanted = until(model.train(False), "tones_relu")(Tensor(signals.tested()[0][5:6])).data[0]
        np.testing.assert_array_equal(raw["tones_relu"], wanted)
    assert features("--example", 2000, "--model", "run.h5") == 2
    assert "wanted one from 0 to 1999" in capsys.readouterr().err
    assert features("--example", 5) == 2
    assert "vgg19 has no examples of its own" in capsys.readouterr().err


def test_an_array_with_values_outside_0_to_255(monkeypatch):
    """Values below 0 are drawn in black, and values above 255 in white."""
    monkeypatch.setattr(command, "open_network", lambda source: tiny.colours())
    ramp = np.linspace(-300, 600, 144)[None, :, None] * np.ones((144, 1, 3))
    np.save("ramp.npy", ramp)
    assert features("ramp.npy") == 0
    drawn = read_image("features.png")
    row = np.rint(np.clip(ramp[0, :, 0], 0, 255))
    places = [(y, x) for y in range(200) for x in range(drawn.shape[1] - 144)]
    assert any((drawn[y, x : x + 144, 0] == row).all() for y, x in places)


def test_damaged_weights_are_reported(capsys, monkeypatch):
    monkeypatch.setattr(command, "open_network", lambda source: tiny.colours(bias=np.nan))
    assert "relu makes NaN or infinite numbers" in refused(capsys, "cat.png")


def test_errors_are_one_sentence_and_nothing_is_written(capsys):
    assert "no such picture" in refused(capsys, "dog.png")
    assert "no layer 'conv9_1'" in refused(capsys, "cat.png", "--layers", "conv9_1")
    assert "does not fit" in refused(capsys, "cat.png", "--layers", "conv1_1", "pool5")
    assert "at least 1" in refused(capsys, "cat.png", "--channels", 0)
    assert "at least 1" in refused(capsys, "cat.png", "--size", 0)
    assert ".npz" in refused(capsys, "cat.png", "--raw", "raw.csv")
    assert "minidl writes" in refused(capsys, "cat.png", "-o", "maps.svg")
    assert "overwrite" in refused(capsys, "cat.png", "-o", "cat.png")
    assert "overwrite" in refused(capsys, "cat.png", "--model", "m.png", "-o", "m.png")
    assert "there is no such network" in refused(capsys, "cat.png", "--model", "elsewhere")
