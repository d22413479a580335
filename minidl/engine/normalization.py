"""Batch and group normalization in strips that fit the cache, on all threads.

x (N, P, C) holds the numbers of N pictures at P positions in C channels. Batch normalization is
group normalization of one picture that consists of the whole batch, with one channel in each group.

x is read four times: for the moments, for y, for the sums in the gradients, and for dx. All sums
over positions are computed for each picture and channel, and then combined for each group. The
formulas use x - near instead of x, so that no digits cancel if the mean is far from 0. μ = near +
rest, where `near` is μ rounded to the dtype of x, and `rest` is the rounding error. If |μ| ≤ 2 σ,
few digits cancel, and near is 0 and the rest is μ. If this holds for all channels, a CPU computes
no differences.

    y = scale (x - near) + shift,      scale = γ / √(σ² + ε),      shift = β - rest·scale

The gradients are those of the textbook. With x̂ = (x - near - rest) / √(σ² + ε),

    Σ_p dy x̂ = (Σ_p dy (x - near) - rest Σ_p dy) / √(σ² + ε),      dγ = Σ_n Σ_p dy x̂

    dx = slope dy + along (x - near) + shift

    slope = γ / √(σ² + ε),      along = -mean_s (γ dy x̂) / (σ² + ε),
    shift = -mean_s (γ dy) / √(σ² + ε) - along·rest

mean_s: over the numbers of a group at all positions of a picture.
"""

from math import prod
from typing import Any

import numpy as np

from minidl.backend import array_module
from minidl.engine.epilogue import Rectified, copy_part
from minidl.engine.memory import empty, scratch
from minidl.engine.rows import Rows
from minidl.half import widened
from minidl.ops.example_normalization import must_have_groups
from minidl.ops.normalization import must_have_numbers, scaled

FAR = 2.0  # |μ| / σ above which too many digits cancel

# ---- batch normalization -------------------------------------------------------------------------


def moments(x):
    """(..., C) -> μ (C,), σ² (C,), in float64"""
    must_have_numbers(x)
    mean, variance = _channel_moments(_as_one(widened(x)))
    return mean[0], variance[0]


def batch_norm(x, gamma=None, beta=None, given=None, epsilon=1e-5, fixed=False):
    """(..., C), (C,), (C,) -> (..., C):  y = γ (x - μ) / √(σ² + ε) + β"""
    return _normalized(_as_one(x), gamma, beta, _of_one(given, x), epsilon).reshape(x.shape)


def batch_norm_relu(x, gamma=None, beta=None, given=None, epsilon=1e-5, fixed=False):
    """(..., C), (C,), (C,) -> (..., C):  y = max(batch_norm(x, γ, β), 0)"""
    of_one = _of_one(given, x)
    return _normalized(_as_one(x), gamma, beta, of_one, epsilon, rectify=True).reshape(x.shape)


def batch_norm_gradients(dy, x, gamma, given, epsilon, fixed, wanted):
    """(..., C) -> {"x": dx (..., C), "gamma": dγ (C,), "beta": dβ (C,)}, of which those in `wanted`

    dy: an array, or a Rectified
    """
    of_one = _of_one(given, x)
    return _gradients(dy, _as_one(x), gamma, of_one, epsilon, wanted, x.shape, fixed)


def batch_norm_relu_gradients(dy, y, x, gamma, given, epsilon, fixed, wanted):
    """(..., C) -> (..., C), (C,), (C,):  batch_norm_gradients(dy·[y ≠ 0])"""
    return batch_norm_gradients(Rectified(dy, y), x, gamma, given, epsilon, fixed, wanted)


def _as_one(x):
    """(..., C) -> (1, P, C)"""
    return x.reshape(1, prod(x.shape[:-1]), x.shape[-1])


def _of_one(given, x):
    """Return μ and σ² of a batch as (1, C)."""
    return [moment[None] for moment in given or moments(x)]


# ---- group normalization -------------------------------------------------------------------------


def group_moments(x, groups):
    """(N, *spatial, C) -> μ (N, groups), σ² (N, groups), in float64

    A group of K channels with the moments μ[c] and σ²[c] has

        μ = 1/K Σ_c μ[c],      σ² = 1/K Σ_c (σ²[c] + (μ[c] - μ)²)
    """
    must_have_groups(x, groups=groups)
    K = x.shape[-1] // groups
    means, variances = _channel_moments(_pictures(widened(x))).reshape(2, len(x), groups, K)
    mean = means.sum(axis=2, keepdims=True) / K
    return mean[..., 0], (variances + (means - mean) ** 2).sum(axis=2) / K


def group_norm(x, gamma=None, beta=None, *, groups, epsilon=1e-5, given=None):
    """(N, *spatial, C), (C,), (C,) -> (N, *spatial, C):  y = γ (x - μ) / √(σ² + ε) + β"""
    moments = given or group_moments(x, groups)
    return _normalized(_pictures(x), gamma, beta, moments, epsilon).reshape(x.shape)


def group_norm_gradients(dy, x, gamma, groups, epsilon, given, wanted):
    """(N, *spatial, C) -> {"x": dx (N, *spatial, C), "gamma": dγ (C,), "beta": dβ (C,)}, of which
    those in `wanted`"""
    moments = given or group_moments(x, groups)
    return _gradients(dy, _pictures(x), gamma, moments, epsilon, wanted, x.shape)


def _pictures(x):
    """(N, *spatial, C) -> (N, P, C)"""
    return x.reshape(len(x), prod(x.shape[1:-1]), x.shape[-1])


# ---- both ----------------------------------------------------------------------------------------


def _channel_moments(x):
    """(N, P, C) -> (2, N, C): μ and σ² in float64

    Two strips of n₁ and n₂ positions with means μ₁, μ₂ and sums of squared deviations S₁, S₂ are
    combined without a loss of digits (Chan, Golub, LeVeque 1979). With δ = μ₂ - μ₁ and n = n₁ + n₂:

        μ = μ₁ + δ n₂/n,      S = S₁ + S₂ + δ² n₁ n₂ / n

    σ² is NaN if the squares overflow the dtype of x. With σ² = ∞ every y would be β.
    """
    xp, P, rows = array_module(x), x.shape[1], Rows(x, x.shape[2])
    x = rows.of(x)
    moments = xp.zeros((2, len(x), rows.channels), np.result_type(x.dtype, np.float64))
    mean, squares = moments
    for (images, strip), found in rows.map(lambda part: _moments_of_strip(x[part], rows)):
        before, n = rows.r * strip.start, rows.r * (strip.stop - strip.start)
        delta = found[0] - mean[images]
        mean[images] += delta * (n / (before + n))
        squares[images] += found[1] + delta * delta * (before * n / (before + n))
    squares[xp.isinf(squares)] = xp.nan
    squares /= P
    return moments


def _moments_of_strip(x, rows):
    """(n, R, r·C) -> μ (n, C), S (n, C): mean and sum of squared deviations of M positions

    If |μ| ≤ 2 σ, few digits cancel in S = Σ x² - M μ². If not, this formula is applied to x - near,
    where `near` is the mean of x, which then has a rounding error: see `near_and_rest`.
    """
    xp, M, wide = array_module(x), rows.r * x.shape[1], np.result_type(x.dtype, np.float64)

    def moments(x):
        mean = rows.sums(x).astype(wide) / M
        return mean, rows.products(x, x) - M * mean * mean

    mean, squares = moments(x)
    near, _ = near_and_rest(mean, squares / M, x.dtype)
    if near is None:
        return mean, squares
    [repeated] = rows.repeated(near[..., None], dtype=x.dtype)
    difference = xp.subtract(x, repeated, out=scratch(xp, "difference", x.shape, x.dtype))
    rest, squares = moments(difference)
    return near + rest, xp.where(squares.real < 0, 0, squares)


def _normalized(x, gamma, beta, moments, epsilon, rectify=False):
    """(N, P, C) -> y = scale (x - near) + shift, or max(y, 0) if `rectify`, in another shape

    moments: μ and σ² (N, groups)
    """
    xp, rows, dtype = array_module(x, gamma, beta), Rows(x, moments[0].shape[1]), x.dtype
    near, rest, inverse = _constants(moments, epsilon, rows, dtype)
    scale = scaled(inverse, _of_sets(gamma, rows))
    shift = scaled(-rest * scale, None, _of_sets(beta, rows))
    scale, shift = rows.repeated(scale, shift, dtype=dtype)
    x = rows.of(x)
    y = empty(xp, x.shape, dtype)

    def normalize(part):
        images, out = part[0], y[part]
        if near is None:
            xp.multiply(x[part], scale[images], out=out)
        else:
            xp.subtract(x[part], near[images], out=out)
            out *= scale[images]
        out += shift[images]
        if rectify:
            xp.maximum(out, 0, out=out)

    rows.map(normalize)
    return y


def _gradients(dy, x, gamma, moments, epsilon, wanted, shape, fixed=False):
    """(N, P, C) -> {"x": dx `shape`, "gamma": dγ (C,), "beta": dβ (C,)}, of which those in `wanted`

    dy: an array of the shape, or a Rectified. Its numbers are written to the memory of dx, so that
    they are computed only once. moments: μ and σ² (N, groups).
    """
    xp, rows, dtype = array_module(x), Rows(x, moments[0].shape[1]), x.dtype
    near, rest, inverse = _constants(moments, epsilon, rows, dtype)
    M = max(1, x.shape[1] * rows.sets[1])
    x, dy = rows.of(x), rows.of(dy)
    dx: Any = empty(xp, x.shape, dtype) if "x" in wanted else None

    def memory(name, part):
        return scratch(xp, name, x[part].shape, dtype)

    def difference(part):
        """Return x - near."""
        if near is None:
            return x[part]
        return xp.subtract(x[part], near[part[0]], out=memory("difference", part))

    def sums(part):
        """Return Σ_p dy (x - near) and Σ_p dy of a strip."""
        numbers = dy[part]
        if isinstance(dy, Rectified):
            numbers = copy_part(dy, part, memory("dy", part) if dx is None else dx[part])
        return rows.products(difference(part), numbers), rows.sums(numbers)

    totals = xp.zeros((2, len(x), rows.channels), inverse.dtype)
    for (images, _), found in rows.map(sums):
        for total, term in zip(totals, found, strict=True):
            total[images] += term
    totals = totals.reshape(2, len(x), *rows.sets)
    totals[0] = (totals[0] - rest * totals[1]) * inverse  # Σ_p dy x̂, beside Σ_p dy
    dgamma, dbeta = totals.sum(axis=1).reshape(2, -1).astype(dtype)
    gradients = {"gamma": dgamma, "beta": dbeta}
    if dx is None:
        return {name: gradients[name] for name in wanted}

    gamma = _of_sets(gamma, rows)
    along, mean = scaled(totals, gamma).sum(axis=3, keepdims=True) / M
    along = -along * inverse * inverse
    shift = -mean * inverse - along * rest
    slope, along, shift = rows.repeated(scaled(inverse, gamma), along, shift, dtype=dtype)

    def replace(part):
        """dx = slope dy + along (x - near) + shift"""
        images, out = part[0], dx[part]
        numbers = out if isinstance(dy, Rectified) else dy[part]
        if fixed:
            xp.multiply(numbers, slope[images], out=out)
            return
        terms = xp.multiply(difference(part), along[images], out=memory("difference", part))
        xp.multiply(numbers, slope[images], out=out)
        out += terms
        out += shift[images]

    rows.map(replace)
    return {name: dx.reshape(shape) if name == "x" else gradients[name] for name in wanted}


def _constants(moments, epsilon, rows, dtype):
    """(N, groups), (N, groups) -> near for all numbers of a row, or None if it is 0 everywhere, the
    rest and 1 / √(σ² + ε) (N, groups, 1)"""
    mean, variance = (moment[..., None] for moment in moments)
    near, rest = near_and_rest(mean, variance, dtype)
    near = None if near is None else rows.repeated(near, dtype=dtype)[0]
    return near, rest, 1 / rows.xp.sqrt(variance + epsilon)


def near_and_rest(mean, variance, dtype):
    """Return near and rest with μ = near + rest, of the shape of the mean.

    near is μ rounded to the dtype where |μ| > 2 σ or one of them is NaN, and otherwise 0. On a CPU
    it is None if it is 0 everywhere; on a GPU this would have to be read.
    """
    xp = array_module(mean)
    far = ~((mean * mean).real <= FAR**2 * variance.real)
    if xp is np and not far.any():
        return None, mean
    near = xp.where(far, mean, 0).astype(dtype)
    return near, mean - near


def _of_sets(parameter, rows):
    """(C,) -> (groups, C / groups), or None"""
    return None if parameter is None else parameter.reshape(rows.sets)
