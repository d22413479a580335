"""Recognise a network by the shapes of its arrays, and the layout of a kernel by its values."""

import re
from collections.abc import Iterable, Mapping
from itertools import chain, combinations

import numpy as np

from minidl.checkpoints.checkpoint import Architecture, Landmark
from minidl.typing import Array, Shape

# The networks of Simonyan and Zisserman (2014) by their number of 3x3 convolutions.
_VGG = {8: "VGG11", 10: "VGG13", 13: "VGG16", 16: "VGG19"}

# Errors in the layout of a kernel (height, width, inputs, outputs). Each is its own inverse.
_MISTAKES = {
    "red and blue swapped": lambda kernel: kernel[:, :, ::-1],
    "height and width swapped": lambda kernel: kernel.swapaxes(0, 1),
    # Theano convolves, where the other libraries correlate.
    "kernels turned by 180 degrees": lambda kernel: kernel[::-1, ::-1],
}

# Rounding to 256 levels changes a value by at most 0.01. In the landmark of VGG19, red and blue
# differ by 0.04.
_TOLERANCE = 0.02


def network(arrays: Iterable[Array], normalizations: int = 0) -> str:
    """Describe the network that has arrays of these shapes.

    normalizations: its number of batch normalizations.

    >>> network([np.zeros((7, 7, 3, 64)), np.zeros((64, 10)), np.zeros(10)])
    '1 convolution and 1 dense layer'
    """
    shapes = [array.shape for array in arrays]
    windows = [(shape[:2], shape[2:]) for shape in shapes if len(shape) == 4]
    layers, suffix = _count(len(windows), "convolution"), ""
    if normalizations:
        layers += f", {_count(normalizations, 'batch normalization')}"
        suffix = " with batch normalization"
    layers += f" and {_count(sum(len(shape) == 2 for shape in shapes), 'dense layer')}"
    # The window comes first in minidl's order of the axes, last in PyTorch's.
    if len(windows) in _VGG and all((3, 3) in ends for ends in windows):
        return f"{layers}, as {_VGG[len(windows)]}{suffix} has"
    return layers


def normalizations(names: Iterable[str]) -> int:
    """Return the number of batch normalizations with arrays of these names, in PyTorch, Keras 2,
    Keras 3 or minidl.

    >>> normalizations(["features.1.weight", "features.1.running_mean", "bn/bn/moving_mean:0"])
    2
    """
    pattern = re.compile(r"(running_mean|moving_mean(:0)?|/vars/2)$")
    return sum(pattern.search(name) is not None for name in names)


def in_pytorch_order(arrays: Mapping[str, Array], architecture: Architecture) -> str | None:
    """Return the name of the first kernel with the axes (outputs, inputs, *window), or None if
    there is none."""
    for name, expected in architecture.shapes.items():
        if not name.endswith("/kernel") or name not in arrays:
            continue
        if arrays[name].shape == pytorch_shape(expected) != expected:
            return name
    return None


def pytorch_shape(shape: Shape) -> Shape:
    """Return the shape of a kernel in PyTorch's order of the axes.

    >>> pytorch_shape((3, 5, 64, 128))
    (128, 64, 3, 5)
    """
    *window, inputs, outputs = shape
    return (outputs, inputs, *window)


def mistakes(kernel: Array, landmark: Landmark, channels: str) -> tuple[str, ...] | None:
    """Return the names of the errors in the layout of a kernel (3, 3, 3, outputs).

    The result is () if the kernel is the known one without errors, and None if it is another one.

    channels: "RGB" or "BGR", the order of the network's input.
    """
    step = 1 if channels == "RGB" else -1
    expected = {place: colours[::step] for place, colours in landmark.colours.items()}
    counts = range(len(_MISTAKES) + 1)
    for names in chain.from_iterable(combinations(_MISTAKES, count) for count in counts):
        corrected = kernel
        for name in names:
            corrected = _MISTAKES[name](corrected)
        if all(
            np.allclose(corrected[place][:, 0], colours, rtol=0, atol=_TOLERANCE)
            for place, colours in expected.items()
        ):
            return names
    return None


def _count(number, name):
    return f"{number} {name}{'s' * (number != 1)}"
