"""Layers without parameters: a name for an op, to stand in a Sequential."""

from math import prod

from minidl import ops
from minidl.layers.module import Module


class ReLU(Module):
    """y = max(x, 0)"""

    def __call__(self, x):
        return ops.relu(x)


class Flatten(Module):
    """(N, ..) -> (N, all the others): what a dense layer takes"""

    def __call__(self, x):
        return ops.reshape(x, (x.shape[0], prod(x.shape[1:])))
