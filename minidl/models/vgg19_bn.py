"""VGG19 with batch normalization, for pictures of 32x32: sixteen 3x3 convolutions as in VGG19, each
with batch normalization and ReLU, 2x2 max-pooling after each block, and dense layers.

heads: "4096-4096-10"  two dense layers of 4096, each with batch normalization, ReLU and dropout,
then one of 10
       "512-10"        one of 512, then one of 10; and so on, all but the last one times the width
"""

import numpy as np

from minidl.backend import to_device
from minidl.checkpoints import load, shipped
from minidl.errors import ArgumentError, brief
from minidl.layers import BatchNorm, Convolution, Dense, Dropout, Flatten, MaxPool, ReLU, Sequential
from minidl.models.vgg19 import ARCHITECTURE, BLOCKS

LEAST_CHANNELS, MOST_LAYERS = 4, 16


def vgg19_bn(head="512-10", width=1.0, keep=0.5, seed=0, momentum=0.9):
    """(N, 32, 32, 3) -> (N, classes), logits. width: factor on all channels; keep: of dropout;
    momentum: of the running statistics."""
    *hidden, classes = _numbers(head)
    if not 0 < width <= 4:
        raise ArgumentError(
            f"the width is {width}; wanted a factor on VGG19's channels above 0, at most 4"
        )
    rng, layers, inputs = np.random.default_rng(seed), {}, 3
    for block, count, channels in BLOCKS:
        outputs = max(LEAST_CHANNELS, round(width * channels))
        for number in range(1, count + 1):
            name = f"block{block}_conv{number}"
            layers[name] = Convolution.new(rng, (3, 3), inputs, outputs, padding=1)
            layers[f"{name}_norm"], layers[f"{name}_relu"] = (
                BatchNorm(outputs, momentum=momentum),
                ReLU(),
            )
            inputs = outputs
        layers[f"block{block}_pool"] = MaxPool(2, stride=2)
    layers["flatten"] = Flatten()
    for number, channels in enumerate(hidden, start=1):
        outputs = max(LEAST_CHANNELS, round(width * channels))
        layers[f"fc{number}"] = Dense.new(rng, inputs, outputs)
        layers[f"fc{number}_norm"], layers[f"fc{number}_relu"] = (
            BatchNorm(outputs, momentum=momentum),
            ReLU(),
        )
        layers[f"fc{number}_dropout"] = Dropout(keep, seed=(seed, number))
        inputs = outputs
    layers["predictions"] = Dense.new(rng, inputs, classes)
    return Sequential(layers)


def take_imagenet(model, mean, std, weights=None):
    """Take ImageNet's kernels and biases by the layers' names -> {"taken": names of parameters, "of
    another shape": .., "not in the file": ..}; the others stay as they began. Raises ArgumentError
    where none could be taken.

    mean, std: of the pixels (0..255) that the model sees as (pixel - mean) / std, RGB, three
    numbers each. The weights are meant for pixels less their own mean in the order of colours that
    they name; so the first kernel's colours are put in the model's order and multiplied with std,
    whereafter it sees what it was trained on but for the means, which only the border of zeros
    notices: batch normalization takes a constant away.
    """
    checkpoint = load(weights or shipped("vgg19"), ARCHITECTURE, top=False)
    report = {"taken": [], "of another shape": [], "not in the file": []}
    for name, parameter in model.named_parameters().items():
        array = checkpoint.arrays.get(name)
        if array is None or array.shape != parameter.shape:
            report["not in the file" if array is None else "of another shape"].append(name)
            continue
        if name == "block1_conv1/kernel":
            order = (
                slice(None, None, -1) if checkpoint.preprocessing.channels == "BGR" else slice(None)
            )
            array = array[:, :, order] * np.reshape(
                np.asarray(std) / checkpoint.preprocessing.std[order], (3, 1)
            )
        parameter.data = to_device(array.astype(parameter.dtype), parameter.device)
        report["taken"].append(name)
    if not report["taken"]:
        raise ArgumentError(
            "none of ImageNet's weights fits a network of this width; take the width 1, or --imagenet no"
        )
    return report


def _numbers(head):
    parts = str(head).split("-")
    if len(parts) > MOST_LAYERS or not all(
        part.isdecimal() and len(part) < 7 and int(part) for part in parts
    ):
        raise ArgumentError(
            f"the head is {brief(head)}; wanted numbers with - between, such as 4096-4096-10, the last one of classes, "
            f"at most {MOST_LAYERS}, none above 999999"
        )
    return list(map(int, parts))
