"""Activations and the normalization to unit length keep the shape. A ReLU can be fused with the
layer in front of it.

A call raises the errors of the op that it runs.
"""

from typing import Literal

import numpy as np
from numpy.typing import DTypeLike

from minidl import ops
from minidl.autograd import Tensor
from minidl.dispatch import uses_textbook
from minidl.layers.initializers import constant
from minidl.layers.module import Module, calls_as_defined
from minidl.typing import Operand, PerAxis, Result


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


class PReLU(Module):
    """y = max(x, 0) + slope·min(x, 0)

    channels: the number of slopes: C, or 1 for all channels. initial: the value that they start
    from. A weight decay would move the slopes towards 0, the ReLU. dtype: of the slopes.

    >>> layer = PReLU(channels=2)
    >>> layer.slope.data[1] = 0.5
    >>> layer(np.array([[-1., -1.], [2., 2.]])).data
    array([[-0.25, -0.5 ],
           [ 2.  ,  2.  ]])
    """

    def __init__(
        self, channels: int = 1, initial: float = 0.25, dtype: DTypeLike = np.float32
    ) -> None:
        self.slope = Tensor(constant(None, channels, dtype, initial), requires_grad=True)

    def __call__(self, x: Operand) -> Result:
        """(..., C) -> (..., C)"""
        return ops.prelu(x, self.slope)


class ELU(Module):
    """y = x where x > 0, and alpha (e^x - 1) elsewhere

    >>> ELU()(np.array([-1000., 2.]))
    array([-1.,  2.])
    """

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def __call__(self, x: Operand) -> Result:
        """(...) -> (...)"""
        return ops.elu(x, self.alpha)


class Softplus(Module):
    """y = ln(1 + e^(beta x)) / beta

    >>> Softplus(beta=2.)(np.array([-1000., 1000.]))
    array([   0., 1000.])
    """

    def __init__(self, beta: float = 1.0) -> None:
        self.beta = beta

    def __call__(self, x: Operand) -> Result:
        """(...) -> (...)"""
        return ops.softplus(x, self.beta)


class SiLU(Module):
    """y = x / (1 + e^-x)

    >>> SiLU()(np.array([0., 1000.]))
    array([   0., 1000.])
    """

    def __call__(self, x: Operand) -> Result:
        """(...) -> (...)"""
        return ops.silu(x)


class GELU(Module):
    """y = x Φ(x),      Φ(x): the probability that a standard normal number is below x

    approximate: "none" Φ(x) = (1 + erf(x/√2)) / 2, "tanh" Φ(x) ≈ (1 + tanh(√(2/π) (x + 0.044715
    x³))) / 2.

    >>> GELU()(np.array([0., 1.])).round(4)
    array([0.    , 0.8413])
    """

    def __init__(self, approximate: Literal["none", "tanh"] = "none") -> None:
        self.approximate: Literal["none", "tanh"] = approximate

    def __call__(self, x: Operand) -> Result:
        """(...) -> (...)"""
        return ops.gelu(x, self.approximate)


class Sigmoid(Module):
    """y = 1 / (1 + e^-x)

    >>> Sigmoid()(np.array([0., 1000.]))
    array([0.5, 1. ])
    """

    def __call__(self, x: Operand) -> Result:
        """(...) -> (...)"""
        return ops.sigmoid(x)


class Tanh(Module):
    """y = (e^x - e^-x) / (e^x + e^-x)

    >>> Tanh()(np.array([0., 1000.]))
    array([0., 1.])
    """

    def __call__(self, x: Operand) -> Result:
        """(...) -> (...)"""
        return ops.tanh(x)


class Softmax(Module):
    """y[i] = e^x[i] / Σ_j e^x[j],      i, j: positions along the axis

    The loss `softmax_cross_entropy` takes the numbers in front of a Softmax, because it computes
    more exactly from these.

    >>> Softmax()(np.array([[1000., 1000.]]))
    array([[0.5, 0.5]])
    """

    def __init__(self, axis: PerAxis = -1) -> None:
        self.axis = axis

    def __call__(self, x: Operand) -> Result:
        """(...) -> (...)"""
        return ops.softmax(x, self.axis)


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
