"""Losses of pairs: one network maps two pictures to a and b, which shall be near where both show
the same and apart otherwise.

`same` says which pairs show the same, in every loss here. (The papers' label Y is 1 for different
ones; public code has it both ways.) With d = a - b, a pair's loss is a function of its distance E =
|d| alone, so by the chain rule

    ∂L/∂a = ∂L/∂E ∂E/∂a = ∂L/∂E d/E,      ∂L/∂b = -∂L/∂a

and where a = b, where E has a kink and no direction is better than another, the gradient is 0.
"""

from math import exp
from typing import NamedTuple

import numpy as np

from minidl.autograd import differentiable
from minidl.backend import array_module, must_be_floating
from minidl.errors import ArgumentError, ShapeError
from minidl.ops.directions import inverse
from minidl.ops.half import summed_in_float32
from minidl.ops.masks import masked

DECAY = 2.77  # of the energy loss, as Chopra has it


@summed_in_float32
def siamese_energy_loss(a, b, same, q=5.0):
    """(N, D), (N, D), (N,) -> one number

    L = 1/N Σ_n  2/Q E²               where same[n],      E = |a[n] - b[n]|
                 2 Q e^(-2.77 E/Q)    where not

    same: bools, or 0 and 1 (on a GPU the loss is NaN for others). At E = Q/2 the one is worth Q/2,
    the other
    as much to a thousandth (2.77 is about 4 log 2): that is the threshold to begin with. What a
    network
    scores that has learned nothing: `energy_baselines`. Chopra, Hadsell, LeCun 2005; q: their upper
    bound of E.

    >>> siamese_energy_loss(np.array([[3., 4.], [1., 1.]]), np.array([[0., 0.], [1., 1.]]), np.array([1, 0]))    # E = 5, 0
    np.float64(10.0)
    """
    xp, same, _, squares, E = _distances("siamese_energy_loss", a, b, same, "q", q)
    return xp.where(same, 2 / q * squares, 2 * q * xp.exp(-DECAY / q * E)).mean()


@summed_in_float32
def siamese_energy_loss_gradients(dL, a, b, same, q, wanted):
    """∂L/∂E = 4/Q E where same, so that E d/E = d needs no root; else -5.54 e^(-2.77 E/Q)"""
    xp, same, d, _, E = _distances("siamese_energy_loss", a, b, same, "q", q)
    return _along(
        dL * xp.where(same, 4 / q, -2 * DECAY * xp.exp(-DECAY / q * E) * inverse(E)), d, wanted
    )


siamese_energy_loss = differentiable(siamese_energy_loss, da_db=siamese_energy_loss_gradients)


@summed_in_float32
def contrastive_loss(a, b, same, margin=1.0):
    """(N, D), (N, D), (N,) -> one number

    L = 1/N Σ_n  1/2 E²                  where same[n],      E = |a[n] - b[n]|
                 1/2 max(0, m - E)²      where not,          m: margin

    same: bools, or 0 and 1. Hadsell, Chopra, LeCun 2006.

    >>> contrastive_loss(np.array([[3., 4.], [0., 2.]]), np.zeros((2, 2)), np.array([1, 0]), margin=5.)       # E = 5, 2
    np.float64(8.5)
    """
    xp, same, _, squares, E = _distances("contrastive_loss", a, b, same, "margin", margin)
    short = xp.where(E.real >= margin, 0, margin - E)
    return xp.where(same, squares, short * short).mean() / 2


@summed_in_float32
def contrastive_loss_gradients(dL, a, b, same, margin, wanted):
    """∂L/∂E = E where same; else -(m - E) where that is above 0, and 0 from the margin on"""
    xp, same, d, _, E = _distances("contrastive_loss", a, b, same, "margin", margin)
    return _along(dL * xp.where(same, 1, -xp.maximum(margin - E, 0) * inverse(E)), d, wanted)


contrastive_loss = differentiable(contrastive_loss, da_db=contrastive_loss_gradients)


class Baselines(NamedTuple):
    """What the energy loss is without learning. collapsed: all of E = 0; constant: all of E =
    distance, the best one."""

    collapsed: float
    constant: float
    distance: float


def energy_baselines(q=5.0, share_same=0.5):
    """What siamese_energy_loss gives a network that maps everything to one point, and one that
    keeps all pairs at the best constant distance: a loss near these has learned nothing.

    With e = E/Q and s the share of same pairs, f(e) = 2 Q (s e² + (1 - s) e^(-2.77 e)) is least
    where its slope is 0:
    2 s e - 2.77 (1 - s) e^(-2.77 e) = 0. That curve rises and bends down, so its tangents lie above
    it, and Newton's steps from e = 0 come to its root without passing it.

    >>> print("{:.4f} {:.4f} {:.4f}".format(*energy_baselines(q=5.0)))
    5.0000 2.4437 2.1290
    """
    if not q > 0 or not 0 < share_same < 1:
        raise ArgumentError(
            f"q is {q} and share_same {share_same}; wanted q above 0 and a share between 0 and 1, both excluded"
        )
    e, s = 0.0, share_same
    for _ in range(100):
        push = DECAY * (1 - s) * exp(-DECAY * e)
        e -= (2 * s * e - push) / (2 * s + DECAY * push)
    return Baselines(2 * q * (1 - s), 2 * q * (s * e * e + (1 - s) * exp(-DECAY * e)), q * e)


def _distances(op, a, b, same, name, value):
    """The library, same as bools, d = a - b, E² and E of each pair"""
    xp = array_module(a, b, same)
    must_be_floating("a", a)
    must_be_floating("b", b)
    shape = getattr(same, "shape", ())
    if a.ndim != 2 or a.shape != b.shape or shape != a.shape[:1] or not a.size:
        raise ShapeError(
            f"{op} of a {a.shape}, b {b.shape} and same {shape}; wanted (N, D) twice and (N,), N and D at least 1"
        )
    if not value > 0:
        raise ArgumentError(f"{name} is {value}; wanted a number above 0")
    if xp is np and not ((same == 0) | (same == 1)).all():  # to look at them would stop a GPU
        raise ArgumentError(
            "same holds other numbers than 0 and 1; wanted True or 1 where a pair is the same, else False or 0"
        )
    d = a - b
    if xp is not np:
        d = xp.where(((same == 0) | (same == 1))[:, None], d, xp.nan)
    squares = (d * d).sum(axis=1)  # not of absolute values, for the proof by complex steps
    return xp, same != 0, d, squares, xp.sqrt(squares)


def _along(slope, d, wanted):
    """{"a": 1/N slope d, "b": -1/N slope d}, slope: ∂L/∂E / E of each pair. Where the slope is 0,
    the gradient is 0, even if a point is infinite."""
    da = masked(slope[:, None] * d, (slope != 0)[:, None]) / len(d)
    return {name: da if name == "a" else -da for name in wanted}
