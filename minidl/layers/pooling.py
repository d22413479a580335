"""Pooling layers: the ops with their options held."""

from minidl import ops
from minidl.layers.module import Module


class MaxPool(Module):
    """y = max_pool(x, window, **options)"""

    def __init__(self, window, **options):
        self.window, self.options = window, options

    def __call__(self, x):
        """(N, *spatial, C) -> (N, *out, C)"""
        return ops.max_pool(x, self.window, **self.options)


class AvgPool(Module):
    """y = avg_pool(x, window, **options)"""

    def __init__(self, window, **options):
        self.window, self.options = window, options

    def __call__(self, x):
        """(N, *spatial, C) -> (N, *out, C)"""
        return ops.avg_pool(x, self.window, **self.options)
