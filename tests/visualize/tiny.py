"""Networks small enough to know what they should see."""

import numpy as np

from minidl.backend import current_device
from minidl.layers import Convolution, Dense, Flatten, MaxPool, ReLU, Sequential
from minidl.visualize.network import of_sequential


def two_convolutions():
    """Random kernels: 6 channels of what is near, 8 of what is farther away"""
    rng = np.random.default_rng(0)
    near, far = (
        rng.standard_normal(shape).astype(np.float32) / 10 for shape in ((3, 3, 3, 6), (3, 3, 6, 8))
    )
    return network({
        "near": Convolution(near, padding=1), "near_relu": ReLU(), "pool": MaxPool(2),
        "far": Convolution(far, padding=1), "far_relu": ReLU(),
    })  # fmt: skip


def colours(bias=0.0):
    """Channels 0 to 2 say how much red, green and blue there is; channel 3 says nothing"""
    kernel = np.eye(3, 4, dtype=np.float32).reshape(1, 1, 3, 4)
    return network({"colours": Convolution(kernel, np.full(4, bias, np.float32)), "relu": ReLU()})


def classifier(side, classes):
    """Of pictures side x side: each class is how bright they are, times a number"""
    kernel = np.repeat([np.arange(1.0, len(classes) + 1)], 3 * side * side, axis=0).astype(
        np.float32
    )
    return network(
        {"flatten": Flatten(), "scores": Dense(kernel / side**2)},
        size=(side, side),
        classes=classes,
    )


def network(layers, **options):
    return of_sequential(
        Sequential(layers).freeze().to(current_device()), lambda pictures: pictures / 255, **options
    )
