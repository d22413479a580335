"""Networks of `minidl train` on the page: those that take pictures, and the refusal of others."""

import re

import numpy as np
import pytest

from minidl.book.network import body, trained_network
from minidl.data import shipped_picture
from minidl.errors import FileError
from minidl.models.embedding import verifier
from minidl.models.siamese import siamese
from minidl.recipes import cifar10, faces
from minidl.training import save

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
