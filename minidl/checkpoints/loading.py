"""Weights for a model: minidl's own file, complete and sane, or a sentence that says what to do."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from minidl.checkpoints.checkpoint import layer_of
from minidl.checkpoints.diagnosis import diagnose, of_pytorch_order
from minidl.checkpoints.reading import read
from minidl.errors import FileError

_FORMS = {
    "keras": "an HDF5 file of Keras'",
    "pytorch": "a PyTorch file",
    "tfjs": "a manifest of TensorFlow.js",
    "npz": "an .npz file",
}


def load(path, architecture, top=False):
    """path -> Checkpoint with every array of the architecture, float32, finite, in the
    architecture's order

    top  read the optional layers too; they are left out otherwise, even if the file has them

    FileError: no file in minidl's form (it names the command that converts), or not these weights.
    """
    wanted = [
        name for name in architecture.shapes if top or layer_of(name) not in architecture.optional
    ]
    checkpoint = read(path, wanted)
    if checkpoint.form != "minidl":
        convert = f"`minidl weights convert {Path(path).name} OUT.h5`"
        foreign = (
            f"is {_FORMS[checkpoint.form]}; models read minidl's own, which {convert} makes of it"
        )
        raise FileError(f"{path} {of_pytorch_order(checkpoint.arrays, architecture) or foreign}")
    for severity, text in diagnose(checkpoint, architecture, path, wanted):
        if severity == "error":
            raise FileError(text)
    if architecture.preprocessing and not checkpoint.preprocessing:
        raise FileError(f"{path} stores no preprocessing (RGB or BGR, mean); convert the original")
    if missing := [name for name in wanted if name not in checkpoint.arrays]:
        raise FileError(
            f"{path} has no top ({layer_of(missing[0])}, ...); ask for top=False, or convert a file with one"
        )
    return replace(
        checkpoint,
        arrays={name: checkpoint.arrays[name].astype(np.float32, copy=False) for name in wanted},
    )


def shipped(name):
    """Path of the weights that come with minidl: shipped("vgg19"). FileError where they are not
    installed."""
    package = Path(__file__).parents[1]
    # installed; checkout
    places = [folder / "weights" / f"{name}.h5" for folder in (package, package.parent)]
    for place in places:
        if place.is_file():
            return place
    raise FileError(
        f"{places[-1]} is not there: the weights of {name} do not come with this installation; reinstall minidl, or give "
        "a file of your own (`minidl weights convert FOUND OUT.h5` makes one)"
    )
