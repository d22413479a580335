"""Integrated gradients (Sundararajan, Taly, Yan 2017): the gradient collected on the way from a
baseline to the picture.

A gradient at the picture is 0 where F is saturated: F(x) = 1 - max(1 - x, 0) has none at x = 2,
though x raised F from 0 to 1. So the way there is followed (their equation 1), on a straight line
from the baseline b,

    A_i = (x_i - b_i) ∫ ∂F/∂x_i (b + α (x - b)) dα,      α from 0 to 1

of which the chain rule says that Σ_i A_i = F(x) - F(b): they are complete. The integral is a sum at
the middles of equal parts, so what the sum of A lacks of F(x) - F(b) tells how good it is.
"""

from typing import Any, NamedTuple

from minidl.backend import array_module, read_numbers
from minidl.errors import ArgumentError, ShapeError
from minidl.visualize.scalars import batches, value, value_and_gradient


class Integrated(NamedTuple):
    """attributions: (*spatial, C); total: their sum; difference: F(x) - F(b), what the total should
    be."""

    attributions: Any
    total: float
    difference: float

    @property
    def error(self):
        """How far the total is from complete, as a share of the difference"""
        return abs(self.total - self.difference) / (abs(self.difference) or 1.0)


def integrated_gradients(scalar, picture, baseline, steps=32):
    """(*spatial, C), (*spatial, C) -> Integrated

    steps: parts of the way, each a gradient; the paper takes 20 to 300.

    >>> from minidl import ops
    >>> F = lambda x: (1 - ops.relu(1 - x)).sum(axis=1)
    >>> integrated_gradients(F, np.array([2.]), np.array([0.])).attributions             # where the gradient is 0
    array([1.])
    """
    if steps < 1:
        raise ArgumentError(f"integrated gradients in {steps} steps; wanted at least 1")
    if picture.shape != baseline.shape:
        raise ShapeError(
            f"the picture has shape {picture.shape} and the baseline {baseline.shape}; wanted the same"
        )
    xp, way, total = array_module(picture, baseline), picture - baseline, 0
    for part in batches(steps, picture.size):
        alphas = (xp.arange(part.start, part.stop, dtype=picture.dtype) + 0.5) / steps
        points = baseline + alphas.reshape(-1, *[1] * picture.ndim) * way
        _, gradients = value_and_gradient(scalar, points)
        total = total + gradients.sum(axis=0)
    attributions = way * total / steps
    here, there = value(scalar, xp.stack([picture, baseline]))
    return Integrated(attributions, *read_numbers(attributions.sum(dtype="float64"), here - there))
