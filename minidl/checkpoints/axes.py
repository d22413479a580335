"""The order of the axes of kernels: minidl's, and PyTorch's and MatConvNet's.

minidl      (*window, inputs, outputs)    the top takes (height, width, channels), flattened
PyTorch     (outputs, inputs, *window)    the top takes (channels, height, width), flattened
MatConvNet  (*window, inputs, outputs)    the top is a convolution over the whole feature map
"""

from collections.abc import Mapping

import numpy as np

from minidl.checkpoints.checkpoint import Architecture, layer_of
from minidl.checkpoints.recognition import mistakes
from minidl.typing import Array

KERNELS = "kernel", "depthwise", "pointwise"


def channels_last(kernel: Array, layer: str, architecture: Architecture) -> Array:
    """Return a kernel of PyTorch in minidl's order."""
    if kernel.ndim < 2:
        return kernel
    kernel = np.moveaxis(kernel, (0, 1), (-1, -2))
    channels = _flattened_channels(layer, architecture)
    if channels and kernel.shape[0] == architecture.shapes[f"{layer}/kernel"][0]:
        kernel = kernel.reshape(channels, -1, kernel.shape[1]).swapaxes(0, 1).reshape(kernel.shape)
    return kernel


def channels_first(kernel: Array, layer: str, architecture: Architecture) -> Array:
    """Return a kernel of minidl in PyTorch's order: the inverse of `channels_last`."""
    channels = _flattened_channels(layer, architecture)
    if channels:
        kernel = kernel.reshape(-1, channels, kernel.shape[1]).swapaxes(0, 1).reshape(kernel.shape)
    return np.moveaxis(kernel, (-1, -2), (0, 1))


def _flattened_channels(layer, architecture):
    """Return the channels of the feature map that a layer takes flattened, or None if the layer is
    not the first dense one."""
    if layer not in architecture.layers(2)[:1]:
        return None
    names = list(architecture.shapes)
    before = names[: names.index(f"{layer}/kernel")]
    return architecture.shapes[before[-1]][-1] if before else None


def height_first(
    layers: Mapping[str, dict[str, Array]], architecture: Architecture
) -> dict[str, dict[str, Array]]:
    """Return the layers of a MatConvNet file with kernels (height, width, inputs, outputs).

    Programs disagree on whether the files of VGG's authors have the width first. The values of the
    first kernel decide. If they are not the known ones, nothing changes.
    """
    landmark = architecture.landmark
    if landmark:
        kernel = layers.get(layer_of(landmark.kernel), {}).get("kernel", np.zeros(()))
        is_of_shape = kernel.shape == architecture.shapes[landmark.kernel]
        if is_of_shape and mistakes(kernel, landmark, "RGB") == ("height and width swapped",):
            return {
                layer: {
                    kind: array.swapaxes(0, 1) if array.ndim == 4 else array
                    for kind, array in parts.items()
                }
                for layer, parts in layers.items()
            }
    return dict(layers)
