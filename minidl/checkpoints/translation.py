"""Translate the names and axis orders of other programs into minidl's.

There are five steps. Split the name of each array into the name of a layer and the kind of the
array (names.py). Find the layer of the architecture with that name. Determine whether the kernels
are in PyTorch's axis order. If they are, reorder their axes (axes.py). Leave out a top that is not
the architecture's (tops.py).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from minidl.checkpoints.axes import KERNELS, channels_last, height_first
from minidl.checkpoints.checkpoint import Architecture, Checkpoint, Preprocessing
from minidl.checkpoints.names import by_layer
from minidl.checkpoints.recognition import in_pytorch_order, mistakes, network, normalizations
from minidl.checkpoints.tops import dense, without_other_top
from minidl.errors import FileError
from minidl.naming import naturally


def translate(checkpoint: Checkpoint, architecture: Architecture) -> Checkpoint:
    """Return the checkpoint with minidl's names and axes, in float32.

    Layers are matched by name if at least one has a name of the architecture, and otherwise by
    their order. Dense layers of other names are matched by their order if as many are missing.
    A top that is not the architecture's is left out, and `remarks` say so. Any other array that
    belongs to no layer keeps its name, and `diagnose` reports it.

    Raises FileError if layers are matched by their order and there are more or fewer convolutions
    than in the architecture, or if two arrays have the place of one. The weights are then those of
    another network, or of several.
    """
    layers, others, repeated, is_pytorch = by_layer(checkpoint.arrays, architecture)
    for name, layer in repeated.items():
        raise FileError(
            f"the weights hold {layer} twice, also as {name}; save only those of one network"
        )
    if not set(layers) & set(architecture.layers()):
        layers = _convolutions_in_order(layers, checkpoint.arrays, architecture)
    layers = _dense_in_order(layers, checkpoint.arrays, architecture)
    if checkpoint.form == "matconvnet":
        layers = height_first(layers, architecture)
    named = others | {
        f"{layer}/{part}": array for layer, parts in layers.items() for part, array in parts.items()
    }
    is_pytorch = is_pytorch or in_pytorch_order(named, architecture) is not None
    ordered = dict.fromkeys([*architecture.shapes, *named])
    arrays = {
        name: _in_our_order(named[name], name, architecture, is_pytorch)
        for name in ordered
        if name in named
    }
    arrays, remarks = without_other_top(arrays, architecture)
    arrays = {name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()}
    return replace(
        checkpoint,
        arrays=arrays,
        architecture=architecture.name,
        preprocessing=checkpoint.preprocessing
        or _preprocessing(arrays, architecture, checkpoint.form, is_pytorch),
        remarks=remarks,
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
        layers = by_layer(checkpoint.arrays, architecture).layers
        common = len(set(layers) & set(architecture.layers()))
        return common, common and -len(architecture.layers())

    return max(architectures, key=likeness)


def _convolutions_in_order(layers, arrays, architecture):
    """Return the layers with the names of the architecture's convolutions, matched by order."""
    old_names = [name for name, parts in layers.items() if np.ndim(parts.get("kernel")) == 4]
    new_names = architecture.layers(4)
    if len(old_names) != len(new_names):
        raise _of_another_network(layers, arrays, architecture)
    return _renamed(layers, sorted(old_names, key=naturally), new_names)


def _dense_in_order(layers, arrays, architecture):
    """Return the layers with the names of the architecture's dense layers, where as many dense
    layers have other names as are missing."""
    old_names = [name for name in dense(layers) if name not in architecture.layers()]
    new_names = [name for name in architecture.layers(2) if name not in layers]
    if len(old_names) == len(new_names):
        return _renamed(layers, old_names, new_names)
    if old_names and set(new_names) - set(architecture.optional):
        raise _of_another_network(layers, arrays, architecture)
    return layers


def _renamed(layers, old_names, new_names):
    names = dict(zip(old_names, new_names, strict=True))
    return {names.get(name, name): parts for name, parts in layers.items()}


def _of_another_network(layers, arrays, architecture):
    kernels = [parts["kernel"] for parts in layers.values() if "kernel" in parts]
    return FileError(
        f"the weights are of another network than {architecture.name}: they hold "
        f"{network(kernels, normalizations(arrays))}"
    )


def _in_our_order(array, name, architecture, is_pytorch):
    layer, _, kind = name.rpartition("/")
    expected = architecture.shapes.get(name)
    if expected and kind in KERNELS:
        if is_pytorch:
            array = channels_last(array, layer, architecture)
        if len(expected) == 2 < array.ndim:
            array = array.reshape(-1, array.shape[-1])  # a convolution over the whole feature map
    if kind == "depthwise" and array.ndim > 2:
        # Keras and TensorFlow store (*window, inputs, outputs per input).
        array = array.reshape(*array.shape[:-2], 1, -1)
    return array


def _preprocessing(arrays, architecture, form, is_pytorch):
    """Return the preprocessing that the weights expect.

    If the architecture has only one, return it. If the values identify known weights, return
    theirs. Otherwise return the usual one of the program that wrote the file. MatConvNet's networks
    expect RGB.
    """
    if len(architecture.preprocessing) == 1:
        return next(iter(architecture.preprocessing.values()))
    usual = architecture.preprocessing.get("torchvision" if is_pytorch else "caffe")
    landmark = architecture.landmark
    if form == "matconvnet" and usual:
        return Preprocessing("RGB", usual.mean_rgb, usual.std)
    if landmark and np.shape(arrays.get(landmark.kernel)) == architecture.shapes[landmark.kernel]:
        known = architecture.preprocessing[landmark.lineage]
        if mistakes(arrays[landmark.kernel], landmark, known.channels) is not None:
            return known
    return usual
