"""The numbers that parameters start from: initializer(rng, shape, dtype) -> array, rng a
numpy.random.Generator.

A number of the output sums fan_in products of inputs and weights; its variance is fan_in·Var(w)
times their mean square. A number of the input's gradient likewise sums fan_out products. Weights of
the variances below keep the one or the other as large from layer to layer, so that neither signal
nor gradient fades or explodes:

    Glorot & Bengio 2010    Var(w) = 2 / (fan_in + fan_out)      a compromise between the two, for tanh
    He et al. 2015          Var(w) = 2 / fan_in                  for ReLU, which lets half of the mean square through

A uniform distribution on [-r, r] has the variance r²/3. Numbers are drawn in float64 on the CPU, so
that a seed gives the same ones in every dtype and on every device.
"""

import threading
from contextlib import contextmanager
from math import erf, exp, pi, prod, sqrt

import numpy as np

from minidl.backend import current_device, current_module, to_device
from minidl.errors import ArgumentError, ShapeError, one_of

CUT = 2.0  # standard deviations at which a truncated normal ends
# The standard deviation of a standard normal that is cut at ±c: of it ∫ t² φ(t) dt = 1 - 2c φ(c) /
# (2 Φ(c) - 1) is left.
LEFT_BY_CUT = sqrt(1 - 2 * CUT * exp(-(CUT**2) / 2) / sqrt(2 * pi) / erf(CUT / sqrt(2)))  # 0.8796
STD_OF = ("whole", "truncated")
_here = threading.local()


@contextmanager
def unfilled():
    """Here initializers draw nothing and take no memory, whatever the shape: for a network to be
    restored, whose arrays are compared before they are replaced. Each is one 0, read-only, that
    stands at all places."""
    before, _here.unfilled = getattr(_here, "unfilled", False), True
    try:
        yield
    finally:
        _here.unfilled = before


def fans(shape):
    """(fan_in, fan_out) of a kernel (*kernel, C_in // groups, C_out): how many inputs one output
    sums, and how many outputs one input has a share in (with groups: would have, if every group saw
    it; so count Keras and PyTorch too).

    >>> fans((3, 3, 16, 32)), fans((10, 5))
    ((144, 288), (10, 5))
    """
    if len(shape) < 2 or not prod(shape):
        raise ShapeError(
            f"a kernel has shape {tuple(shape)}; wanted (*kernel, C_in // groups, C_out), each at least 1"
        )
    *kernel, inputs, outputs = shape
    return prod(kernel) * inputs, prod(kernel) * outputs


def zeros(rng, shape, dtype=np.float32):
    """For biases."""
    return constant(rng, shape, dtype, 0.0)


def constant(rng, shape, dtype=np.float32, value=1.0):
    """The same number everywhere: 1 for scales."""
    return _made(shape, dtype, lambda: np.full(shape, value))


def identity(rng, shape, dtype=np.float32):
    """1 from each of n inputs to the output of its place, so that x @ w = x; of 2n outputs the
    others are negative inputs.

    >>> identity(None, (2, 4))
    array([[ 1.,  0., -1.,  0.],
           [ 0.,  1.,  0., -1.]], dtype=float32)
    """
    inputs, outputs = shape
    return _made(shape, dtype, lambda: np.eye(inputs, outputs) - np.eye(inputs, outputs, k=inputs))


def he_normal(rng, shape, dtype=np.float32):
    """Normal, variance 2 / fan_in. (Keras' he_normal is truncated_normal of that deviation,
    std_of="truncated".)"""
    fan_in, _ = fans(shape)
    return _made(shape, dtype, lambda: rng.standard_normal(shape) * sqrt(2 / fan_in))


def he_uniform(rng, shape, dtype=np.float32):
    """Uniform on ±√(6 / fan_in)"""
    fan_in, _ = fans(shape)
    return _made(shape, dtype, lambda: rng.uniform(-1, 1, shape) * sqrt(6 / fan_in))


def glorot_normal(rng, shape, dtype=np.float32):
    """Normal, variance 2 / (fan_in + fan_out)"""
    both = sum(fans(shape))
    return _made(shape, dtype, lambda: rng.standard_normal(shape) * sqrt(2 / both))


def glorot_uniform(rng, shape, dtype=np.float32):
    """Uniform on ±√(6 / (fan_in + fan_out)), as Keras' dense and convolution layers begin"""
    both = sum(fans(shape))
    return _made(shape, dtype, lambda: rng.uniform(-1, 1, shape) * sqrt(6 / both))


def truncated_normal(rng, shape, dtype=np.float32, std=0.05, std_of="whole"):
    """Normal around 0, cut at two standard deviations: numbers beyond are drawn again.

    std_of: "whole" - std is that of the normal before the cut, as in TensorFlow's
    truncated_normal(stddev): numbers stay within ±2 std, and their own standard deviation is 0.8796
    of it; "truncated" - it is that of the numbers that are left, which then stay within ±2.274 std.
    For an initializer of other options use functools.partial.
    """
    one_of("std_of", std_of, STD_OF)
    if not std > 0:
        raise ArgumentError(f"std is {std}; wanted a number above 0")

    def drawn():
        z = rng.standard_normal(shape).reshape(-1)
        far = np.flatnonzero(abs(z) > CUT)
        while far.size:
            z[far] = rng.standard_normal(far.size)
            far = far[abs(z[far]) > CUT]
        return z.reshape(shape) * (std if std_of == "whole" else std / LEFT_BY_CUT)

    return _made(shape, dtype, drawn)


def _made(shape, dtype, draw):
    if getattr(_here, "unfilled", False):
        xp = current_module()
        return xp.broadcast_to(xp.zeros((), dtype), shape)
    return to_device(np.asarray(draw(), dtype), current_device())
