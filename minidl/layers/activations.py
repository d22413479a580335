"""Activations: an op as a layer, to stand in a Sequential."""

from minidl import ops
from minidl.layers.module import Module


class ReLU(Module):
    """y = max(x, 0)"""

    def __call__(self, x):
        return ops.relu(x)


class LeakyReLU(Module):
    """y = x where x > 0, else slope·x"""

    def __init__(self, slope=0.01):
        self.slope = slope

    def __call__(self, x):
        return ops.leaky_relu(x, self.slope)
