"""Batch normalization gives each channel of a batch mean 0 and variance 1 (Ioffe & Szegedy 2015).

A channel c has M numbers x[m,c], one for each picture and position. Their mean and variance are

    μ[c] = 1/M Σ_m x[m,c],      σ²[c] = 1/M Σ_m (x[m,c] - μ[c])²

and the op computes

    x̂[m,c] = (x[m,c] - μ[c]) / √(σ²[c] + ε),      y[m,c] = γ[c] x̂[m,c] + β[c]

x̂ has mean 0 and, apart from ε, variance 1. ε avoids a division by 0. γ and β are a learned scale
and a learned shift.

**The gradients.** In y[m,c], γ[c] has the factor x̂[m,c], and β[c] has the factor 1:

    dγ[c] = Σ_m dy[m,c] x̂[m,c],      dβ[c] = Σ_m dy[m,c]

x̂ depends on x in three ways: directly, through μ, and through σ². Without the index c,

    ∂x̂[i]/∂x[m] = ([i = m] - 1/M - x̂[i] x̂[m] / M) / √(σ² + ε)

The first term is the direct one. The second comes from ∂μ/∂x[m] = 1/M. The third comes from
∂√(σ² + ε)/∂x[m] = x̂[m] / M. With dx̂ = γ dy, the chain rule gives

    dx[m] = Σ_i dx̂[i] ∂x̂[i]/∂x[m] = γ / √(σ² + ε) (dy[m] - dβ/M - x̂[m] dγ/M)

The bracket is dy without the parts that change only the mean or the variance of x.

Cost: about ten additions and multiplications per number.
"""

from typing import Any

import numpy as np

from minidl.autograd import differentiable
from minidl.backend import array_module, must_be_floating
from minidl.dispatch import replaceable
from minidl.errors import ShapeError
from minidl.typing import Array, Operand, Result


@replaceable
def moments(x: Array) -> tuple[Array, Array]:
    """(..., C) -> μ (C,), σ² (C,): mean and variance of each channel, in float64

    Raises ShapeError if x has no axes or no numbers, and ArgumentError if it is not floating-point.

    >>> moments(np.array([[1., 0.], [3., 0.]]))
    (array([2., 0.]), array([1., 0.]))
    """
    must_have_numbers(x)
    return moments_along(x, tuple(range(x.ndim - 1)))


def moments_along(x, axes):
    """Return the mean and the variance along some axes, in float64. The differences x - μ are
    computed in float64 too, because in float32 they have no correct digits if μ is far from 0."""
    mean = x.mean(axis=axes, dtype=np.result_type(x.dtype, np.float64), keepdims=True)
    variance = ((x - mean) ** 2).mean(axis=axes)
    return mean.reshape(variance.shape), variance


def batch_norm(
    x: Operand,
    gamma: Operand = None,
    beta: Operand = None,
    given: tuple[Any, Any] | None = None,
    epsilon: float = 1e-5,
    fixed: bool = False,
) -> Result:
    """(..., C), (C,), (C,) -> (..., C)

    y[m,c] = γ[c] (x[m,c] - μ[c]) / √(σ²[c] + ε) + β[c]

    gamma, beta, epsilon: γ, β and ε. Without them, γ = 1 and β = 0. given: (μ, σ²) if they are
    already known, otherwise moments(x). fixed: whether the given moments are constants, as after
    training, and not those of x. Only the gradients depend on it. Raises ShapeError if the shapes
    do not fit, and ArgumentError if x is not floating-point.

    >>> batch_norm(np.array([[1.], [3.]]), np.array([10.]), np.array([5.]), epsilon=0.)
    array([[-5.],
           [15.]])
    """
    mean, variance = given or moments(x)
    x_hat = (x - mean) / array_module(x).sqrt(variance + epsilon)
    return scaled(x_hat, gamma, beta).astype(x.dtype)


def batch_norm_gradients(dy, x, gamma, given, epsilon, fixed, wanted):
    """(..., C) -> (..., C), (C,), (C,)

    The head of this file derives

        dγ[c] = Σ_m dy[m,c] x̂[m,c],      dβ[c] = Σ_m dy[m,c]

        dx[m,c] = γ[c] / √(σ²[c] + ε) (dy[m,c] - dβ[c] / M - x̂[m,c] dγ[c] / M)

    If the moments are fixed, x̂ depends on x only directly, and dx = γ dy / √(σ² + ε).
    """
    mean, variance = given or moments(x)
    axes, M = tuple(range(x.ndim - 1)), x.size / x.shape[-1]
    root = array_module(x).sqrt(variance + epsilon)
    x_hat = (x - mean) / root
    dgamma, dbeta = (dy * x_hat).sum(axis=axes), dy.sum(axis=axes, dtype=x_hat.dtype)
    dx = scaled(dy if fixed else dy - dbeta / M - x_hat * dgamma / M, gamma) / root
    gradients = {"x": dx, "gamma": dgamma, "beta": dbeta}
    return {name: gradients[name].astype(x.dtype) for name in wanted}


def scaled(x_hat, gamma, beta=None):
    """γ x̂ + β.  None stands for γ = 1 and for β = 0."""
    y = x_hat if gamma is None else gamma * x_hat
    return y if beta is None else y + beta


def check(x, gamma=None, beta=None, given=None, epsilon=1e-5, fixed=False):
    """Raise an error if the arguments of batch_norm do not fit."""
    must_be_floating("x", x)
    if not x.ndim or not (x.size or given):
        raise ShapeError(
            f"batch_norm of x {x.shape}; wanted x (..., C) with at least one number unless moments "
            "are given"
        )
    must_have_shape("batch_norm", x, x.shape[-1:], gamma=gamma, beta=beta)
    must_be_moments("batch_norm", x, x.shape[-1:], given)


def must_have_shape(op, x, shape, **parameters):
    """Raise ShapeError unless the parameters that are not None have this shape."""
    for name, parameter in parameters.items():
        found = getattr(parameter, "shape", ())
        if parameter is not None and found != shape:
            raise ShapeError(f"{op} of x {x.shape} with {name} {found}; wanted {name} {shape}")


def must_be_moments(op, x, shape, given):
    """Raise ShapeError unless given moments are a mean and a variance of this shape."""
    shapes = [getattr(moment, "shape", ()) for moment in given or ()]
    if given and shapes != [shape, shape]:
        raise ShapeError(
            f"{op} of x {x.shape} with given moments {' and '.join(map(str, shapes))}; wanted a "
            f"mean and a variance {shape}"
        )


def must_have_numbers(x):
    """Raise an error if x is not floating-point, or has no axes or no numbers."""
    must_be_floating("x", x)
    if not x.ndim or not x.size:
        raise ShapeError(
            f"moments of x {x.shape}; wanted x (..., C) with at least one number: the mean of none "
            "is undefined"
        )


batch_norm = differentiable(
    batch_norm,
    joint={("x", "gamma", "beta"): batch_norm_gradients},
    check=check,
    dtype_of="x",
)
