"""VGG19 with batch normalization, for pictures of 32x32.

It has the sixteen 3x3 convolutions of VGG19, each with batch normalization and ReLU, 2x2
max-pooling after each block, and a head of dense layers. A string with the number of units of each
dense layer describes the head:

    "4096-4096-10"  two hidden layers of 4096, each with batch normalization, ReLU and dropout, then
                    an output layer of 10
    "512-10"        one hidden layer of 512, then an output layer of 10
"""

from collections.abc import Sequence

import numpy as np

from minidl.backend import to_device
from minidl.checkpoints import load, shipped
from minidl.errors import ArgumentError, brief
from minidl.layers import (
    BatchNorm,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    MaxPool,
    Module,
    ReLU,
    Sequential,
)
from minidl.models.vgg19 import ARCHITECTURE, BLOCKS
from minidl.typing import Array, Path

LEAST_CHANNELS, MOST_LAYERS = 4, 16


def vgg19_bn(
    head: str = "512-10",
    width: float = 1.0,
    keep: float = 0.5,
    seed: int = 0,
    momentum: float = 0.9,
) -> Sequential:
    """Return an untrained network (N, 32, 32, 3) -> logits (N, classes).

    head: numbers of units of the dense layers, such as "512-10" (see the module). width: factor on
    the numbers of channels and hidden units, above 0 and at most 4. keep: the probability with
    which dropout keeps a number. seed: of the initial kernels and of dropout. momentum: of the
    running statistics of batch normalization. Raises ArgumentError for another head or width.
    """
    *hidden, classes = _numbers(head)
    if not 0 < width <= 4:
        raise ArgumentError(
            f"the width is {width}; wanted a factor on VGG19's channels above 0, at most 4"
        )

    def scaled(channels):
        return max(LEAST_CHANNELS, round(width * channels))

    rng, inputs = np.random.default_rng(seed), 3  # the three colours
    layers: dict[str, Module] = {}
    for block, count, channels in BLOCKS:
        outputs = scaled(channels)
        for number in range(1, count + 1):
            name = f"block{block}_conv{number}"
            layers[name] = Convolution.new(rng, (3, 3), inputs, outputs, padding=1)
            layers[f"{name}_norm"] = BatchNorm(outputs, momentum=momentum)
            layers[f"{name}_relu"] = ReLU()
            inputs = outputs
        layers[f"block{block}_pool"] = MaxPool(2, stride=2)
    layers["flatten"] = Flatten()
    for number, units in enumerate(hidden, start=1):
        outputs = scaled(units)
        layers[f"fc{number}"] = Dense.new(rng, inputs, outputs)
        layers[f"fc{number}_norm"] = BatchNorm(outputs, momentum=momentum)
        layers[f"fc{number}_relu"] = ReLU()
        layers[f"fc{number}_dropout"] = Dropout(keep, seed=(seed, number))
        inputs = outputs
    layers["predictions"] = Dense.new(rng, inputs, classes)
    return Sequential(layers)


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


def _numbers(head):
    """Return the numbers of units of a head.

    >>> _numbers("512-10")
    [512, 10]
    """
    parts = str(head).split("-")
    are_numbers = all(part.isdecimal() and len(part) < 7 and int(part) for part in parts)
    if len(parts) > MOST_LAYERS or not are_numbers:
        raise ArgumentError(
            f"the head is {brief(head)}; wanted at most {MOST_LAYERS} numbers of units from 1 to "
            "999999, separated by -, such as 4096-4096-10; the last one is the number of classes"
        )
    return list(map(int, parts))
