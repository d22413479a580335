"""Load the weights of a model from minidl's own file, or raise an error that says what to do."""

import pathlib
from dataclasses import replace

import numpy as np

from minidl.checkpoints.checkpoint import Architecture, Checkpoint, layer_of
from minidl.checkpoints.diagnosis import diagnose, of_pytorch_order
from minidl.checkpoints.reading import read
from minidl.errors import FileError
from minidl.typing import Path

_FORMS = {
    "run": "the checkpoint of a training run",
    "keras": "a Keras file",
    "pytorch": "a PyTorch file",
    "safetensors": "a safetensors file",
    "matconvnet": "a MAT-file of MatConvNet",
    "tfjs": "a TensorFlow.js manifest",
    "npz": "an .npz file",
}


def load(path: Path, architecture: Architecture, top: bool = False) -> Checkpoint:
    """Return a Checkpoint with every array of the architecture, in its order, finite and float32.

    path: of a file in minidl's HDF5 format. top: whether to read the architecture's optional
    layers. They are left out otherwise, even if the file has them.

    Raises FileError if the file is not in minidl's format (the message names the command that
    converts it), or if its arrays are not those of the architecture.
    """
    names = [
        name for name in architecture.shapes if top or layer_of(name) not in architecture.optional
    ]
    checkpoint = read(path, names)
    if checkpoint.form != "minidl":
        command = f"`minidl weights convert {pathlib.Path(path).name} OUT.h5`"
        foreign = (
            f"is {_FORMS[checkpoint.form]}; models read minidl's own format: convert it with "
            f"{command}"
        )
        raise FileError(f"{path} {of_pytorch_order(checkpoint.arrays, architecture) or foreign}")
    for severity, text in diagnose(checkpoint, architecture, path, names):
        if severity == "error":
            raise FileError(text)
    if architecture.preprocessing and not checkpoint.preprocessing:
        raise FileError(f"{path} stores no preprocessing (RGB or BGR, mean); convert the original")
    if missing := [name for name in names if name not in checkpoint.arrays]:
        raise FileError(
            f"{path} has no top ({layer_of(missing[0])}, ...); use top=False, or convert a file "
            "that has one"
        )
    arrays = {name: checkpoint.arrays[name].astype(np.float32, copy=False) for name in names}
    return replace(checkpoint, arrays=arrays)


def shipped(name: str) -> pathlib.Path:
    """Return the path of weights that are part of minidl, such as shipped("vgg19"). Raises
    FileError if they are not installed."""
    package = pathlib.Path(__file__).parents[1]
    # The first path is that of an installation, the second that of a checkout.
    paths = [folder / "weights" / f"{name}.h5" for folder in (package, package.parent)]
    for path in paths:
        if path.is_file():
            return path
    raise FileError(
        f"{paths[-1]} does not exist: the weights of {name} do not come with this installation; "
        "reinstall minidl, or use a file of your own (`minidl weights convert FOUND OUT.h5` makes "
        "one)"
    )
