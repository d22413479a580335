"""The network that the book explores: its weights, its accuracy, and weights of one's own."""

import numpy as np
import pytest

from minidl import cli
from minidl.data import cifar10 as read_cifar10
from minidl.errors import FileError, ShapeError
from minidl.models import tiny_cifar10
from minidl.models.tiny_cifar10 import ARCHITECTURE
from minidl.recipes import cifar10
from minidl.training import save


def test_it_classifies_pictures(minidl_data):
    pictures, labels = (array[:2000] for array in read_cifar10(minidl_data / "cifar10", "test"))
    scores = tiny_cifar10()(pictures)
    assert scores.shape == (2000, 10)
    assert (scores.argmax(axis=1) == labels).mean() > 0.68


def test_it_is_the_network_of_the_preset_tiny():
    settings = cifar10.PRESETS["tiny"]
    model = cifar10.network(settings)
    shapes = {name: p.shape for name, p in model.named_parameters().items()}
    assert shapes == ARCHITECTURE.shapes
    [preprocessing] = ARCHITECTURE.preprocessing.values()
    assert (preprocessing.mean, preprocessing.std) == (cifar10.MEAN, cifar10.STD)


def test_a_run_of_the_preset_becomes_weights(tmp_path, capsys):
    model = cifar10.network(cifar10.PRESETS["tiny"], seed=5)
    state = {"model": model.state(), "optimizer": {"velocity": np.ones(3)}, "settings": {}}
    save(tmp_path / "checkpoint.h5", state)
    arguments = ["weights", "convert", tmp_path / "checkpoint.h5", tmp_path / "own.h5"]
    assert cli.main([*map(str, arguments)]) == 0
    assert "tiny_cifar10, 10 arrays" in capsys.readouterr().out
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.float32)
    wanted = cifar10.scores(model, picture[None])
    scores = tiny_cifar10(tmp_path / "own.h5")(picture)
    np.testing.assert_allclose(scores, wanted, rtol=1e-4, atol=1e-4)


def test_a_run_is_no_file_of_weights_before_it_is_converted(tmp_path):
    save(tmp_path / "run.h5", {"model": cifar10.network(cifar10.PRESETS["tiny"]).state()})
    message = "is the checkpoint of a training run; .* convert it with `minidl weights convert"
    with pytest.raises(FileError, match=message):
        tiny_cifar10(tmp_path / "run.h5")


def test_pictures_of_another_size_are_refused():
    with pytest.raises(ShapeError, match="wanted 32x32"):
        tiny_cifar10()(np.zeros((28, 28, 3)))
