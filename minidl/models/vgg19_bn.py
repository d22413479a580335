"""This network is VGG19 with batch normalization, for pictures of 32x32. `take_imagenet` copies the
weights of ImageNet into it.

It has the sixteen 3x3 convolutions of VGG19, and a head of dense layers: see vgg.py.
"""

from collections.abc import Sequence

import numpy as np

from minidl.backend import to_device
from minidl.checkpoints import load, shipped
from minidl.errors import ArgumentError
from minidl.layers import Sequential
from minidl.models.vgg import vgg
from minidl.models.vgg19 import ARCHITECTURE, BLOCKS
from minidl.typing import Array, Path

VGG19 = "-".join(f"{count}x{channels}" for _, count, channels in BLOCKS)


def vgg19_bn(
    head: str = "512-10",
    width: float = 1.0,
    keep: float = 0.5,
    seed: int = 0,
    momentum: float = 0.9,
) -> Sequential:
    """Return an untrained network (N, 32, 32, 3) -> logits (N, classes). The arguments are those of
    `vgg`."""
    return vgg(VGG19, head, width, keep, seed, momentum)


def take_imagenet(
    model: Sequential,
    std: Array | Sequence[float],
    weights: Path | None = None,
) -> dict[str, list[str]]:
    """Copy VGG19's ImageNet weights into a model, where names and shapes agree.

    Return the names of the parameters by what was done: {"taken": [...], "of another shape": [...],
    "not in the file": [...]}. Only the first are changed.

    std: three numbers, RGB; the model's input is (pixel - mean) / std for pixels in 0..255.
    weights: the path of a file in minidl's form, or None for the shipped one. Raise ArgumentError
    if no weights could be taken.

    The weights expect pixels minus another mean, in another order of the colours. The first kernel
    is therefore put into the model's order and multiplied by std. The difference of the means
    remains, for any mean of the model. It adds a constant to the output of the first convolution.
    Batch normalization removes this constant, but not at the border, where the padding is zero.
    """
    checkpoint = load(weights or shipped("vgg19"), ARCHITECTURE, top=False)
    trained = checkpoint.preprocessing
    assert trained is not None  # `load` has checked it
    names: dict[str, list[str]] = {"taken": [], "of another shape": [], "not in the file": []}
    for name, parameter in model.named_parameters().items():
        array = checkpoint.arrays.get(name)
        if array is None:
            names["not in the file"].append(name)
            continue
        if array.shape != parameter.shape:
            names["of another shape"].append(name)
            continue
        if name == "block1_conv1/kernel":
            order = slice(None, None, -1 if trained.channels == "BGR" else None)
            scale = np.asarray(std) / trained.std[order]
            array = array[:, :, order] * np.reshape(scale, (3, 1))
        parameter.data = to_device(array.astype(parameter.dtype), parameter.device)
        names["taken"].append(name)
    if not names["taken"]:
        raise ArgumentError(
            "none of ImageNet's weights fits a network of this width; take the width 1, "
            "or --imagenet no"
        )
    return names
