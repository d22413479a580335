"""Batch normalization in strips that fit the cache, on all cores.

The numbers are read four times: for the moments, for y, for the sums dγ and dβ, and for dx. All
formulas use x - μ instead of x, so that no digits cancel however far the mean is from 0. μ is split
into `near`, its value rounded to the dtype of x, and `rounding`, the error of that:

    y  = scale (x - near) + shift,             scale = γ / √(σ² + ε),  shift = β - rounding·scale
    dx = slope dy + along (x - near) + shift,  the formula of the textbook with x̂ written out

In the gradients x is read twice and dy once. dx, which contains dy first, is written twice and read
once.
"""

from math import prod

import numpy as np

from minidl.backend import array_module
from minidl.engine.epilogue import Rectified, put
from minidl.engine.memory import empty, scratch
from minidl.engine.strips import equal_parts, fair_strip
from minidl.engine.threads import share
from minidl.half import widened
from minidl.ops.normalization import must_have_numbers


def moments(x):
    """(..., C) -> μ (C,), σ² (C,), in float64

    The mean of a strip is computed twice, the second time of x minus the first result. This
    corrects the rounding error of the first sum, however far the mean is from 0. With the mean r of
    the second sum, Σ (x - μ)² = Σ (x - μ + r)² - M r². Two strips with means μ₁, μ₂ and sums of
    squared deviations S₁, S₂ are combined without a loss of digits (Chan, Golub, LeVeque 1979).
    With δ = μ₂ - μ₁:

        μ = μ₁ + δ n₂/n,      S = S₁ + S₂ + δ² n₁ n₂ / n

    σ² is NaN where the squares overflow the dtype of x. With σ² = ∞ every y would be β.
    """
    must_have_numbers(x)
    x = widened(_positions(x))
    xp, wide = array_module(x), np.result_type(x.dtype, np.float64)

    def of_strip(rows):
        part, ones = x[rows], xp.ones(rows.stop - rows.start, x.dtype)
        mean = ones @ part / len(part)
        off = xp.subtract(part, mean, out=scratch(xp, "off", part.shape, x.dtype))
        correction = (ones @ off / len(part)).astype(wide)
        squares = ones @ xp.multiply(off, off, out=off) - len(part) * correction * correction
        return len(part), mean + correction, xp.where(squares.real < 0, 0, squares)

    (count, mean, squares), *strips = share(xp, of_strip, _strips(x))
    for n, strip_mean, strip_squares in strips:
        delta, total = strip_mean - mean, count + n
        mean = mean + delta * (n / total)
        squares = squares + strip_squares + delta * delta * (count * n / total)
        count = total
    return mean, xp.where(xp.isinf(squares), xp.nan, squares) / count


def batch_norm(x, gamma, beta, given=None, epsilon=1e-5, fixed=False):
    """(..., C), (C,), (C,) -> (..., C)"""
    return _forward(x, gamma, beta, given, epsilon, rectify=False)


def batch_norm_relu(x, gamma, beta, given=None, epsilon=1e-5, fixed=False):
    """(..., C), (C,), (C,) -> (..., C):  y = max(batch_norm(x, γ, β), 0)"""
    return _forward(x, gamma, beta, given, epsilon, rectify=True)


def batch_norm_relu_gradients(dy, y, x, gamma, given, epsilon, fixed, wanted):
    """batch_norm_gradients of dy·[y ≠ 0]"""
    return batch_norm_gradients(Rectified(dy, y), x, gamma, given, epsilon, fixed, wanted)


def batch_norm_gradients(dy, x, gamma, given, epsilon, fixed, wanted):
    """dγ, dβ and dx, as far as they are wanted"""
    mean, variance = given or moments(x)
    shape, dtype, x, dy = x.shape, x.dtype, widened(_positions(x)), _positions(dy)
    xp, m = array_module(x), max(1, len(x))
    inverse = 1 / xp.sqrt(variance + epsilon)
    near, rounding = _split(mean, x.dtype)
    dx = empty(xp, x.shape, x.dtype) if "x" in wanted else None

    def sums(rows):
        """Σ dy (x - near) and Σ dy of a strip. dy is also written to the memory of dx, so that
        dy·[y ≠ 0] is computed only once and needs no array of its own."""
        part = put(dy, rows, scratch(xp, "dy", x[rows].shape, x.dtype) if dx is None else dx[rows])
        off = xp.subtract(x[rows], near, out=scratch(xp, "off", part.shape, x.dtype))
        ones = xp.ones(rows.stop - rows.start, x.dtype)
        return ones @ xp.multiply(off, part, out=off), ones @ part

    parts = share(xp, sums, _strips(x)) or xp.zeros((1, 2, x.shape[-1]), x.dtype)
    along_dy, dbeta = (sum(terms) for terms in zip(*parts, strict=True))
    dgamma = (along_dy - rounding * dbeta) * inverse
    slope = gamma * inverse
    along = -slope * dgamma * inverse / m
    shift = -slope * dbeta / m - along * rounding
    slope, along, shift = (factor.astype(x.dtype) for factor in (slope, along, shift))

    def in_place_of_dy(rows):
        """dx = slope dy + along (x - near) + shift"""
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


def _forward(x, gamma, beta, given, epsilon, rectify):
    mean, variance = given or moments(x)
    xp, flat = array_module(x, gamma, beta), widened(_positions(x))
    scale = gamma / xp.sqrt(variance + epsilon)
    near, rounding = _split(mean, flat.dtype)
    scale, shift = scale.astype(flat.dtype), (beta - rounding * scale).astype(flat.dtype)
    y = empty(xp, flat.shape, flat.dtype)

    def normalize(rows):
        """y = scale (x - near) + shift"""
        part = xp.subtract(flat[rows], near, out=y[rows])
        part *= scale
        part += shift
        if rectify:
            xp.maximum(part, 0, out=part)

    share(xp, normalize, _strips(flat))
    return y.reshape(x.shape).astype(x.dtype, copy=False)


def _split(mean, dtype):
    """Return the mean rounded to a dtype, and the rounding error."""
    near = mean.astype(dtype)
    return near, mean - near


def _positions(x):
    """(..., C) -> (M, C)"""
    return x.reshape(prod(x.shape[:-1]), x.shape[-1])


def _strips(x):
    """Return strips of the rows of x (M, C)."""
    return equal_parts(len(x), max(1, fair_strip(array_module(x), x.size) // max(1, x.shape[1])))
