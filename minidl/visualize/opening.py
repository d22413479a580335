"""Opening networks and examples from files: VGG19, or a network that `minidl train` trained."""

import h5py
import numpy as np

from minidl import ops, typing
from minidl.backend import current_device, current_module
from minidl.checkpoints import hdf5
from minidl.data.images import read_at_size, read_image
from minidl.data.signals import SAMPLES
from minidl.data.volumes import SIZE
from minidl.errors import FileError, ShapeError, printable
from minidl.files import must_exist
from minidl.models import vgg19
from minidl.models.embedding import Committee
from minidl.recipes import cifar10, faces, siamese, signals, volumes
from minidl.training import load, load_model
from minidl.training.folder import network_file
from minidl.visualize.arrays import is_array, read_array
from minidl.visualize.network import Network, of_sequential, of_vgg19


def open_network(source: typing.Path = "vgg19") -> Network:
    """Return a Network with frozen parameters, on the current device.

    source: "vgg19", or the path of a file of VGG19's weights in minidl's format, of a run of
        `minidl train` or of `minidl.training.train`, of its checkpoint, or of a file of
        `minidl.training.save_model`

    VGG19 uses max-pooling, as in its training, and its dense layers if the file contains them.
    Raises FileError if the file does not exist, is damaged, or is of another network.
    """
    if source == "vgg19":
        return of_vgg19(vgg19(pooling="max"))
    path = must_exist(network_file(source), "network")
    is_checkpoint, has_top = _contents(path)
    if not is_checkpoint:
        return of_vgg19(vgg19(path, pooling="max", top=has_top))
    kind, has_architecture = _kind(path)
    if kind not in TRAINED and has_architecture:
        return _of_model(path)
    if kind not in TRAINED:
        raise FileError(
            f"{path} holds a network {printable(kind, 80)!r}; wanted one of {', '.join(TRAINED)}"
        )
    return TRAINED[kind](path)


def kind_of(source: typing.Path) -> str | None:
    """Return the name of the recipe of a run or its checkpoint, or None for another network. source
    as for `open_network`, but no name"""
    path = must_exist(network_file(source), "network")
    is_checkpoint, _ = _contents(path)
    return _kind(path)[0] if is_checkpoint else None


def _kind(path):
    """The name of the recipe of a checkpoint, and whether its network is described"""
    tree = load(path, with_arrays=False)
    settings = tree.get("settings")
    kind = str(settings.get("network")) if isinstance(settings, dict) else "without settings"
    return kind, "architecture" in tree


def read_for(network: Network, path: typing.Path, longest: int | None = None) -> np.ndarray:
    """Return an example (*spatial, C), float32, from a file, as the network takes it.

    path: a picture, RGB, 0..255, or an .npy file of an array of numbers
    longest: the most pixels of the longer side, if the network takes pictures of any size;
        None keeps the size. If the network takes one size, a picture is cropped around its centre
        and resized to it.

    Raises FileError if there is no such file or it cannot be read, and ShapeError if the example
    does not fit the network.
    """
    size = network.size
    if is_array(path):
        example = read_array(path)
        if size and example.shape[:-1] != tuple(size):
            raise ShapeError(
                f"{path} holds an array {example.shape}; the network takes {(*size, 'channels')}"
            )
        if size is None and (example.ndim != 3 or example.shape[-1] != 3):
            raise ShapeError(f"{path} holds an array {example.shape}; wanted a picture (H, W, 3)")
        return example
    if size is None:
        return read_image(path, longest)
    if len(size) != 2:
        raise ShapeError(
            f"{path} is no .npy file; the network takes no pictures "
            f"but arrays {(*size, 'channels')}: write one with numpy.save"
        )
    return read_at_size(path, size)


def _cifar10(path):
    model, classes, *moments = cifar10.trained(path)
    mean, std = (current_module().asarray(numbers, "float32") for numbers in moments)
    return of_sequential(
        _frozen(model),
        lambda pictures: (pictures - mean) / std,
        size=(32, 32),
        classes=tuple(classes),
    )


def _of_model(path):
    """Return a network that a program in Python has trained."""
    trained = load_model(path)
    *size, channels = trained.shape
    if not size:
        raise FileError(
            f"{path} holds a network that takes vectors of {channels} numbers; wanted one that "
            "takes pictures, signals or volumes"
        )
    mean, std = (current_module().asarray(numbers) for numbers in (trained.mean, trained.std))
    is_grey = trained.takes_pictures and channels == 1

    def prepare(examples):
        return ((_grey(examples) if is_grey else examples) - mean) / std

    channels = 3 if trained.takes_pictures else channels
    return of_sequential(
        _frozen(trained.model), prepare, tuple(size), trained.classes, channels=channels
    )


def _siamese(path):
    model = _frozen(siamese.trained(path))
    return of_sequential(model, lambda pictures: _grey(pictures) / 255, size=(28, 28))


def _faces(path):
    """Return the embedding as a Network; of a committee, its first member."""
    verifier = faces.trained(path)
    if verifier.parameters()[0].ndim == 2:
        raise FileError(
            f"{path} was trained on the vectors of another network and takes no pictures; "
            "train one from scratch"
        )
    embedding = verifier.embedding
    model = embedding.members["member1"] if isinstance(embedding, Committee) else embedding
    return of_sequential(
        _frozen(model),
        lambda pictures: (_grey(pictures) - faces.MEAN) / faces.SPREAD,
        size=faces.SIZE,
    )


def _of_arrays(recipe, size):
    """Return the function that opens a network of signals or volumes, which takes its examples
    unchanged."""

    def opened(path):
        model, classes = recipe.trained(path)
        return of_sequential(
            _frozen(model),
            lambda examples: examples,
            size=size,
            classes=tuple(classes),
            examples=lambda: recipe.tested()[0],
            channels=1,
        )

    return opened


TRAINED = {
    cifar10.NETWORK: _cifar10,
    siamese.NETWORK: _siamese,
    faces.NETWORK: _faces,
    signals.NETWORK: _of_arrays(signals, (SAMPLES,)),
    volumes.NETWORK: _of_arrays(volumes, (SIZE,) * 3),
}


def _frozen(model):
    return model.train(False).freeze().to(current_device())


def _grey(pictures):
    """(N, H, W, 3) -> (N, H, W, 1): the mean of the channels, for networks trained on grey"""
    return ops.mean(pictures, -1, keepdims=True)


def _contents(path):
    """Return whether a file is a checkpoint of a training run, and whether it contains the dense
    layers of VGG19."""
    try:
        with h5py.File(path, "r") as file:
            form = str(hdf5.attributes(file).get("format"))
            return form.startswith("minidl training"), "fc1/kernel" in file
    except Exception:  # The file is damaged or not HDF5. The reader of weights reports it.
        return False, False
