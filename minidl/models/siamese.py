"""The siamese network for MNIST: a picture of a digit becomes a point of the plane, near those of
its like.

Both branches are one network with one set of weights (Bromley et al. 1993); a batch of pairs is a
batch of twice as many pictures, so that batch normalization sees one set of statistics.

    conv1 3x3 of 32, conv2 3x3 of 64 with stride 2, conv3 3x3 of 128 with stride 2, each with ReLU
    fc1 of 1024, fc2 of 512, each with ReLU, dropout and batch normalization
    embedding of 2
"""

import functools

import numpy as np

from minidl.layers import BatchNorm, Convolution, Dense, Dropout, Flatten, ReLU, Sequential
from minidl.layers.initializers import truncated_normal


def siamese(seed=0, keep=0.6, dimensions=2, initializer=None):
    """(N, 28, 28, 1), 0..1 -> (N, dimensions). keep: of dropout; initializer: by default a
    truncated normal of 0.05."""
    rng = np.random.default_rng(seed)
    new = {"initializer": initializer or functools.partial(truncated_normal, std=0.05)}
    layers, channels = {}, 1
    for number, (outputs, stride) in enumerate(((32, 1), (64, 2), (128, 2)), start=1):
        layers[f"conv{number}"] = Convolution.new(
            rng, (3, 3), channels, outputs, stride=stride, padding="same", **new
        )
        layers[f"conv{number}_relu"] = ReLU()
        channels = outputs
    layers["flatten"] = Flatten()
    inputs = 7 * 7 * channels
    for number, outputs in enumerate((1024, 512), start=1):
        layers[f"fc{number}"] = Dense.new(rng, inputs, outputs, **new)
        layers[f"fc{number}_relu"] = ReLU()
        layers[f"fc{number}_dropout"] = Dropout(keep, seed=(seed, number))
        layers[f"fc{number}_norm"] = BatchNorm(outputs)
        inputs = outputs
    layers["embedding"] = Dense.new(rng, inputs, dimensions, **new)
    return Sequential(layers)
