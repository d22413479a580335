"""An initializer returns initial values of parameters: `initializer(rng, shape, dtype) -> array`.

A number of the output of a layer is a sum of fan_in products of inputs and weights. Its variance is
fan_in·Var(w) times the mean square of the inputs. A number of the gradient with respect to the
input is a sum of fan_out products. Its variance is fan_out·Var(w) times the mean square of dy. The
variances below keep the first or the second, or about both, at the same size in all layers, so that
signals and gradients neither vanish nor explode:

    Glorot & Bengio 2010    Var(w) = 2 / (fan_in + fan_out)   a compromise of both, for tanh
    He et al. 2015          Var(w) = 2 / fan_in               for ReLU, which halves the mean square

A uniform distribution on [-r, r] has the variance r²/3. Numbers are drawn in float64 on the CPU, so
that a seed gives the same numbers in every dtype and on every device.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import erf, exp, pi, prod, sqrt
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from minidl.backend import current_device, current_module, to_device
from minidl.errors import ArgumentError, ShapeError, one_of
from minidl.typing import Array, Shape

Initializer: TypeAlias = Callable[[np.random.Generator, Shape, DTypeLike], Array]

CUT = 2.0  # standard deviations at which a truncated normal ends
# The standard deviation of a standard normal that is cut at ±c:
# √(∫ t² φ(t) dt / ∫ φ(t) dt) = √(1 - 2c φ(c) / (2 Φ(c) - 1)), both integrals from -c to c
LEFT_BY_CUT = sqrt(1 - 2 * CUT * exp(-(CUT**2) / 2) / sqrt(2 * pi) / erf(CUT / sqrt(2)))  # 0.8796
STD_OF = ("whole", "truncated")


class _Block(threading.local):
    """Whether this thread is within `unfilled()`."""

    unfilled = False


_block = _Block()


@contextmanager
def unfilled() -> Iterator[None]:
    """Let initializers draw nothing in this block. They return a read-only array of zeros that
    takes the memory of one number.

    This is for a network whose arrays are replaced by those of a file, after their shapes were
    compared.
    """
    before, _block.unfilled = _block.unfilled, True
    try:
        yield
    finally:
        _block.unfilled = before


def fans(shape: Shape) -> tuple[int, int]:
    """Return (fan_in, fan_out) of a kernel (*kernel, C_in // groups, C_out): the number of inputs
    that one output sums, and the number of outputs that depend on one input.

    fan_out is that of a convolution without groups, as in Keras and PyTorch. Raises ShapeError if
    the shape has fewer than two axes or an empty one.

    >>> fans((3, 3, 16, 32)), fans((10, 5))
    ((144, 288), (10, 5))
    """
    if len(shape) < 2 or not prod(shape):
        raise ShapeError(
            f"a kernel has shape {tuple(shape)}; wanted (*kernel, C_in // groups, C_out), each at "
            "least 1"
        )
    *kernel, inputs, outputs = shape
    return prod(kernel) * inputs, prod(kernel) * outputs


def zeros(rng: Any, shape: int | Shape, dtype: DTypeLike = np.float32) -> Array:
    """Return zeros, for biases. rng is not used."""
    return constant(rng, shape, dtype, 0.0)


def constant(
    rng: Any, shape: int | Shape, dtype: DTypeLike = np.float32, value: float = 1.0
) -> Array:
    """Return an array of one value, such as 1 for scales. rng is not used."""
    return _made(shape, dtype, lambda: np.full(shape, value))


def identity(rng: Any, shape: Shape, dtype: DTypeLike = np.float32) -> Array:
    """Return the (n, n) matrix w with x @ w = x, or the (n, 2n) matrix with x @ w = (x, -x). rng is
    not used.

    >>> identity(None, (2, 4))
    array([[ 1.,  0., -1.,  0.],
           [ 0.,  1.,  0., -1.]], dtype=float32)
    """
    inputs, outputs = shape
    return _made(shape, dtype, lambda: np.eye(inputs, outputs) - np.eye(inputs, outputs, k=inputs))


def normal(
    rng: np.random.Generator, shape: Shape, dtype: DTypeLike = np.float32, std: float = 1.0
) -> Array:
    """Return normal numbers of the standard deviation std, for the vectors of an embedding."""
    return _made(shape, dtype, lambda: rng.standard_normal(shape) * std)


def he_normal(rng: np.random.Generator, shape: Shape, dtype: DTypeLike = np.float32) -> Array:
    """Return normal numbers of variance 2 / fan_in.

    Keras' he_normal is `truncated_normal` with std=√(2 / fan_in) and std_of="truncated".
    """
    fan_in, _ = fans(shape)
    return _made(shape, dtype, lambda: rng.standard_normal(shape) * sqrt(2 / fan_in))


def he_uniform(rng: np.random.Generator, shape: Shape, dtype: DTypeLike = np.float32) -> Array:
    """Return uniform numbers on ±√(6 / fan_in)."""
    fan_in, _ = fans(shape)
    return _made(shape, dtype, lambda: rng.uniform(-1, 1, shape) * sqrt(6 / fan_in))


def glorot_normal(rng: np.random.Generator, shape: Shape, dtype: DTypeLike = np.float32) -> Array:
    """Return normal numbers of variance 2 / (fan_in + fan_out)."""
    both = sum(fans(shape))
    return _made(shape, dtype, lambda: rng.standard_normal(shape) * sqrt(2 / both))


def glorot_uniform(rng: np.random.Generator, shape: Shape, dtype: DTypeLike = np.float32) -> Array:
    """Return uniform numbers on ±√(6 / (fan_in + fan_out)), the default of Keras' dense and
    convolution layers."""
    both = sum(fans(shape))
    return _made(shape, dtype, lambda: rng.uniform(-1, 1, shape) * sqrt(6 / both))


def truncated_normal(
    rng: np.random.Generator,
    shape: Shape,
    dtype: DTypeLike = np.float32,
    std: float = 0.05,
    std_of: Literal["whole", "truncated"] = "whole",
) -> Array:
    """Return normal numbers around 0, cut at two standard deviations: numbers beyond are drawn
    again.

    std_of: "whole": std is the standard deviation before the cut, as in TensorFlow's
    truncated_normal(stddev). Numbers stay within ±2 std, and their own standard deviation is 0.8796
    std. "truncated": std is that of the numbers after the cut, which stay within ±2.274 std.

    Use functools.partial for an initializer with other options. Raises ArgumentError unless std is
    above 0.
    """
    one_of("std_of", std_of, STD_OF)
    if not std > 0:
        raise ArgumentError(f"std is {std}; wanted a number above 0")

    def drawn():
        z = rng.standard_normal(shape).reshape(-1)
        beyond = np.flatnonzero(abs(z) > CUT)
        while beyond.size:
            z[beyond] = rng.standard_normal(beyond.size)
            beyond = beyond[abs(z[beyond]) > CUT]
        return z.reshape(shape) * (std if std_of == "whole" else std / LEFT_BY_CUT)

    return _made(shape, dtype, drawn)


def _made(shape, dtype, draw):
    """Return the numbers of draw() as an array on the current device, or zeros in `unfilled`."""
    if _block.unfilled:
        xp = current_module()
        return xp.broadcast_to(xp.zeros((), dtype), shape)
    return to_device(np.asarray(draw(), dtype), current_device())
