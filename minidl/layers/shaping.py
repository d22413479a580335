"""Layers that move numbers without changing them."""

from math import prod

from minidl import ops
from minidl.layers.module import Module


class Flatten(Module):
    """(N, ..) -> (N, all the others): what a dense layer takes"""

    def __call__(self, x):
        return ops.reshape(x, (x.shape[0], prod(x.shape[1:])))
