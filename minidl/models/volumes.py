"""A network in three dimensions, which recognises the solid in a volume.

It consists of the same layers as a network for pictures; a kernel has one axis more. In the example
of Ng's course, a scan has 14x14x14 voxels, and sixteen kernels of 5x5x5 give 10x10x10 positions:

>>> example = Sequential(Convolution.new(np.random.default_rng(0), (5, 5, 5), 1, 16))
>>> [line.shape for line in example.summary((14, 14, 14, 1))]
[(10, 10, 10, 16)]
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from minidl.layers import AvgPool, BatchNorm, Convolution, Dense, Flatten, MaxPool, ReLU, Sequential
from minidl.layers.initializers import he_normal, truncated_normal


def volume_network(size: int, classes: int, seed: int = 0) -> Sequential:
    """Return the network (N, size, size, size, 1) -> (N, classes), which computes logits.

    surfaces    16 kernels of 5x5x5, stride 2: a piece of a surface, facing one direction
    parts       32 kernels of 3x3x3: how such pieces meet; then 2x2x2 max-pooling
    wholes      32 kernels of 3x3x3
    wherever    the mean over all positions

    size: a multiple of 4. The first kernels have small initial values. Batch normalization removes
    their scale, and the trained kernels contain little of the initial noise.
    """
    rng, channels = np.random.default_rng(seed), 1
    initializer: Callable = partial(truncated_normal, std=0.01)
    layers: dict[str, Any] = {}
    for name, kernels, taps, stride in (
        ("surfaces", 16, 5, 2),
        ("parts", 32, 3, 1),
        ("wholes", 32, 3, 1),
    ):
        layers[name] = Convolution.new(
            rng,
            (taps,) * 3,
            channels,
            kernels,
            stride=stride,
            padding=taps // 2,
            bias=False,
            initializer=initializer,
        )
        layers[f"{name}_norm"], layers[f"{name}_relu"] = BatchNorm(kernels), ReLU()
        if name == "parts":
            layers["pool"] = MaxPool(2)
        channels, initializer = kernels, he_normal
    layers["wherever"], layers["flatten"] = AvgPool(size // 4), Flatten()
    layers["solid"] = Dense.new(rng, channels, classes)
    return Sequential(layers)
