"""Batch normalization in strips that fit the cache, on all threads.

x is read four times: for the moments, for y, for the sums dγ and dβ, and for dx. All formulas use
x - μ instead of x, so that no digits cancel if the mean is far from 0. μ = near + rounding, where
`near` is μ rounded to the dtype of x and `rounding` is the rounding error:

    y  = scale (x - near) + shift,      scale = γ / √(σ² + ε),      shift = β - rounding·scale

The gradients are those of the textbook. With x̂ = (x - near - rounding) / √(σ² + ε),

    dγ = (Σ_m dy (x - near) - rounding dβ) / √(σ² + ε),      dβ = Σ_m dy
    dx = slope dy + along (x - near) + shift

    slope = γ / √(σ² + ε),      along = -slope dγ / (√(σ² + ε) M),
    shift = -slope dβ / M - along rounding

The gradients read x twice and dy once. They first copy dy to the memory of dx. dx is therefore
written twice and read once.
"""

from math import prod
from typing import Any

import numpy as np

from minidl.backend import array_module
from minidl.engine.epilogue import Rectified, copy_part
from minidl.engine.memory import empty, scratch
from minidl.engine.strips import equal_parts, fair_strip
from minidl.engine.threads import parallel_map
from minidl.half import widened
from minidl.ops.normalization import must_have_numbers, scaled


def moments(x):
    """(..., C) -> μ (C,), σ² (C,), in float64

    The mean of a strip is computed in two steps: the mean a of x, which has a rounding error, and
    the mean r of x - a. Then μ = a + r is accurate even if it is far from 0, and Σ (x - μ)² =
    Σ (x - a)² - M r².

    Two strips of n₁ and n₂ positions with means μ₁, μ₂ and sums of squared deviations S₁, S₂ are
    combined without a loss of digits (Chan, Golub, LeVeque 1979). With δ = μ₂ - μ₁ and n = n₁ + n₂:

        μ = μ₁ + δ n₂/n,      S = S₁ + S₂ + δ² n₁ n₂ / n

    σ² is NaN if the squares overflow the dtype of x. With σ² = ∞ every y would be β.
    """
    must_have_numbers(x)
    x = widened(_positions(x))
    xp, wide = array_module(x), np.result_type(x.dtype, np.float64)

    def moments_of_strip(rows):
        part, ones = x[rows], xp.ones(rows.stop - rows.start, x.dtype)
        mean = ones @ part / len(part)
        difference = _difference(part, mean)
        correction = (ones @ difference / len(part)).astype(wide)
        squares = ones @ xp.multiply(difference, difference, out=difference)
        squares = squares - len(part) * correction * correction
        return len(part), mean + correction, xp.where(squares.real < 0, 0, squares)

    (count, mean, squares), *strips = parallel_map(xp, moments_of_strip, _strips(x))
    for n, strip_mean, strip_squares in strips:
        delta, total = strip_mean - mean, count + n
        mean = mean + delta * (n / total)
        squares = squares + strip_squares + delta * delta * (count * n / total)
        count = total
    return mean, xp.where(xp.isinf(squares), xp.nan, squares) / count


def batch_norm(x, gamma=None, beta=None, given=None, epsilon=1e-5, fixed=False):
    """(..., C), (C,), (C,) -> (..., C):  y = γ (x - μ) / √(σ² + ε) + β"""
    return _forward(x, gamma, beta, given, epsilon, rectify=False)


def batch_norm_relu(x, gamma=None, beta=None, given=None, epsilon=1e-5, fixed=False):
    """(..., C), (C,), (C,) -> (..., C):  y = max(batch_norm(x, γ, β), 0)"""
    return _forward(x, gamma, beta, given, epsilon, rectify=True)


def batch_norm_relu_gradients(dy, y, x, gamma, given, epsilon, fixed, wanted):
    """(..., C) -> (..., C), (C,), (C,):  batch_norm_gradients(dy·[y ≠ 0])"""
    return batch_norm_gradients(Rectified(dy, y), x, gamma, given, epsilon, fixed, wanted)


def batch_norm_gradients(dy, x, gamma, given, epsilon, fixed, wanted):
    """(..., C) -> {"x": dx (..., C), "gamma": dγ (C,), "beta": dβ (C,)}, of which those in `wanted`

    dy: an array, or a Rectified
    """
    mean, variance = given or moments(x)
    shape, x, dy = x.shape, _positions(x), _positions(dy)
    xp, M = array_module(x), max(1, len(x))
    inverse = 1 / xp.sqrt(variance + epsilon)
    near, rounding = _split(mean, x.dtype)
    dx: Any = empty(xp, x.shape, x.dtype) if "x" in wanted else None

    def sums(rows):
        """Return Σ dy (x - near) and Σ dy of a strip. dy is also written to the memory of dx, so
        that dy·[y ≠ 0] is computed only once and needs no additional array."""
        out = scratch(xp, "dy", x[rows].shape, x.dtype) if dx is None else dx[rows]
        part = copy_part(dy, rows, out)
        difference = _difference(x[rows], near)
        ones = xp.ones(rows.stop - rows.start, x.dtype)
        return ones @ xp.multiply(difference, part, out=difference), ones @ part

    parts = parallel_map(xp, sums, _strips(x)) or xp.zeros((1, 2, x.shape[-1]), x.dtype)
    products, dbeta = (sum(terms) for terms in zip(*parts, strict=True))
    dgamma = (products - rounding * dbeta) * inverse
    slope = scaled(inverse, gamma)
    along = -slope * dgamma * inverse / M
    shift = -slope * dbeta / M - along * rounding
    slope, along, shift = (factor.astype(x.dtype) for factor in (slope, along, shift))

    def replace_dy(rows):
        """dx = slope dy + along (x - near) + shift"""
        part = dx[rows]
        part *= slope
        if not fixed:
            difference = _difference(x[rows], near)
            part += xp.multiply(difference, along, out=difference)
            part += shift

    gradients = {"gamma": dgamma.astype(x.dtype), "beta": dbeta.astype(x.dtype)}
    if dx is not None:
        parallel_map(xp, replace_dy, _strips(x))
        gradients["x"] = dx.reshape(shape)
    return {name: gradients[name] for name in wanted}


def _forward(x, gamma, beta, given, epsilon, rectify):
    mean, variance = given or moments(x)
    xp, flat = array_module(x, gamma, beta), _positions(x)
    scale = scaled(1 / xp.sqrt(variance + epsilon), gamma)
    near, rounding = _split(mean, flat.dtype)
    scale, shift = (
        scale.astype(flat.dtype),
        scaled(-rounding * scale, None, beta).astype(flat.dtype),
    )
    y = empty(xp, flat.shape, flat.dtype)

    def normalize(rows):
        """y = scale (x - near) + shift"""
        part = xp.subtract(flat[rows], near, out=y[rows])
        part *= scale
        part += shift
        if rectify:
            xp.maximum(part, 0, out=part)

    parallel_map(xp, normalize, _strips(flat))
    return y.reshape(x.shape)


def _split(mean, dtype):
    """Return the mean rounded to a dtype, and the rounding error."""
    near = mean.astype(dtype)
    return near, mean - near


def _difference(x, mean):
    """Return x - mean in scratch memory."""
    xp = array_module(x, mean)
    return xp.subtract(x, mean, out=scratch(xp, "difference", x.shape, x.dtype))


def _positions(x):
    """(..., C) -> (M, C)"""
    return x.reshape(prod(x.shape[:-1]), x.shape[-1])


def _strips(x):
    """Return slices of the M rows of x (M, C)."""
    return equal_parts(len(x), max(1, fair_strip(array_module(x), x.size) // max(1, x.shape[1])))
