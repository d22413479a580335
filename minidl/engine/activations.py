"""Activations in strips, by a few operations in place for each number.

They need no `where`, which takes longer than all other operations together: max(x, 0) and
min(x, 0) are computed by clipping, and where e^-x overflows, 1 / (1 + e^-x) is 0.

In float32, erf is computed from tanh, which NumPy and CuPy compute as fast as an exponential:

    erf(x) = tanh(x P(x²)),      gelu(x) = x (1 + tanh(u)) / 2,  u = x/√2 P(x²/2)

P is the polynomial of degree 6 whose largest relative error of erf is least, 10^-7, found by
weighted least squares (Lawson 1961). For large x it grows, and tanh is 1. Other dtypes need more
digits, and compute the definition in strips.
"""

from math import inf, pi, sqrt

import numpy as np

from minidl import ops
from minidl.dispatch import definition_of
from minidl.engine.elementwise import in_strips
from minidl.engine.memory import scratch

# The coefficients of P(s), from that of 1 to that of s⁶
ERF = (
    1.12837927, 0.102769056, -0.000191830813, -0.00061978464, 8.76373172e-05, -5.6684735e-06,
    1.41852081e-07,
)  # fmt: skip
# Φ(x) = (1 + tanh(x Q(x²))) / 2 with the coefficients of Q(s): for the exact gelu and for its
# approximation
NORMAL = tuple(c / sqrt(2) / 2**power for power, c in enumerate(ERF))
TANH = (sqrt(2 / pi), sqrt(2 / pi) * 0.044715)


def leaky_relu(x, slope=0.01):
    """y = max(x, slope·x), if the slope is from 0 to 1, 0 excluded"""
    change = _leaky_relu if 0 < slope <= 1 else _defined(ops.leaky_relu)
    return in_strips(change, x, slope=slope)


def leaky_relu_dx(dy, x, slope):
    """dx = dy ((1 - slope)·[x > 0] + slope)"""
    change = _leaky_relu_dx if slope else _defined(ops.leaky_relu, "dx")
    return in_strips(change, dy, x, slope=slope)


def _leaky_relu(xp, y, x, slope):
    xp.multiply(x, slope, out=y)
    xp.maximum(x, y, out=y)


def _leaky_relu_dx(xp, dx, dy, x, slope):
    dx[...] = x > 0
    dx *= 1 - slope
    dx += slope
    dx *= dy


def sigmoid(x):
    """y = 1 / (1 + e^-x)"""
    return in_strips(sigmoid_of_strip, x)


def sigmoid_dx(dy, y):
    """dx = dy y (1 - y)"""
    return in_strips(_sigmoid_dx, dy, y)


def sigmoid_of_strip(xp, y, x):
    """y ← 1 / (1 + e^-x)"""
    xp.divide(1, _one_plus_exponential(xp, y, x, -1.0), out=y)


def _sigmoid_dx(xp, dx, dy, y):
    xp.subtract(1, y, out=dx)
    dx *= y
    dx *= dy


def softplus(x, beta=1.0):
    """y = max(x, 0) + ln(1 + e^-|βx|) / β"""
    return in_strips(_softplus, x, beta=beta)


def softplus_dx(dy, x, beta):
    """dx = dy / (1 + e^(-βx))"""
    return in_strips(_softplus_dx, dy, x, beta=beta)


def _softplus(xp, y, x, beta):
    part = _scratch(xp, x)
    xp.absolute(x, out=y)
    y *= -beta
    xp.log1p(xp.exp(y, out=y), out=y)
    y /= beta
    y += xp.clip(x, 0, inf, out=part)


def _softplus_dx(xp, dx, dy, x, beta):
    xp.divide(dy, _one_plus_exponential(xp, dx, x, -beta), out=dx)


def elu(x, alpha=1.0):
    """y = max(x, 0) + α (e^min(x, 0) - 1)"""
    return in_strips(_elu, x, alpha=alpha)


def elu_dx(dy, x, alpha):
    """dx = dy e^min(x, 0) (1 + (α - 1)·[x ≤ 0])"""
    return in_strips(_elu_dx, dy, x, alpha=alpha)


def _elu(xp, y, x, alpha):
    part = _scratch(xp, x)
    xp.clip(x, -inf, 0, out=y)
    xp.expm1(y, out=y)
    y *= alpha
    y += xp.clip(x, 0, inf, out=part)


def _elu_dx(xp, dx, dy, x, alpha):
    xp.clip(x, -inf, 0, out=dx)
    xp.exp(dx, out=dx)
    if alpha != 1:
        part = _scratch(xp, x)
        part[...] = x <= 0
        part *= alpha - 1
        part += 1
        dx *= part
    dx *= dy


def silu(x):
    """y = x / (1 + e^-x)"""
    return in_strips(_silu, x)


def silu_dx(dy, x, y):
    """dx = dy (s + y (1 - s)),      s = y / x, or 1/2 for x = 0"""
    return in_strips(_silu_dx, dy, x, y)


def _silu(xp, y, x):
    xp.divide(x, _one_plus_exponential(xp, y, x, -1.0), out=y)


def _silu_dx(xp, dx, dy, x, y):
    s = _scratch(xp, x)
    _ratio(xp, s, y, x)
    xp.subtract(1, s, out=dx)
    dx *= y
    dx += s
    dx *= dy


def erf(x):
    """y = tanh(x P(x²))"""
    return in_strips(_erf if x.dtype == np.float32 else _defined(ops.erf), x)


def erf_dx(dy, x):
    """dx = 2/√π e^(-x²) dy"""
    return in_strips(_erf_dx, dy, x)


def _erf(xp, y, x):
    xp.tanh(_odd(xp, y, x, ERF, _scratch(xp, x)), out=y)


def _erf_dx(xp, dx, dy, x):
    xp.multiply(x, x, out=dx)
    xp.negative(dx, out=dx)
    xp.exp(dx, out=dx)
    dx *= 2 / sqrt(pi)
    dx *= dy


def gelu(x, approximate="none"):
    """y = x Φ(x)"""
    if approximate == "tanh":
        return in_strips(_gelu, x, coefficients=TANH)
    if x.dtype == np.float32:
        return in_strips(_gelu, x, coefficients=NORMAL)
    return in_strips(_defined(ops.gelu), x)


def gelu_dx(dy, x, y, approximate):
    """dx = dy (Φ(x) + x Φ'(x)),      Φ(x) = y / x, or 1/2 for x = 0"""
    return in_strips(_gelu_dx if approximate == "none" else _gelu_dx_of_tanh, dy, x, y)


def _gelu(xp, y, x, coefficients):
    """y ← x (1 + tanh(x Q(x²))) / 2"""
    xp.tanh(_odd(xp, y, x, coefficients, _scratch(xp, x)), out=y)
    y += 1
    y *= 0.5
    y *= x


def _gelu_dx(xp, dx, dy, x, y):
    """Φ' = e^(-x²/2) / √(2π)"""
    density = _scratch(xp, x)
    xp.multiply(x, x, out=density)
    density *= -0.5
    xp.exp(density, out=density)
    density *= 1 / sqrt(2 * pi)
    density *= x
    _ratio(xp, dx, y, x)
    dx += density
    dx *= dy


def _gelu_dx_of_tanh(xp, dx, dy, x, y):
    """Φ' = (1 - T²) u' / 2 = 2 Φ (1 - Φ) u', with u = x Q(x²) and T = tanh u = 2 Φ - 1"""
    slope = _scratch(xp, x)
    _ratio(xp, dx, y, x)
    xp.multiply(x, x, out=slope)
    slope *= 3 * TANH[1]  # u' = Q(0) + 3 Q'(0) x²
    slope += TANH[0]
    slope *= 2
    slope *= x
    slope *= dx
    slope *= xp.subtract(1, dx, out=_scratch(xp, x, "other"))
    dx += slope
    dx *= dy


def _ratio(xp, out, y, x):
    """out ← y / x, or 1/2 for x = 0"""
    with np.errstate(invalid="ignore"):
        xp.divide(y, x, out=out)
    out[x == 0] = 0.5


def _odd(xp, y, x, coefficients, squares):
    """y ← x Q(x²), and return y. squares: memory that x² is written to."""
    *others, next_to_last, last = coefficients
    xp.multiply(x, x, out=squares)
    xp.multiply(squares, last, out=y)
    y += next_to_last
    for coefficient in reversed(others):
        y *= squares
        y += coefficient
    y *= x
    return y


def _one_plus_exponential(xp, y, x, factor):
    """y ← 1 + e^(factor x), and return y."""
    xp.multiply(x, factor, out=y)
    xp.exp(y, out=y)
    y += 1
    return y


def _defined(op, gradient=None):
    """Return the function that writes the result of the definition of an op or a gradient."""
    definition = definition_of(op.gradients[gradient] if gradient else op.forward)

    def change(xp, y, *arrays, **options):
        y[...] = definition(*arrays, **options)

    return change


def _scratch(xp, x, name="part"):
    return scratch(xp, name, x.shape, x.dtype)
