"""`prove` compares a gradient with the derivative of its forward function.

Take a point x, a random direction u and a random cotangent v. The definition of the gradient is

    <v, Df(x) u> = <g, u>

where g is the gradient of <v, f> at x, which `backward` computes. Df(x) u is the slope of the
forward function along u. It is computed from values of f alone. The method depends on the kind of
function that f is in the argument. All methods but the last one are exact except for rounding. Let
Δ(h) = f(x + h u) - f(x - h u) be the difference for a step h.

    linear             f(u) - f(0)                 the adjoint test; a constant part cancels
    quadratic          Δ(1) / 2                    the third derivative is 0
    quartic            (8 Δ(1) - Δ(2)) / 12        exact for polynomials of a degree up to 4
    piecewise linear   Δ(0.2) / 0.4                no step from x crosses a kink
    analytic           Im f(x + i h u) / h         a step h of 1e-30 subtracts no close terms
    smooth             (8 Δ(h) - Δ(2 h)) / (12 h)  an approximation by a step h of 1e-3

The complex step of "analytic" is that of Squire & Trapp 1998. "smooth" is for all other functions.

The error is relative to the sum of the absolute values of the terms, because the terms of a sum may
cancel. For "smooth", the terms are the slopes.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minidl.autograd import Tensor
from minidl.backend import array_module, read_numbers
from minidl.errors import ArgumentError, one_of
from minidl.typing import Array


class Proof(NamedTuple):
    """The result for one argument. method: how the slope was computed. error: the relative
    error."""

    argument: str
    method: str
    error: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether the error is at most the tolerance."""
        return self.error <= self.tolerance


class Method(NamedTuple):
    """A way to compute slopes. slope: (f, x, u) -> (Df(x) u, the sum of the absolute values of its
    terms)."""

    name: str
    slope: Callable[..., tuple[Array, Array]]
    tolerance: float


def _adjoint(f, x, u):
    at_u, at_0 = f(u), f(u * 0)
    return at_u - at_0, abs(at_u) + abs(at_0)


def _central(step):
    def slope(f, x, u):
        ahead, behind = f(x + step * u), f(x - step * u)
        return (ahead - behind) / (2 * step), (abs(ahead) + abs(behind)) / (2 * step)

    return slope


def _four_point(step):
    def slope(f, x, u):
        near, far = [(f(x + h * u), f(x - h * u)) for h in (step, 2 * step)]
        terms = 8 * (abs(near[0]) + abs(near[1])) + abs(far[0]) + abs(far[1])
        return (8 * (near[0] - near[1]) - (far[0] - far[1])) / (12 * step), terms / (12 * step)

    return slope


def _small_stencil(f, x, u):
    # The terms of the stencil are about 1/step times larger than the slope. Relative to them, every
    # error would seem small.
    slope, _ = _four_point(1e-3)(f, x, u)
    return slope, abs(slope)


def _complex_step(f, x, u):
    step = 1e-30
    y = f(x + 1j * step * u)
    if y.dtype.kind != "c":
        raise ArgumentError(
            "the complex step found a function that drops the imaginary part; prove it as 'smooth'"
        )
    return y.imag / step, abs(y.imag) / step


KINDS = {
    "linear": Method("adjoint", _adjoint, 1e-12),
    "quadratic": Method("2-point, step 1", _central(1.0), 1e-12),
    "quartic": Method("4-point, step 1", _four_point(1.0), 1e-11),
    "piecewise linear": Method("2-point in the margin", _central(0.2), 1e-12),
    "analytic": Method("complex step", _complex_step, 1e-12),
    "smooth": Method("4-point, step 1e-3", _small_stencil, 1e-8),
}


def prove(
    f: Callable[..., Any],
    arguments: Mapping[str, Any],
    kinds: Mapping[str, str],
    seed: int | Sequence[Any] = 0,
) -> list[Proof]:
    """Return one Proof for each argument in `kinds`, of the gradient of f with respect to it.

    f: function of the arguments by name, written with minidl's ops. arguments: {name: value}; those
    in `kinds` are float64 arrays. kinds: {name: kind of function that f is in this argument}, a key
    of KINDS. seed: of the directions u and cotangents v.

    A "piecewise linear" f may have no kink within 0.2 of a number of the argument. If it compares
    two numbers, as a maximum does, they must differ by more than 0.4.

    Raises ArgumentError if an array is not float64, a kind is unknown, or an "analytic" f drops the
    imaginary part.

    >>> from minidl import ops
    >>> [proof] = prove(ops.tanh, {"x": np.array([0.5, -2.0])}, {"x": "analytic"})
    >>> proof.passed
    True
    """
    rng = np.random.default_rng(seed)
    plain = {
        name: value.data if isinstance(value, Tensor) else value
        for name, value in arguments.items()
    }
    tensors = {name: Tensor(plain[name], requires_grad=True) for name in kinds}
    y = f(**{**plain, **tensors})
    v = _random(rng, y.data)
    y.backward(v)
    return [
        _prove_one(f, plain, name, kind, v, tensors[name].grad, rng) for name, kind in kinds.items()
    ]


def _prove_one(f, arguments, name, kind, v, gradient, rng):
    method = KINDS[one_of("kind", kind, KINDS)]
    x = arguments[name]
    if x.dtype != np.float64:
        raise ArgumentError(
            f"{name} is {x.dtype}; a proof needs float64, since float32 differences prove nothing"
        )
    u = _random(rng, x)
    slope, terms = method.slope(lambda x: f(**{**arguments, name: x}), x, u)
    left, right, *sizes = read_numbers(
        (v * slope).sum(),  # <v, Df(x) u>
        (u * gradient).sum(),  # <g, u>
        (abs(v) * terms).sum(),
        (abs(u) * abs(gradient)).sum(),
    )
    size, difference = max(sizes), abs(left - right)
    error = difference / size if size else difference
    return Proof(name, method.name, float("inf") if np.isnan(error) else error, method.tolerance)


def _random(rng, like):
    """Return random numbers with absolute values from 0.1 to 1. If all were equal, or some were 0,
    numbers in wrong places would not be noticed."""
    numbers = rng.uniform(0.1, 1, like.shape) * rng.choice([-1.0, 1.0], like.shape)
    return array_module(like).asarray(numbers)
