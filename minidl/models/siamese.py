"""The siamese network for MNIST maps the picture of a digit to a point in the plane.

Pictures of the same digit are near each other. Both branches are one network with one set of
weights (Bromley et al. 1993). A batch of pairs is a batch of twice as many pictures, so that batch
normalization uses the statistics of both branches.

    conv1      3x3, 32 channels; ReLU
    conv2      3x3, 64 channels, stride 2; ReLU
    conv3      3x3, 128 channels, stride 2; ReLU
    fc1, fc2   dense, 1024 and 512 units; each with ReLU, dropout and batch normalization
    embedding  dense, 2 units
"""

import functools

import numpy as np

from minidl.layers import BatchNorm, Convolution, Dense, Dropout, Flatten, Module, ReLU, Sequential
from minidl.layers.initializers import Initializer, truncated_normal


def siamese(
    seed: int = 0, keep: float = 0.6, dimensions: int = 2, initializer: Initializer | None = None
) -> Sequential:
    """Return the network `(N, 28, 28, 1), 0..1 -> (N, dimensions)`.

    keep: the probability with which dropout keeps a number. initializer: of the kernels; by default
    a truncated normal distribution with a standard deviation of 0.05.
    """
    rng = np.random.default_rng(seed)
    initializer = initializer or functools.partial(truncated_normal, std=0.05)
    layers: dict[str, Module] = {}
    channels = 1
    for number, (outputs, stride) in enumerate(((32, 1), (64, 2), (128, 2)), start=1):
        layers[f"conv{number}"] = Convolution.new(
            rng, (3, 3), channels, outputs, initializer=initializer, stride=stride, padding="same"
        )
        layers[f"conv{number}_relu"] = ReLU()
        channels = outputs
    layers["flatten"] = Flatten()
    inputs = 7 * 7 * channels
    for number, outputs in enumerate((1024, 512), start=1):
        layers[f"fc{number}"] = Dense.new(rng, inputs, outputs, initializer=initializer)
        layers[f"fc{number}_relu"] = ReLU()
        layers[f"fc{number}_dropout"] = Dropout(keep, seed=(seed, number))
        layers[f"fc{number}_norm"] = BatchNorm(outputs)
        inputs = outputs
    layers["embedding"] = Dense.new(rng, inputs, dimensions, initializer=initializer)
    return Sequential(layers)
