"""Networks with the structure of VGG, for pictures of 32x32.

They have blocks of 3x3 convolutions, each with ReLU and, if wanted, batch normalization before it,
2x2 max-pooling after each block, and a head of dense layers. Two strings describe such a network.

The blocks, with the number and the channels of the convolutions of each:

    "2x64-2x128-4x256-4x512-4x512"  those of VGG19
    "2x10-2x10"                     two blocks of two convolutions with ten channels

The head, with the number of units of each dense layer:

    "4096-4096-10"  two hidden layers of 4096, each with ReLU, dropout and, if wanted, batch
                    normalization, then an output layer of 10
    "10"            only an output layer of 10
"""

import re

import numpy as np

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

SIDE = 32  # height and width of the pictures
LEAST_CHANNELS, MOST_LAYERS, MOST_BLOCKS = 4, 16, 5


def vgg(
    blocks: str,
    head: str,
    width: float = 1.0,
    keep: float = 0.5,
    seed: int = 0,
    momentum: float = 0.9,
    norm: bool = True,
) -> Sequential:
    """Return an untrained network (N, 32, 32, 3) -> logits (N, classes).

    blocks, head: see the module. width: factor on the numbers of channels and hidden units, above 0
    and at most 4. keep: the probability with which dropout keeps a number. seed: of the initial
    kernels and of dropout. momentum: of the running statistics of batch normalization. norm:
    whether to normalize. Raises ArgumentError for other blocks, heads or widths.
    """
    *hidden, classes = _units(head)
    if not 0 < width <= 4:
        raise ArgumentError(
            f"the width is {width}; wanted a factor on VGG19's channels above 0, at most 4"
        )

    def scaled(channels):
        return max(LEAST_CHANNELS, round(width * channels))

    rng, inputs, side = np.random.default_rng(seed), 3, SIDE  # three colours
    layers: dict[str, Module] = {}
    for block, (count, channels) in enumerate(_blocks(blocks), start=1):
        outputs = scaled(channels)
        for number in range(1, count + 1):
            name = f"block{block}_conv{number}"
            layers[name] = Convolution.new(rng, (3, 3), inputs, outputs, padding=1)
            if norm:
                layers[f"{name}_norm"] = BatchNorm(outputs, momentum=momentum)
            layers[f"{name}_relu"] = ReLU()
            inputs = outputs
        layers[f"block{block}_pool"] = MaxPool(2, stride=2)
        side //= 2
    layers["flatten"] = Flatten()
    inputs *= side * side
    for number, units in enumerate(hidden, start=1):
        outputs = scaled(units)
        layers[f"fc{number}"] = Dense.new(rng, inputs, outputs)
        if norm:
            layers[f"fc{number}_norm"] = BatchNorm(outputs, momentum=momentum)
        layers[f"fc{number}_relu"] = ReLU()
        layers[f"fc{number}_dropout"] = Dropout(keep, seed=(seed, number))
        inputs = outputs
    layers["predictions"] = Dense.new(rng, inputs, classes)
    return Sequential(layers)


def _blocks(text):
    """Return (number of convolutions, channels) of each block.

    >>> _blocks("2x10-4x16")
    [(2, 10), (4, 16)]
    """
    parts = [re.fullmatch("([1-9])x([1-9][0-9]{0,3})", part) for part in str(text).split("-")]
    if len(parts) > MOST_BLOCKS or None in parts:
        raise ArgumentError(
            f"the blocks are {brief(text)}; wanted at most {MOST_BLOCKS} of the form "
            "CONVOLUTIONSxCHANNELS, with at most 9 convolutions of at most 9999 channels, "
            "separated by -, such as 2x10-2x10"
        )
    return [(int(part[1]), int(part[2])) for part in parts if part]


def _units(head):
    """Return the numbers of units of a head.

    >>> _units("512-10")
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
