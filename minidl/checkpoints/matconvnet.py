"""Read networks of MatConvNet, such as imagenet-vgg-verydeep-19.mat.

    layers{n}.name                         "conv1_1", ...
    layers{n}.weights                      {kernel, bias}; in older files `filters` and `biases`
    meta.normalization.averageImage        (H, W, 3) or (1, 1, 3), RGB
    meta.classes.description               the names of the outputs

These are variables of the file, or fields of its variable `net`. In older files, the fields of
`meta` are variables. Kernels are (height, width, inputs, outputs), and dense layers are
convolutions. The input of the network is a picture from 0 to 255 minus the average picture, whose
mean over all pixels is used here.
"""

from collections.abc import Collection
from typing import Any

import numpy as np

from minidl.checkpoints import matlab
from minidl.checkpoints.checkpoint import Checkpoint, Preprocessing
from minidl.errors import ArgumentError, FileError
from minidl.limits import NUMBERS, must_have_names
from minidl.typing import Array, Path

SMALL = 2**18  # numbers; an average picture has 224·224·3
_VARIABLES = "layers", "meta", "normalization", "classes", "net"


def read_mat(path: Path, wanted: Collection[str] | None = None) -> Checkpoint:
    """Read a MAT-file with a network of MatConvNet.

    Kernels have the names LAYER/filters, and biases LAYER/biases. wanted: see `read`. Raises
    FileError if the file holds something else.
    """
    if wanted is None:
        return _checkpoint(path, NUMBERS)
    found = _checkpoint(path, SMALL)
    largest = max((array.size for name, array in found.arrays.items() if name in wanted), default=0)
    return _checkpoint(path, largest) if largest > SMALL else found


def _checkpoint(path, largest):
    """Return the Checkpoint. Arrays of more than `largest` numbers are zeros."""
    variables = matlab.variables(path, _VARIABLES, largest)
    network = _structure(variables.get("net")) or variables
    layers = network.get("layers")
    if not isinstance(layers, list):
        raise FileError(
            f"{path} holds no network of MatConvNet, which has the variable layers; name another "
            "file"
        )
    meta = network | _structure(network.get("meta"))
    average = _structure(meta.get("normalization")).get("averageImage")
    return Checkpoint(
        arrays=_arrays(layers, path),
        form="matconvnet",
        preprocessing=_preprocessing(average, path),
        classes=_classes(_structure(meta.get("classes")), path),
    )


def _structure(value) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _arrays(layers, path):
    arrays: dict[str, Array] = {}
    for number, layer in enumerate(map(_structure, layers)):
        weights = layer.get("weights", [layer.get("filters"), layer.get("biases")])
        weights = [array for array in weights or () if isinstance(array, np.ndarray) and array.size]
        name = layer.get("name")
        name = name if name and isinstance(name, str) else f"layer{number}"
        if layer.get("type", "conv") == "conv" and 0 < len(weights) <= 2:
            # MATLAB leaves out axes of length 1 at the end.
            kernel, *biases = weights
            named = {f"{name}/filters": kernel.reshape(*kernel.shape, *[1] * (4 - kernel.ndim))}
            named |= {f"{name}/biases": bias.reshape(-1) for bias in biases}
        else:
            named = {f"{name}/weights/{index}": array for index, array in enumerate(weights)}
        if not arrays.keys().isdisjoint(named):
            raise FileError(f"{path} names two layers {name!r}: it is damaged; get it again")
        must_have_names(named, path)
        arrays |= named
    return arrays


def _preprocessing(average, path):
    if not isinstance(average, np.ndarray) or not average.size:
        return None
    if average.size == 3 or average.shape[-1] == 3:
        with np.errstate(over="ignore", invalid="ignore"):
            mean = average.reshape(-1, 3).mean(axis=0, dtype=np.float64).astype(np.float32)
        try:
            # As text, a float32 has its shortest form: 123.68, not 123.68000030517578.
            return Preprocessing("RGB", tuple(float(str(x)) for x in mean), (1.0,) * 3)
        except ArgumentError:
            pass
    raise FileError(
        f"{path} has an averageImage of shape {average.shape} that is no mean of pictures with "
        "numbers from 0 to 255; get it again"
    )


def _classes(classes, path):
    for names in (classes.get("description"), classes.get("name")):
        if isinstance(names, list) and names and all(isinstance(name, str) for name in names):
            must_have_names(names, path, "a class")
            return tuple(names)
    return None
