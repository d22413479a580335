"""Which network, and which way round: told by the numbers themselves."""

import re
from itertools import chain, combinations

import numpy as np

# The networks of Simonyan & Zisserman 2014 by their number of 3x3 convolutions.
_VGG = {8: "VGG11", 10: "VGG13", 13: "VGG16", 16: "VGG19"}

# What can have happened to a kernel (height, width, inputs, outputs) on its way, each its own
# inverse.
_MISTAKES = {
    "red and blue swapped": lambda kernel: kernel[:, :, ::-1],
    "height and width swapped": lambda kernel: kernel.swapaxes(0, 1),
    # Theano convolves where others correlate
    "kernels turned by 180 degrees": lambda kernel: kernel[::-1, ::-1],
}

# Rounding to 256 levels moves a value by 0.01 at most; red and blue of the landmark are 0.04 apart.
_TOLERANCE = 0.02


def network(arrays, normalizations=0):
    """The network that the shapes of these arrays suggest, in words. normalizations: how many batch
    normalizations it has

    >>> network([np.zeros((7, 7, 3, 64)), np.zeros((64, 10)), np.zeros(10)])
    '1 convolution and 1 dense layer'
    """
    arrays = list(arrays)
    convolutions = [array.shape for array in arrays if array.ndim == 4]
    dense = _count(sum(array.ndim == 2 for array in arrays), "dense layer")
    found, kind = _count(len(convolutions), "convolution"), ""
    if normalizations:
        found, kind = (
            f"{found}, {_count(normalizations, 'batch normalization')}",
            " with batch normalization",
        )
    found = f"{found} and {dense}"
    if len(convolutions) in _VGG and all(
        (3, 3) in (shape[:2], shape[2:]) for shape in convolutions
    ):
        return f"{found}, as {_VGG[len(convolutions)]}{kind} has"
    return found


def normalizations(names):
    """How many batch normalizations have arrays of these names: PyTorch's, Keras 2's, Keras 3's,
    minidl's

    >>> normalizations(["features.1.weight", "features.1.running_mean", "bn/bn/moving_mean:0"])
    2
    """
    return sum(
        re.search(r"(running_mean|moving_mean(:0)?|/vars/2)$", name) is not None for name in names
    )


def in_pytorch_order(arrays, architecture):
    """The name of the first kernel that stands as (outputs, inputs, *window); None if there is
    none."""
    for name, wanted in architecture.shapes.items():
        if (
            name.endswith("/kernel")
            and np.shape(arrays.get(name)) == pytorch_shape(wanted) != wanted
        ):
            return name
    return None


def pytorch_shape(shape):
    """
    >>> pytorch_shape((3, 5, 64, 128))
    (128, 64, 3, 5)
    """
    *window, inputs, outputs = shape
    return (outputs, inputs, *window)


def mistakes(kernel, landmark, channels):
    """(3, 3, 3, outputs) -> the names of what was done to the known kernel; () it stands right;
    None: it is another kernel

    channels  "RGB" or "BGR", the order in which the network is fed
    """
    wanted = {
        place: colours[:: 1 if channels == "RGB" else -1]
        for place, colours in landmark.colours.items()
    }
    for names in chain.from_iterable(
        combinations(_MISTAKES, count) for count in range(len(_MISTAKES) + 1)
    ):
        undone = kernel
        for name in names:
            undone = _MISTAKES[name](undone)
        if all(
            np.allclose(undone[place][:, 0], colours, rtol=0, atol=_TOLERANCE)
            for place, colours in wanted.items()
        ):
            return names
    return None


def _count(number, name):
    return f"{number} {name}{'s' * (number != 1)}"
