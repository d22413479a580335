"""Networks to look into: VGG19, or what `minidl train` has trained."""

from pathlib import Path

import h5py
import numpy as np

from minidl import ops
from minidl.backend import current_device, current_module
from minidl.checkpoints import hdf5
from minidl.checkpoints.npz import read_npy
from minidl.data.images import read_at_size, read_image
from minidl.data.signals import SAMPLES
from minidl.data.volumes import SIZE
from minidl.errors import FileError, ShapeError, printable
from minidl.files import must_exist
from minidl.models import vgg19
from minidl.models.embedding import Committee
from minidl.recipes import cifar10, faces, siamese, signals, volumes
from minidl.training import load
from minidl.training.folder import CHECKPOINT
from minidl.visualize.network import of_sequential, of_vgg19


def open_network(source="vgg19"):
    """A Network, frozen, on the current device.

    source: "vgg19", or a path: of VGG19's weights in minidl's form, of a run of `minidl train` or
    of its checkpoint. VGG19 pools by the maximum, as it was trained, and has its dense layers where
    the file has them. Raises FileError where there is no such file, or it is damaged or of another
    network.
    """
    if source == "vgg19":
        return of_vgg19(vgg19(pooling="max"))
    path = Path(source)
    path = must_exist(path / CHECKPOINT if path.is_dir() else path, "network")
    is_of_training, has_top = _looked_into(path)
    if not is_of_training:
        return of_vgg19(vgg19(path, pooling="max", top=has_top))
    settings = load(path).get("settings")
    kind = str(settings.get("network")) if isinstance(settings, dict) else "without settings"
    if kind not in TRAINED:
        raise FileError(
            f"{path} holds a network {printable(kind, 80)!r}; wanted one of {', '.join(TRAINED)}"
        )
    return TRAINED[kind](path)


def read_for(network, path, longest=None):
    """An example as the network takes it: a picture (H, W, 3), or of an .npy file any array
    (*spatial, C).

    A picture in an .npy file is RGB, 0..255. longest: as `read_image` has it. Where the network
    wants pictures of one size, it is the middle of the picture in its proportions, made that size.
    Raises FileError where there is none, ShapeError for an example of another kind.
    """
    size = network.size
    if is_array(path):
        example = _read_array(path)
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
            f"{path} is no .npy file; the network takes no pictures but arrays {(*size, 'channels')}"
        )
    return read_at_size(path, size)


def is_array(path):
    """Whether a file holds an array rather than a picture, by its name"""
    return Path(path).suffix == ".npy"


def _cifar10(path):
    model, classes, *fed = cifar10.trained(path)
    mean, std = (current_module().asarray(numbers, "float32") for numbers in fed)
    return of_sequential(
        _ready(model),
        lambda pictures: (pictures - mean) / std,
        size=(32, 32),
        classes=tuple(classes),
    )


def _siamese(path):
    return of_sequential(
        _ready(siamese.trained(path)), lambda pictures: _grey(pictures) / 255, size=(28, 28)
    )


def _faces(path):
    verifier = faces.trained(path)
    if verifier.parameters()[0].ndim == 2:
        raise FileError(
            f"{path} was trained on the vectors of another network and sees no pictures; train one from scratch"
        )
    embedding = verifier.embedding
    first = embedding.members["member1"] if isinstance(embedding, Committee) else embedding
    return of_sequential(
        _ready(first), lambda pictures: (_grey(pictures) - 115) / 50, size=faces.SIZE
    )


def _of_arrays(recipe, size):
    """Of a recipe whose network takes its examples as they are"""

    def opened(path):
        model, classes = recipe.trained(path)
        return of_sequential(
            _ready(model),
            lambda examples: examples,
            size=size,
            classes=tuple(classes),
            examples=lambda: recipe.tested()[0],
        )

    return opened


TRAINED = {
    cifar10.NETWORK: _cifar10, siamese.NETWORK: _siamese, faces.NETWORK: _faces,
    signals.NETWORK: _of_arrays(signals, (SAMPLES,)), volumes.NETWORK: _of_arrays(volumes, (SIZE,) * 3),
}  # fmt: skip


def _ready(model):
    return model.train(False).freeze().to(current_device())


def _grey(pictures):
    """(N, H, W, 3) -> (N, H, W, 1): the mean of the colours, as these networks were trained on
    grey"""
    return ops.mean(pictures, -1, keepdims=True)


def _read_array(path):
    path = must_exist(path, "array")
    with open(path, "rb") as file:
        if file.read(2) == b"PK":
            raise FileError(
                f"{path} is an .npz file of several arrays; write one array with numpy.save"
            )
    try:
        array = read_npy(path)
    except FileError:
        raise
    except Exception as error:  # a damaged header raises anything
        raise FileError(
            f"{path} holds no array of numbers ({error}); write one with numpy.save"
        ) from None
    if array.dtype.kind not in "fiu" or array.ndim < 2 or 0 in array.shape:
        raise FileError(
            f"{path} holds {array.dtype} {array.shape}; wanted numbers (L, C), (H, W, C) or (D, H, W, C)"
        )
    with np.errstate(over="ignore"):
        array = array.astype(np.float32)
    if not np.isfinite(array).all():
        raise FileError(f"{path} holds NaN, or numbers that no float32 can be; wanted finite ones")
    return array


def _looked_into(path):
    """(whether it is a checkpoint of a training, whether it has VGG19's dense layers)"""
    try:
        with h5py.File(path, "r") as file:
            return str(hdf5.attributes(file).get("format")).startswith(
                "minidl training"
            ), "fc1/kernel" in file
    # no HDF5, or a damaged one, raises anything: the reader of weights says what it is
    except Exception:
        return False, False
