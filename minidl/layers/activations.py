"""Activations: an op as a layer, to stand in a Sequential."""

from minidl import ops
from minidl.layers.module import Module


class ReLU(Module):
    """y = max(x, 0)"""

    def __call__(self, x):
        return ops.relu(x)
