"""Activations and the normalization to unit length keep the shape. A ReLU can be fused with the
layer in front of it.

A call raises the errors of the op that it runs.
"""

from minidl import ops
from minidl.dispatch import uses_textbook
from minidl.layers.module import Module, calls_as_defined
from minidl.typing import Operand, Result


class ReLU(Module):
    """y = max(x, 0)

    >>> ReLU()(np.array([-1., 2.]))
    array([0., 2.])
    """

    def __call__(self, x: Operand) -> Result:
        """(...) -> (...)"""
        return ops.relu(x)


class LeakyReLU(Module):
    """y = x where x > 0, and slope·x elsewhere

    >>> LeakyReLU(slope=0.5)(np.array([-1., 2.]))
    array([-0.5,  2. ])
    """

    def __init__(self, slope: float = 0.01) -> None:
        self.slope = slope

    def __call__(self, x: Operand) -> Result:
        """(...) -> (...)"""
        return ops.leaky_relu(x, self.slope)


class UnitLength(Module):
    """y = x / |x| along the last axis: an embedding on the unit sphere

    >>> UnitLength()(np.array([3., 4.]))
    array([0.6, 0.8])
    """

    def __call__(self, x: Operand) -> Result:
        """(..., D) -> (..., D)"""
        return ops.l2_normalize(x)


def rectified(layer: Module, x: Operand) -> Result:
    """Return max(layer(x), 0), computed as one op if `rectifies(layer)`."""
    return layer.rectified(x) if rectifies(layer) else ops.relu(layer(x))  # type: ignore[attr-defined]


def rectifies(layer: Module) -> bool:
    """Return whether layer.rectified(x) may replace max(layer(x), 0).

    The class of the layer must itself define both `__call__` and `rectified`, because a subclass
    that overrides only one of them may compute something else, and `__call__` must not have been
    replaced later. Within `textbook()` nothing is fused.
    """
    defines_both = {"__call__", "rectified"} <= vars(type(layer)).keys()
    return not uses_textbook() and defines_both and calls_as_defined(layer)


def is_relu(layer: object) -> bool:
    """Return whether the layer computes max(x, 0) and nothing else."""
    return type(layer) is ReLU and calls_as_defined(layer)
