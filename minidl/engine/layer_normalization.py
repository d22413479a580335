"""Layer normalization in strips that fit the cache, on all threads.

x (S, M) holds S sets of M numbers. A strip consists of some sets. While it is in the cache, its
moments are computed, and then y or dx. With μ = near + rest as in `normalization.py`,

    y = scale (x - near) + shift,      scale[s,i] = γ[i] / √(σ²[s] + ε),
                                       shift[s,i] = β[i] - γ[i] rest[s] / √(σ²[s] + ε)

    dx = scale dy + along (x - near) + across

    along[s] = -1/M Σ_i γ[i] dy[s,i] x̂[s,i] / (σ²[s] + ε),
    across[s] = -1/M Σ_i γ[i] dy[s,i] / √(σ²[s] + ε) - along[s] rest[s]

    dγ[i] = Σ_s dy[s,i] (x[s,i] - near[s] - rest[s]) / √(σ²[s] + ε),      dβ[i] = Σ_s dy[s,i]

scale, shift and along are sums of products of one number for each row and one for each column. BLAS
computes such matrices faster than NumPy multiplies x by one number for each row.
"""

from math import prod

import numpy as np

from minidl.backend import array_module
from minidl.engine.memory import empty, scratch
from minidl.engine.normalization import near_and_rest
from minidl.engine.strips import equal_parts, fair_strip
from minidl.engine.threads import parallel_map


def layer_norm(x, gamma=None, beta=None, axes=1, epsilon=1e-5):
    """(*others, *last), (*last), (*last) -> (*others, *last):  y = γ (x - μ) / √(σ² + ε) + β"""
    xp, sets = array_module(x, gamma, beta), _sets(x, axes)
    columns = [_columns(gamma, sets, 1), _columns(beta, sets, 0)]
    y = empty(xp, sets.shape, x.dtype)

    def normalize(part):
        """y = scale (x - near) + shift"""
        difference, rest, inverse = _constants(sets[part], epsilon)
        terms, out = scratch(xp, "terms", difference.shape, x.dtype), y[part]
        _matrix([inverse], columns[:1], terms)
        xp.multiply(difference, terms, out=out)
        _matrix([-rest * inverse, xp.ones_like(rest)], columns, terms)
        out += terms

    parallel_map(xp, normalize, _strips(sets))
    return y.reshape(x.shape)


def layer_norm_gradients(dy, x, gamma, axes, epsilon, wanted):
    """(*others, *last) -> {"x": dx (*others, *last), "gamma": dγ (*last), "beta": dβ (*last)}, of
    which those in `wanted`"""
    xp, last, dtype = array_module(x), x.shape[x.ndim - axes :], x.dtype
    sets, dy, M = _sets(x, axes), _sets(dy, axes), prod(last)
    gamma, ones = _columns(gamma, sets, 1), xp.ones(M, dtype)
    dx = empty(xp, sets.shape, dtype) if "x" in wanted else None

    def differentiate(part):
        """Compute dx of a strip, and return its dγ and dβ."""
        difference, rest, inverse = _constants(sets[part], epsilon)
        numbers, terms = dy[part], scratch(xp, "terms", difference.shape, dtype)
        xp.multiply(difference, numbers, out=terms)
        along, across = terms @ gamma, numbers @ gamma
        rows = xp.stack([-rest * inverse, xp.ones_like(rest)]).astype(dtype)
        parameters = rows @ numbers
        parameters[0] += inverse.astype(dtype) @ terms
        if dx is not None:
            along = (rest * across - along) * inverse**3 / M
            across = -across * inverse / M - along * rest
            out = dx[part]
            _matrix([inverse], [gamma], terms)
            xp.multiply(numbers, terms, out=out)
            _matrix([along], [ones], terms)
            terms *= difference
            out += terms
            out += across.astype(dtype)[:, None]
        return parameters

    totals = xp.zeros((2, M), np.result_type(dtype, np.float64))
    for parameters in parallel_map(xp, differentiate, _strips(sets)):
        totals += parameters
    dgamma, dbeta = totals.astype(dtype)
    gradients, shapes = {"x": dx, "gamma": dgamma, "beta": dbeta}, {"x": x.shape}
    return {name: gradients[name].reshape(shapes.get(name, last)) for name in wanted}


def _constants(x, epsilon):
    """(n, M) -> x - near (n, M), rest (n,), 1 / √(σ² + ε) (n,)

    The moments are computed as those of channels: see `normalization.py`. σ² is NaN if the squares
    overflow the dtype of x.
    """
    xp, (_, M), wide = array_module(x), x.shape, np.result_type(x.dtype, np.float64)
    ones = xp.ones(M, x.dtype)

    def moments(x):
        mean = (x @ ones).astype(wide) / M
        variance = _squares(x) / M - mean * mean
        return mean, xp.where(xp.isinf(variance), xp.nan, variance)

    rest, variance = moments(x)
    near, _ = near_and_rest(rest, variance, x.dtype)
    if near is not None:
        x = xp.subtract(x, near[:, None], out=scratch(xp, "difference", x.shape, x.dtype))
        rest, variance = moments(x)
        variance = xp.where(variance.real < 0, 0, variance)
    return x, rest, 1 / xp.sqrt(variance + epsilon)


def _squares(x):
    """(n, M) -> (n,): Σ_i x[s,i]²"""
    if isinstance(x, np.ndarray) and x.dtype.kind == "f":
        return np.vecdot(x, x)  # of complex numbers it would be Σ_i |x[s,i]|²
    return array_module(x).einsum("si,si->s", x, x)


def _matrix(rows, columns, out):
    """k rows (n,), k columns (M,) -> (n, M):  out[s,i] = Σ_k rows[k][s] columns[k][i]"""
    xp = array_module(out)
    if xp is not np:
        terms = (row[:, None] * column for row, column in zip(rows, columns, strict=True))
        out[...] = sum(terms)
        return
    k = max(2, len(rows))  # with one row and column, NumPy does not use BLAS
    left, right = np.zeros((out.shape[0], k), out.dtype), np.zeros((k, out.shape[1]), out.dtype)
    left[:, : len(rows)], right[: len(rows)] = np.stack(rows, axis=1), columns
    np.matmul(left, right, out=out)


def _columns(parameter, sets, default):
    """(*last) -> (M,), or M times the default if the parameter is None"""
    if parameter is None:
        return array_module(sets).full(sets.shape[1], default, sets.dtype)
    return parameter.reshape(-1).astype(sets.dtype, copy=False)


def _sets(x, axes):
    """(*others, *last) -> (S, M)"""
    return x.reshape(prod(x.shape[: x.ndim - axes]), prod(x.shape[x.ndim - axes :]))


def _strips(sets):
    """Return slices of the S sets (S, M)."""
    strip = fair_strip(array_module(sets), sets.size)
    return equal_parts(len(sets), max(1, strip // max(1, sets.shape[1])))
