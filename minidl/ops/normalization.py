"""Batch normalization (Ioffe & Szegedy 2015): every channel of a batch is given one mean and one
spread.

Over the M numbers x[m,c] of a channel c, one for each picture and position,

    μ[c] = 1/M Σ_m x[m,c],      σ²[c] = 1/M Σ_m (x[m,c] - μ[c])²,      x̂[m,c] = (x[m,c] - μ[c]) / √(σ²[c] + ε)

have mean 0 and variance 1 (but for ε, which keeps the division from 0), and y = γ x̂ + β gives them
a learned scale and shift.

**The gradients.** γ[c] stands beside x̂ in every y of its channel, and β[c] is added to it:

    dγ[c] = Σ_m dy[m,c] x̂[m,c],      dβ[c] = Σ_m dy[m,c]

x enters by itself, by μ and by σ². With dx̂ = γ dy, and leaving c out,

    ∂x̂[i]/∂x[m] = ([i = m] - 1/M - x̂[i] x̂[m] / M) / √(σ² + ε)

where the first term is x itself, the second its share of μ, the third its share of the root: ∂√(σ²
+ ε)/∂x[m] = x̂[m] / M. So

    dx[m] = Σ_i dx̂[i] ∂x̂[i]/∂x[m] = γ / √(σ² + ε) (dy[m] - dβ/M - x̂[m] dγ/M)

that is: dy, less what of it would only move the mean or the spread, which the normalization takes
away again.

All of it goes over the numbers four times: for the moments, for y, for the sums dγ and dβ, and for
dx. Each is shared among the cores, in strips that fit their caches.

Cost: some ten additions and multiplications a number; what counts is that x is read twice and y
written once, and that in the gradients x is read twice, dy once, and dx, which holds dy first, is
written twice and read once.
"""

from math import prod

import numpy as np

from minidl.autograd import differentiable
from minidl.backend import array_module, must_be_floating
from minidl.cores import share
from minidl.errors import ShapeError
from minidl.memory import empty, scratch
from minidl.ops.fused import Rectified, put
from minidl.ops.half import widened
from minidl.ops.strips import equal_parts, fair_strip


def moments(x):
    """(..., C) -> μ (C,), σ² (C,) in float64: mean and variance of each channel, Σ x / M and Σ (x -
    μ)² / M

    The mean of a strip is summed twice, the second time over x minus the first result. This
    corrects the
    rounding error of the first sum, however far the mean is from 0. With the mean r of the second
    sum,
    Σ (x - μ)² = Σ (x - μ + r)² - M r². Two strips with means μ₁, μ₂ and sums of squared distances
    from them
    S₁, S₂ become one without a loss of digits (Chan, Golub, LeVeque 1979): with δ = μ₂ - μ₁,
    μ = μ₁ + δ n₂/n,  S = S₁ + S₂ + δ² n₁ n₂ / n.

    σ² is NaN where the squares overflow the dtype of x. With σ² = ∞ every y would be β.

    >>> moments(np.array([[1., 0.], [3., 0.]]))
    (array([2., 0.]), array([1., 0.]))
    """
    must_be_floating("x", x)
    if not x.ndim or not x.size:
        raise ShapeError(
            f"moments of x {x.shape}; wanted x (..., C) with at least one number: the mean of none is undefined"
        )
    x = widened(_positions(x))
    xp, wide = array_module(x), np.result_type(x.dtype, np.float64)

    def of_strip(rows):
        part, ones = x[rows], xp.ones(rows.stop - rows.start, x.dtype)
        mean = ones @ part / len(part)
        off = xp.subtract(part, mean, out=scratch(xp, "off", part.shape, x.dtype))
        rest = (ones @ off / len(part)).astype(wide)
        squares = ones @ xp.multiply(off, off, out=off) - len(part) * rest * rest
        return len(part), mean + rest, xp.where(squares.real < 0, 0, squares)

    (count, mean, squares), *others = share(xp, of_strip, _strips(x))
    for n, other, more in others:
        delta, total = other - mean, count + n
        mean, squares = (
            mean + delta * (n / total),
            squares + more + delta * delta * (count * n / total),
        )
        count = total
    return mean, xp.where(xp.isinf(squares), xp.nan, squares) / count


def batch_norm(x, gamma, beta, given=None, epsilon=1e-5, fixed=False):
    """(..., C), (C,), (C,) -> (..., C):  y = γ (x - μ) / √(σ² + ε) + β

    given: μ and σ², as moments(x) gives them, where they are known already; or with `fixed`, after
    training, other numbers that do not depend on x. Raises ShapeError where the shapes do not fit.

    >>> batch_norm(np.array([[1.], [3.]]), np.array([10.]), np.array([5.]), epsilon=0.)
    array([[-5.],
           [15.]])
    """
    return _forward(x, gamma, beta, given, epsilon, rectify=False)


def batch_norm_gradients(dy, x, gamma, given, epsilon, fixed, wanted):
    """dγ = Σ dy x̂,  dβ = Σ dy,  dx = γ / √(σ² + ε) (dy - dβ/M - x̂ dγ/M),  with fixed moments dx =
    γ / √(σ² + ε) dy"""
    mean, variance = given or moments(x)
    shape, dtype, x, dy = x.shape, x.dtype, widened(_positions(x)), _positions(dy)
    xp, m = array_module(x), max(1, len(x))
    inverse = 1 / xp.sqrt(variance + epsilon)
    near, rest = _split(mean, x.dtype)
    dx = empty(xp, x.shape, x.dtype) if "x" in wanted else None

    def sums(rows):
        """Puts dy into dx, whose place dx takes later: so dy·[y ≠ 0] is computed once, and in no
        array of its own."""
        part = put(dy, rows, scratch(xp, "dy", x[rows].shape, x.dtype) if dx is None else dx[rows])
        off = xp.subtract(x[rows], near, out=scratch(xp, "off", part.shape, x.dtype))
        ones = xp.ones(rows.stop - rows.start, x.dtype)
        return ones @ xp.multiply(off, part, out=off), ones @ part

    found = share(xp, sums, _strips(x))
    along_dy, dbeta = (
        (sum(parts) for parts in zip(*found, strict=True))
        if found
        else xp.zeros((2, x.shape[-1]), x.dtype)
    )
    dgamma = (along_dy - rest * dbeta) * inverse
    slope = gamma * inverse
    along = -slope * dgamma * inverse / m
    shift = -slope * dbeta / m - along * rest
    slope, along, shift = (each.astype(x.dtype) for each in (slope, along, shift))

    def in_place_of_dy(rows):
        """dx = slope · dy + along · (x - μ) + shift, which is the formula with x̂ = (x - μ) / √(σ²
        + ε) written out"""
        part = dx[rows]
        part *= slope
        if not fixed:
            off = xp.subtract(x[rows], near, out=scratch(xp, "off", part.shape, x.dtype))
            part += xp.multiply(off, along, out=off)
            part += shift

    gradients = {"gamma": dgamma.astype(dtype), "beta": dbeta.astype(dtype)}
    if dx is not None:
        share(xp, in_place_of_dy, _strips(x))
        gradients["x"] = dx.reshape(shape).astype(dtype, copy=False)
    return {name: gradients[name] for name in wanted}


batch_norm = differentiable(batch_norm, dx_dgamma_dbeta=batch_norm_gradients)


def batch_norm_relu(x, gamma, beta, given=None, epsilon=1e-5, fixed=False):
    """(..., C), (C,), (C,) -> (..., C):  y = max(batch_norm(x, γ, β), 0), the ReLU applied while a
    strip is in the cache

    >>> batch_norm_relu(np.array([[1.], [3.]]), np.array([10.]), np.array([5.]), epsilon=0.)
    array([[ 0.],
           [15.]])
    """
    return _forward(x, gamma, beta, given, epsilon, rectify=True)


def batch_norm_relu_gradients(dy, y, x, gamma, given, epsilon, fixed, wanted):
    """Through the ReLU, then through the normalization: batch_norm_gradients(dy·[y ≠ 0])"""
    return batch_norm_gradients(Rectified(dy, y), x, gamma, given, epsilon, fixed, wanted)


batch_norm_relu = differentiable(batch_norm_relu, dx_dgamma_dbeta=batch_norm_relu_gradients)


def _forward(x, gamma, beta, given, epsilon, rectify):
    must_be_floating("x", x)
    if (
        not x.ndim
        or gamma.shape != x.shape[-1:]
        or beta.shape != x.shape[-1:]
        or not (x.size or given)
    ):
        raise ShapeError(
            f"batch_norm of x {x.shape}, gamma {gamma.shape} and beta {beta.shape}; wanted x (..., C), gamma and beta (C,), "
            "and without given moments at least one number"
        )
    mean, variance = given or moments(x)
    if not getattr(mean, "shape", ()) == getattr(variance, "shape", ()) == gamma.shape:
        shapes = " and ".join(str(getattr(each, "shape", ())) for each in (mean, variance))
        raise ShapeError(
            f"batch_norm of x {x.shape} with given moments {shapes}; wanted a mean and a variance {gamma.shape}"
        )
    xp, flat = array_module(x, gamma, beta), widened(_positions(x))
    scale = gamma / xp.sqrt(variance + epsilon)
    near, rest = _split(mean, flat.dtype)
    scale, shift = scale.astype(flat.dtype), (beta - rest * scale).astype(flat.dtype)
    y = empty(xp, flat.shape, flat.dtype)

    def normalize(rows):
        """y = scale · (x - μ) + shift. In x · scale + (shift - μ · scale) digits would cancel where
        μ is large."""
        part = xp.subtract(flat[rows], near, out=y[rows])
        part *= scale
        part += shift
        if rectify:
            xp.maximum(part, 0, out=part)

    share(xp, normalize, _strips(flat))
    return y.reshape(x.shape).astype(x.dtype, copy=False)


def _split(mean, dtype):
    """The mean rounded to a dtype, and the rounding error"""
    near = mean.astype(dtype)
    return near, mean - near


def _positions(x):
    """(..., C) -> (M, C)"""
    return x.reshape(prod(x.shape[:-1]), x.shape[-1])


def _strips(x):
    """Of the rows of x (M, C)"""
    return equal_parts(len(x), max(1, fair_strip(array_module(x), x.size) // max(1, x.shape[1])))
