"""Networks that are small enough to compute their outputs by hand."""

import numpy as np

from minidl.backend import current_device
from minidl.layers import Convolution, Dense, Flatten, MaxPool, ReLU, Sequential
from minidl.visualize.network import of_sequential


def two_convolutions():
    """Two convolutions with random kernels, of 6 and 8 channels, and a pooling between them"""
    rng = np.random.default_rng(0)
    near = rng.standard_normal((3, 3, 3, 6)).astype(np.float32) / 10
    far = rng.standard_normal((3, 3, 6, 8)).astype(np.float32) / 10
    return network({
        "near": Convolution(near, padding=1), "near_relu": ReLU(), "pool": MaxPool(2),
        "far": Convolution(far, padding=1), "far_relu": ReLU(),
    })  # fmt: skip


def colours(bias=0.0):
    """Channels 0 to 2 are red, green and blue, plus a bias; channel 3 is the bias"""
    kernel = np.eye(3, 4, dtype=np.float32).reshape(1, 1, 3, 4)
    return network({"colours": Convolution(kernel, np.full(4, bias, np.float32)), "relu": ReLU()})


def classifier(side, classes):
    """The score of class n is n + 1 times the sum of the colours' means of a square picture"""
    factors = np.arange(1, len(classes) + 1, dtype=np.float32)
    kernel = np.repeat([factors], 3 * side * side, axis=0)
    layers = {"flatten": Flatten(), "scores": Dense(kernel / side**2)}
    return network(layers, size=(side, side), classes=classes)


def network(layers, **options):
    model = Sequential(layers).freeze().to(current_device())
    return of_sequential(model, lambda pictures: pictures / 255, **options)
