"""A network in three dimensions: which solid is inside a volume.

The layers are those of pictures; a kernel reaches along one axis more. The example of Ng's course,
a scan of 14x14x14 voxels and sixteen kernels of 5x5x5, which leave 10x10x10 positions:

>>> example = Sequential(Convolution.new(np.random.default_rng(0), (5, 5, 5), 1, 16))
>>> [line.shape for line in example.summary((14, 14, 14, 1))]
[(10, 10, 10, 16)]
"""

from functools import partial

import numpy as np

from minidl.layers import AvgPool, BatchNorm, Convolution, Dense, Flatten, MaxPool, ReLU, Sequential
from minidl.layers.initializers import he_normal, truncated_normal


def volume_network(size, classes, seed=0):
    """(N, size, size, size, 1) -> (N, classes), for a size that four divides

    surfaces    sixteen kernels of 5x5x5 at every second voxel: a piece of a surface, seen from one side
    parts       32 of 3x3x3: how such pieces meet; of 2x2x2 positions the largest is kept
    wholes      32 of 3x3x3
    wherever    the mean over all positions

    The first kernels begin small: batch normalization takes their scale away again, and in what
    they become little is left of the noise that they began with.
    """
    rng, layers, channels, small = (
        np.random.default_rng(seed),
        {},
        1,
        partial(truncated_normal, std=0.01),
    )
    for name, kernels, taps, stride in (
        ("surfaces", 16, 5, 2),
        ("parts", 32, 3, 1),
        ("wholes", 32, 3, 1),
    ):
        options = {
            "stride": stride,
            "padding": taps // 2,
            "initializer": small if channels == 1 else he_normal,
        }
        layers[name] = Convolution.new(rng, (taps,) * 3, channels, kernels, bias=False, **options)
        layers[f"{name}_norm"], layers[f"{name}_relu"] = BatchNorm(kernels), ReLU()
        if name == "parts":
            layers["pool"] = MaxPool(2)
        channels = kernels
    layers["wherever"], layers["flatten"] = AvgPool(size // 4), Flatten()
    layers["solid"] = Dense.new(rng, channels, classes)
    return Sequential(layers)
