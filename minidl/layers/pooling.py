"""Pooling layers: the ops with their options held."""

from minidl import ops
from minidl.layers.module import Module


class _Pool(Module):
    def __init__(self, window, **options):
        self.window, self.options = window, options

    def __call__(self, x):
        """(N, *spatial, C) -> (N, *out, C)"""
        return self.op(x, self.window, **self.options)


class MaxPool(_Pool):
    """y = max_pool(x, window, **options)"""

    op = staticmethod(ops.max_pool)


class AvgPool(_Pool):
    """y = avg_pool(x, window, **options)"""

    op = staticmethod(ops.avg_pool)
