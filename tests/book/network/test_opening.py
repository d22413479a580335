"""Networks of `minidl train` on the page: those that take pictures, and the refusal of others."""

import re

import numpy as np
import pytest

from minidl.book.network import body, trained_network
from minidl.data import shipped_picture
from minidl.errors import FileError
from minidl.layers import Convolution, Dense, Flatten, ReLU, Sequential
from minidl.models.embedding import verifier
from minidl.models.siamese import siamese
from minidl.recipes import cifar10, faces
from minidl.training import save, save_model

CHELSEA = shipped_picture("chelsea")


def write_run(folder, model, **settings):
    save(folder / "checkpoint.h5", {"model": model.state(), "settings": settings})
    return folder


@pytest.fixture
def vgg(tmp_path):
    settings = cifar10.PRESETS["fast"] | {"head": "16-10", "width": 1 / 8, "network": "cifar10"}
    settings |= {"classes": list(cifar10.CLASSES), "mean": cifar10.MEAN, "std": cifar10.STD}
    return write_run(tmp_path, cifar10.network(settings), **settings)


def test_a_run_on_cifar10(vgg):
    network = trained_network(vgg)
    picture = network.read(CHELSEA)
    explored = network.explored(picture, "of a cat", chosen=3)
    assert explored["targets"][0]["name"] == "the logit of cat" and len(explored["layers"]) > 60
    scores = cifar10.scores(network.model, picture[None].astype(np.uint8))
    shown = re.search('<th scope="row">cat</th><td>(.+?)</td>', body(explored))[1]
    assert float(shown.replace("−", "-")) == pytest.approx(scores[0, 3], rel=1e-3)


def test_a_run_of_the_siamese_network(tmp_path):
    network = trained_network(write_run(tmp_path, siamese(), network="siamese", keep=0.6))
    explored = network.explored(network.read(CHELSEA), "of a cat")
    assert explored["layers"][0]["names"] == ["grey"] and explored["classes"][0] == "output 0"
    assert explored["layers"][0]["shape"] == [28, 28, 1] and len(explored["targets"]) == 1


@pytest.mark.parametrize("members", [1, 2])
def test_a_run_on_faces_ends_before_the_division_by_the_length(tmp_path, members):
    model = verifier((*faces.SIZE, 1), dimensions=8, members=members)
    settings = faces.FAST | {"dimensions": 8, "members": members, "network": "faces"}
    run = write_run(tmp_path, model, example=[*faces.SIZE, 1], **settings)
    network = trained_network(run / "checkpoint.h5")
    explored = network.explored(network.read(CHELSEA), "of a cat")
    assert explored["layers"][-1]["name"] == "embedding"


def test_a_network_of_a_program_in_python(tmp_path):
    rng = np.random.default_rng(0)
    model = Sequential(
        Convolution.new(rng, (3, 3), 3, 4), ReLU(), Flatten(), Dense.new(rng, 6 * 6 * 4, 2)
    )
    save_model(tmp_path / "mine.h5", model, (8, 8, 3), classes=["cats", "dogs"], mean=127.5, std=63)
    network = trained_network(tmp_path / "mine.h5")
    explored = network.explored(network.read(CHELSEA), "of a cat", chosen=1)
    assert network.name == "mine" and explored["targets"][0]["name"] == "the logit of dogs"
    picture = (network.read(CHELSEA)[None] - np.float32(127.5)) / np.float32(63)
    assert explored["targets"][0]["value"] == pytest.approx(model(picture).data[0, 1], rel=1e-4)
    save_model(tmp_path / "mine.h5", Sequential(Dense(np.ones((5, 2), np.float32))), (5,))
    with pytest.raises(FileError, match=r"takes examples of the shape \(5,\); wanted one that"):
        trained_network(tmp_path / "mine.h5")


def test_a_run_without_pictures_is_refused(tmp_path):
    run = write_run(tmp_path, siamese(), network="signals")
    with pytest.raises(FileError, match="holds a network 'signals'; wanted a run of"):
        trained_network(run)
    on_top = verifier((16, 16, 1), dimensions=8)  # replaced below by settings of another network
    settings = faces.FAST | {"on_top": True, "network": "faces"}
    write_run(tmp_path, on_top, example=[8], **settings)
    with pytest.raises(FileError, match="holds no network of `minidl train faces`"):
        trained_network(run)


def test_a_missing_run_is_refused(tmp_path):
    with pytest.raises(FileError, match="there is no such network"):
        trained_network(tmp_path / "nowhere")
