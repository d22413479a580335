"""Activations: an op as a layer, to stand in a Sequential."""

from minidl import ops
from minidl.dispatch import uses_textbook
from minidl.layers.module import Module, calls_as_defined


class ReLU(Module):
    """y = max(x, 0)"""

    def __call__(self, x):
        return ops.relu(x)


def rectifies(layer):
    """Whether layer.rectified(x) equals max(layer(x), 0): the class of the layer itself defines
    `__call__` and `rectified`, and `__call__` was not replaced later. A subclass that overrides
    only one of them may compute something else."""
    defines_both = {"__call__", "rectified"} <= vars(type(layer)).keys()
    return not uses_textbook() and defines_both and calls_as_defined(layer)


def is_relu(layer):
    """Whether the layer computes max(x, 0) and nothing else"""
    return type(layer) is ReLU and calls_as_defined(layer)


def rectified(layer, x):
    """max(layer(x), 0), as one op where `rectifies(layer)`"""
    return layer.rectified(x) if rectifies(layer) else ops.relu(layer(x))


class LeakyReLU(Module):
    """y = x where x > 0, else slope·x"""

    def __init__(self, slope=0.01):
        self.slope = slope

    def __call__(self, x):
        return ops.leaky_relu(x, self.slope)
