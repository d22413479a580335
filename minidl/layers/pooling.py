"""Pooling layers: the ops with their options held."""

from minidl import ops
from minidl.layers.module import Module
from minidl.shapes import windows_over


class _Pool(Module):
    def __init__(self, window, **options):
        self.size, self.options = window, options

    def __call__(self, x):
        """(N, *spatial, C) -> (N, *out, C)"""
        return self.op(x, self.size, **self.options)

    def windows(self, extent):
        """The Windows over an input of these lengths along the spatial axes"""
        geometry = {
            name: value
            for name, value in self.options.items()
            if name != "count_padding" and value is not None
        }
        return windows_over(extent, self.size, **{"stride": self.size, **geometry})


class MaxPool(_Pool):
    """y = max_pool(x, window, **options)"""

    op = staticmethod(ops.max_pool)


class AvgPool(_Pool):
    """y = avg_pool(x, window, **options)"""

    op = staticmethod(ops.avg_pool)
