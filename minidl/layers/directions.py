"""Vectors made as long as 1, as a layer, to stand at the end of a Sequential."""

from minidl import ops
from minidl.layers.module import Module


class UnitLength(Module):
    """y = x / |x| along the last axis: an embedding on the unit sphere"""

    def __call__(self, x):
        """(..., D) -> (..., D)"""
        return ops.l2_normalize(x)
