"""The proofs: is a gradient the derivative of its forward?

Take a point x, a random direction u and a random cotangent v. By definition of the gradient

    <v, Df(x) u>  =  <g, u>,      g = gradient of <v, f> at x, as `backward` gives it.

The left side asks the forward alone for its slope along u. How it is asked depends on the sort of
function that f is in the argument, so that the answer is exact but for rounding:

    linear            f(u) - f(0), with no step at all: the adjoint test (an affine part drops out)
    quadratic         (f(x+u) - f(x-u)) / 2: the third derivative is zero, so a step of 1 has no error
    quartic           (8 (f(x+hu) - f(x-hu)) - (f(x+2hu) - f(x-2hu))) / 12h: exact up to the fourth degree
    piecewise linear  (f(x+hu) - f(x-hu)) / 2h, h so small that no kink is crossed
    analytic          Im f(x+ihu) / h, h = 1e-30: no difference of near numbers (Squire & Trapp 1998)
    smooth            the quartic stencil with a step of 1e-3, for whatever is none of these: here the step does have an error

The error is relative to the size of the terms that were added, not of their sum, which may cancel
to nothing.
"""

from typing import NamedTuple

import numpy as np

from minidl.autograd import Tensor
from minidl.backend import array_module, read_numbers
from minidl.errors import ArgumentError, one_of


class Proof(NamedTuple):
    """The outcome for one argument. error: relative; passed where it is at most the tolerance."""

    argument: str
    method: str
    error: float
    tolerance: float

    @property
    def passed(self):
        return self.error <= self.tolerance


class Method(NamedTuple):
    """name: for the table; slope: (f, x, u) -> (Df(x) u, the size of the terms it was made
    from)."""

    name: str
    slope: object
    tolerance: float


def _adjoint(f, x, u):
    ahead, origin = f(u), f(u * 0)
    return ahead - origin, abs(ahead) + abs(origin)


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
    # Relative to the slope itself: the terms of the stencil are larger by 1/step, and so would hide
    # an error of that share.
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


def prove(f, arguments, kinds, seed=0):
    """Prove the gradients of f with respect to some of its arguments: a list of one Proof each.

    f: function of the arguments by name, written with minidl's ops. arguments: name -> value; the
    arrays to prove are float64. kinds: name -> the sort of function that f is in that argument, a
    word of KINDS. For a "piecewise linear" one no kink may lie within 0.2 of an entry or within 0.4
    of a difference of two.

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
    sums = (
        (v * slope).sum(),
        (u * gradient).sum(),
        (abs(v) * terms).sum(),
        (abs(u) * abs(gradient)).sum(),
    )
    along_slope, along_gradient, *sizes = read_numbers(*sums)
    size, difference = max(sizes), abs(along_slope - along_gradient)
    error = difference / size if size else difference
    return Proof(name, method.name, float("inf") if np.isnan(error) else error, method.tolerance)


def _random(rng, like):
    """Random numbers between -1 and 1, none near 0: a one or a zero would hide a wrong place."""
    numbers = rng.uniform(0.1, 1, like.shape) * rng.choice([-1.0, 1.0], like.shape)
    return array_module(like).asarray(numbers)
