"""Group and layer normalization give numbers of each example mean 0 and variance 1. Unlike batch
normalization, they do not mix examples, and compute the same in training and afterwards.

The numbers of an example are divided into sets that are normalized separately. A set s has M
numbers x[i]. Their mean and variance are

    μ[s] = 1/M Σ_i x[i],      σ²[s] = 1/M Σ_i (x[i] - μ[s])²

and the ops compute

    x̂[i] = (x[i] - μ[s]) / √(σ²[s] + ε),      y[i] = γ[i] x̂[i] + β[i]

    layer normalization      a set is all numbers along the last axes. γ and β have one number for
                             each of these                              (Ba, Kiros, Hinton 2016)
    group normalization      a set is the channels of a group at all positions. γ and β have one
                             number for each channel                    (Wu & He 2018)
    instance normalization   group normalization with one channel in each group
                                                           (Ulyanov, Vedaldi, Lempitsky 2016)

**The gradients.** In y[i], γ[i] has the factor x̂[i], and β[i] has the factor 1. Several y have the
same γ and β, such as those of one channel. Their terms add up:

    dγ = Σ dy x̂,      dβ = Σ dy      over the y with the same γ and β

Within a set, x̂ depends on x directly, through μ, and through σ². The head of `normalization.py`
derives

    ∂x̂[i]/∂x[j] = ([i = j] - 1/M - x̂[i] x̂[j] / M) / √(σ² + ε)

With dx̂ = γ dy, the chain rule gives

    dx[j] = Σ_i dx̂[i] ∂x̂[i]/∂x[j]
          = (dx̂[j] - 1/M Σ_i dx̂[i] - x̂[j] 1/M Σ_i dx̂[i] x̂[i]) / √(σ² + ε)

In batch normalization, all numbers of a set have the same γ, which then is a factor of dx. Here γ
differs within a set and stays in the sums.

Cost: about ten additions and multiplications per number.
"""

from math import prod
from typing import Any

from minidl.autograd import differentiable
from minidl.backend import array_module, must_be_floating
from minidl.dispatch import replaceable
from minidl.errors import ArgumentError, ShapeError, brief
from minidl.ops.normalization import moments_along, must_be_moments, must_have_shape, scaled
from minidl.shapes import is_int
from minidl.typing import Array, Operand, Result

# ---- group normalization -------------------------------------------------------------------------


@replaceable
def group_moments(x: Array, groups: int) -> tuple[Array, Array]:
    """(N, *spatial, C) -> μ (N, groups), σ² (N, groups), in float64

    The mean and variance of each group of channels at all positions, for each example. Raises the
    errors of `group_norm`.

    >>> group_moments(np.array([[1., 3., 5., 5.]]), groups=2)
    (array([[2., 5.]]), array([[1., 0.]]))
    """
    must_have_groups(x, groups=groups)
    return moments_along(grouped(x, groups), (1, 3))


def group_norm(
    x: Operand,
    gamma: Operand = None,
    beta: Operand = None,
    *,
    groups: int,
    epsilon: float = 1e-5,
    given: tuple[Any, Any] | None = None,
) -> Result:
    """(N, *spatial, C), (C,), (C,) -> (N, *spatial, C)

    y[n,p,c] = γ[c] (x[n,p,c] - μ[n,g]) / √(σ²[n,g] + ε) + β[c],      g = ⌊c groups / C⌋

    n: example. p: position. g: group of channel c. gamma, beta, epsilon: γ, β and ε. Without them,
    γ = 1 and β = 0. groups: the number of groups of adjacent channels; groups = C is instance
    normalization. given: (μ, σ²) if they are already known, otherwise group_moments(x, groups).

    Raises ShapeError if the shapes do not fit or an example has no numbers, and ArgumentError if x
    is not floating-point or `groups` does not divide C.

    >>> group_norm(np.array([[1., 3., 5., 9.]]), groups=2, epsilon=0.)
    array([[-1.,  1., -1.,  1.]])
    """
    moments = given or group_moments(x, groups)
    x_hat, _ = normalized(grouped(x, groups), (1, 3), moments, epsilon)
    return scaled(x_hat.reshape(x.shape), gamma, beta).astype(x.dtype)


def group_norm_gradients(dy, x, gamma, groups, epsilon, given, wanted):
    """(N, *spatial, C) -> (N, *spatial, C), (C,), (C,)

    The head of this file derives, with dx̂ = γ dy,

        dγ[c] = Σ_n Σ_p dy[n,p,c] x̂[n,p,c],      dβ[c] = Σ_n Σ_p dy[n,p,c]

        dx = (dx̂ - a - b x̂) / √(σ² + ε),      a = 1/M Σ_i dx̂[i],  b = 1/M Σ_i dx̂[i] x̂[i]

    i: the M numbers of a group at all positions of an example.
    """
    moments = given or group_moments(x, groups)
    x_hat, root = normalized(grouped(x, groups), (1, 3), moments, epsilon)
    dy = dy.astype(x_hat.dtype)
    dx = normalized_dx(grouped(scaled(dy, gamma), groups), x_hat, root, (1, 3))
    products, others = dy * x_hat.reshape(x.shape), tuple(range(x.ndim - 1))
    gradients = {"x": dx.reshape(x.shape), "gamma": products.sum(others), "beta": dy.sum(others)}
    return {name: gradients[name].astype(x.dtype) for name in wanted}


def grouped(x, groups):
    """(N, *spatial, C) -> (N, positions, groups, C / groups)"""
    return x.reshape(len(x), prod(x.shape[1:-1]), groups, x.shape[-1] // groups)


def must_have_groups(x, gamma=None, beta=None, *, groups, epsilon=1e-5, given=None):
    """Raise an error if the arguments of group_norm do not fit."""
    must_be_floating("x", x)
    if x.ndim < 2 or not prod(x.shape[1:]):
        raise ShapeError(
            f"group_norm of x {x.shape}; wanted x (N, *spatial, C) with at least one number in "
            "each example: the mean of none is undefined"
        )
    channels = x.shape[-1]
    if not is_int(groups) or groups < 1 or channels % groups:
        raise ArgumentError(
            f"group_norm of x {x.shape} with groups {brief(groups)}; wanted a number of groups "
            f"that divides the {channels} channels"
        )
    must_have_shape("group_norm", x, (channels,), gamma=gamma, beta=beta)
    must_be_moments("group_norm", x, (len(x), groups), given)


group_norm = differentiable(
    group_norm,
    joint={("x", "gamma", "beta"): group_norm_gradients},
    check=must_have_groups,
    dtype_of="x",
)

# ---- layer normalization -------------------------------------------------------------------------


def layer_norm(
    x: Operand,
    gamma: Operand = None,
    beta: Operand = None,
    axes: int = 1,
    epsilon: float = 1e-5,
) -> Result:
    """(*others, *last), (*last), (*last) -> (*others, *last)

    y[s,i] = γ[i] (x[s,i] - μ[s]) / √(σ²[s] + ε) + β[i]

    s: place along the other axes. i: place along the last ones. gamma, beta, epsilon: γ, β and ε.
    Without them, γ = 1 and β = 0. axes: how many axes `last` stands for.

    Raises ShapeError if the shapes do not fit or the last axes have no numbers, and ArgumentError
    if x is not floating-point or has fewer axes.

    >>> layer_norm(np.array([[1., 3.], [5., 9.]]), np.array([10., 1.]), epsilon=0.)
    array([[-10.,   1.],
           [-10.,   1.]])
    """
    x_hat, _ = normalized(x, last(axes), moments_along(x, last(axes)), epsilon)
    return scaled(x_hat, gamma, beta).astype(x.dtype)


def layer_norm_gradients(dy, x, gamma, axes, epsilon, wanted):
    """(*others, *last) -> (*others, *last), (*last), (*last)

    The head of this file derives, with dx̂ = γ dy,

        dγ[i] = Σ_s dy[s,i] x̂[s,i],      dβ[i] = Σ_s dy[s,i]

        dx = (dx̂ - a - b x̂) / √(σ² + ε),      a[s] = 1/M Σ_i dx̂[s,i],  b[s] = 1/M Σ_i dx̂[s,i] x̂[s,i]
    """
    x_hat, root = normalized(x, last(axes), moments_along(x, last(axes)), epsilon)
    dy = dy.astype(x_hat.dtype)
    others = tuple(range(x.ndim - axes))
    gradients = {
        "x": normalized_dx(scaled(dy, gamma), x_hat, root, last(axes)),
        "gamma": (dy * x_hat).sum(axis=others),
        "beta": dy.sum(axis=others),
    }
    return {name: gradients[name].astype(x.dtype) for name in wanted}


def last(axes):
    """Return the last axes, as negative numbers."""
    return tuple(range(-axes, 0))


def must_have_last_axes(x, gamma=None, beta=None, axes=1, epsilon=1e-5):
    """Raise an error if the arguments of layer_norm do not fit."""
    must_be_floating("x", x)
    if not is_int(axes) or not 1 <= axes <= x.ndim:
        raise ArgumentError(
            f"layer_norm of x {x.shape} over the last {brief(axes)} axes; wanted a number of axes "
            f"from 1 to {x.ndim}"
        )
    lengths = x.shape[x.ndim - axes :]
    if not prod(lengths):
        raise ShapeError(
            f"layer_norm of x {x.shape} over the last axes {lengths}; wanted at least one number "
            "along them: the mean of none is undefined"
        )
    must_have_shape("layer_norm", x, lengths, gamma=gamma, beta=beta)


layer_norm = differentiable(
    layer_norm,
    joint={("x", "gamma", "beta"): layer_norm_gradients},
    check=must_have_last_axes,
    dtype_of="x",
)

# ---- both ----------------------------------------------------------------------------------------


def normalized(x, axes, moments, epsilon):
    """Return x̂ and √(σ² + ε). The sets of x lie along the axes."""
    xp = array_module(x)
    mean, variance = (xp.expand_dims(moment, axes) for moment in moments)
    root = xp.sqrt(variance + epsilon)
    return (x - mean) / root, root


def normalized_dx(dx_hat, x_hat, root, axes):
    """dx = (dx̂ - a - b x̂) / √(σ² + ε), with the means a of dx̂ and b of dx̂ x̂ along the axes"""
    a, b = (terms.mean(axis=axes, keepdims=True) for terms in (dx_hat, dx_hat * x_hat))
    return (dx_hat - a - b * x_hat) / root
