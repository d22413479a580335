"""Pooling layers: the ops with their options held."""

from minidl import ops
from minidl.layers.module import Module
from minidl.shapes import per_axis


class _Pool(Module):
    def __init__(self, window, **options):
        self.size, self.options = window, options

    def __call__(self, x):
        """(N, *spatial, C) -> (N, *out, C)"""
        return self.op(x, self.size, **self.options)

    def window(self, rank):
        """(positions that one output reads, stride), along each axis"""
        size = per_axis("window", self.size, rank, least=1)
        stride = self.options.get("stride")
        dilation = per_axis("dilation", self.options.get("dilation", 1), rank, least=1)
        reach = [d * (k - 1) + 1 for d, k in zip(dilation, size, strict=True)]
        return reach, size if stride is None else per_axis("stride", stride, rank, least=1)


class MaxPool(_Pool):
    """y = max_pool(x, window, **options)"""

    op = staticmethod(ops.max_pool)


class AvgPool(_Pool):
    """y = avg_pool(x, window, **options)"""

    op = staticmethod(ops.avg_pool)
