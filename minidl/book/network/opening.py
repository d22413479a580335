"""The networks that the page can explore: the shipped one, and runs of `minidl train`."""

import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minidl.book.network.exploration import exploration
from minidl.data import CIFAR10_CLASSES, shipped_picture
from minidl.data.images import read_at_size, read_image, resize
from minidl.errors import FileError, printable
from minidl.files import must_exist
from minidl.layers import Sequential
from minidl.layers.activations import UnitLength
from minidl.models import tiny_cifar10
from minidl.models.embedding import Committee
from minidl.recipes import cifar10, faces, siamese
from minidl.training import load, load_model
from minidl.training.folder import network_file
from minidl.typing import Array, Path

# The head of the cat in the picture "chelsea". The network takes it for a cat. It takes the central
# square of the picture, and the whole picture squeezed to a square, for a frog.
CROP = np.s_[20:300, 100:380]


class Explorable(NamedTuple):
    """A trained network, and what `exploration` needs to know of it.

    size: (H, W) of its pictures. grey: whether they have one channel. classes, mean, std: as for
    `exploration`.
    """

    name: str
    model: Sequential
    size: tuple[int, int]
    grey: bool
    classes: tuple[str, ...] | None
    mean: Any
    std: Any

    def read(self, path: Path) -> Array:
        """Return the central part of a picture file at the size of the network: (H, W, 3 or 1).
        Raises FileError if it cannot be read."""
        pixels = read_at_size(path, self.size)
        return pixels.mean(axis=-1, keepdims=True, dtype="float32") if self.grey else pixels

    def explored(self, picture: Array, source: str, chosen: int | None = None) -> dict[str, Any]:
        """Return the exploration of a picture of the size of the network. source: what it is;
        chosen: see `exploration`."""
        return exploration(
            self.model,
            picture,
            self.classes,
            mean=self.mean,
            std=self.std,
            chosen=chosen,
            name=self.name,
            source=source,
        )


def shipped_network() -> Explorable:
    """Return the network that comes with minidl. Raises FileError if its weights are missing."""
    model = tiny_cifar10()
    moments = model.preprocessing
    return Explorable(
        "tiny_cifar10", model.network, (32, 32), False, CIFAR10_CLASSES, moments.mean, moments.std
    )


def shipped_exploration() -> dict[str, Any]:
    """Return the exploration of the network that comes with minidl, for the head of a cat."""
    picture = read_image(shipped_picture("chelsea"))[CROP]
    return shipped_network().explored(resize(picture, 32, 32), "of a cat")


def trained_network(path: Path) -> Explorable:
    """Return the network of a run of `minidl train`, of which `path` is the folder or the
    checkpoint.

    Raises FileError if it does not exist, is damaged, or takes no pictures.
    """
    path = must_exist(network_file(path), "network")
    tree = load(path, with_arrays=False)
    settings = tree.get("settings")
    kind = str(settings.get("network")) if isinstance(settings, dict) else "without settings"
    if kind not in OPENED and "architecture" in tree:
        return _of_model(path)
    if kind not in OPENED:
        raise FileError(
            f"{path} holds a network {printable(kind, 80)!r}; wanted a run of `minidl train` with "
            f"one of {', '.join(OPENED)}, or of `minidl.training.train`"
        )
    return OPENED[kind](path)


def _of_model(path):
    """Return a network that a program in Python has trained."""
    trained = load_model(path)
    if not trained.takes_pictures:
        raise FileError(
            f"{path} holds a network that takes examples of the shape {trained.shape}; wanted one "
            "that takes pictures"
        )
    height, width, channels = trained.shape
    names = trained.classes and tuple(printable(name, 80) for name in trained.classes)
    name = printable(path.stem if path.stem not in ("best", "checkpoint") else path.parent.name, 80)
    moments = trained.mean, trained.std
    return Explorable(name, trained.model, (height, width), channels == 1, names, *moments)


def _cifar10(path):
    model, classes, mean, std = cifar10.trained(path)
    names = tuple(printable(name, 80) for name in classes)
    return Explorable(cifar10.NETWORK, model, (32, 32), False, names, mean, std)


def _siamese(path):
    model = siamese.trained(path)
    return Explorable(siamese.NETWORK, model, (28, 28), True, None, 0.0, 255.0)


def _faces(path):
    """Return the embedding, of a committee its first member, without the division by the length at
    the end."""
    verifier = faces.trained(path)
    if verifier.parameters()[0].ndim == 2:
        raise FileError(
            f"{path} was trained on the vectors of another network and takes no pictures; "
            "train one from scratch"
        )
    embedding = verifier.embedding
    model = embedding.members["member1"] if isinstance(embedding, Committee) else embedding
    layers = {
        name: layer for name, layer in model.layers.items() if not isinstance(layer, UnitLength)
    }
    return Explorable(
        faces.NETWORK, Sequential(layers), faces.SIZE, True, None, faces.MEAN, faces.SPREAD
    )


OPENED: dict[str, Callable[[pathlib.Path], Explorable]] = {
    cifar10.NETWORK: _cifar10,
    siamese.NETWORK: _siamese,
    faces.NETWORK: _faces,
}
