"""Errors planted in activations."""

import math

import numpy as np

from minidl import ops
from tests.planted_errors.plant import FORWARD, GRADIENT, SHAPE, Plant, wrong


def slope_on_both_sides(dy, x, slope):
    return dy * slope


def slopes_not_added_up(dy, x):
    return dy * np.minimum(x, 0)


def slope_of_positive_numbers(dy, x, slope_shape):
    return ops.prelu.gradients["dslope"](dy, -x, slope_shape)


def erf_of_the_normal_distribution(x):
    """Φ, whose density has another scale, from -1 to 1"""
    return ops.erf.forward(x / math.sqrt(2))


def density_without_its_scale(dy, x):
    return dy * np.exp(-x * x)


def softplus_not_divided(x, beta=1.0):
    return beta * ops.softplus.forward(x, beta)


def softplus_at_beta_1(dy, x, beta):
    return ops.softplus.gradients["dx"](dy, x, 1.0)


def elu_without_alpha(dy, x, alpha):
    return ops.elu.gradients["dx"](dy, x, 1.0)


def elu_of_y(dy, x, alpha):
    """Add α to e^x instead of to y = α (e^x - 1)."""
    return np.where(x > 0, dy, dy * (np.exp(np.minimum(x, 0)) + alpha))


def silu_without_its_product(dy, x):
    s = ops.sigmoid.forward(x)
    return dy * s


def y_twice(dy, x, y):
    """s + y instead of s + y (1 - s)"""
    return dy * (ops.sigmoid.forward(x) + y)


def gelu_without_its_density(dy, x, approximate):
    return dy * ops.smooth_activations.probability(x, approximate)


def gelu_always_exact(x, approximate="none"):
    return ops.gelu.forward(x)


def gelu_with_the_other_gradient(dy, x, y, approximate):
    return ops.gelu.gradients["dx"](dy, x, y, "none")


ACTIVATIONS = [
    Plant("slope on both sides", "prelu", wrong(ops.prelu, dx=slope_on_both_sides), GRADIENT),
    Plant("gradients of one slope not added up", "prelu",
          wrong(ops.prelu, dslope=slopes_not_added_up), SHAPE),
    Plant("slope learned from positive numbers", "prelu",
          wrong(ops.prelu, dslope=slope_of_positive_numbers), GRADIENT),
    Plant("√2 too much", "erf", wrong(ops.erf, erf_of_the_normal_distribution), FORWARD),
    Plant("2/√π missing in the gradient", "erf", wrong(ops.erf, dx=density_without_its_scale),
          GRADIENT),
    Plant("not divided by beta", "softplus", wrong(ops.softplus, softplus_not_divided), FORWARD),
    Plant("beta missing in the gradient", "softplus", wrong(ops.softplus, dx=softplus_at_beta_1),
          GRADIENT),
    Plant("alpha missing in the gradient", "elu", wrong(ops.elu, dx=elu_without_alpha), GRADIENT),
    Plant("alpha added to the exponential", "elu", wrong(ops.elu, dx=elu_of_y), GRADIENT),
    Plant("half of the product rule", "silu", wrong(ops.silu, dx=silu_without_its_product),
          GRADIENT),
    Plant("1 - s missing in the gradient", "silu", wrong(ops.silu, dx=y_twice), GRADIENT),
    Plant("density missing in the gradient", "gelu", wrong(ops.gelu, dx=gelu_without_its_density),
          GRADIENT),
    Plant("approximation ignored", "gelu", wrong(ops.gelu, gelu_always_exact), FORWARD),
    Plant("exact gradient of the approximation", "gelu",
          wrong(ops.gelu, dx=gelu_with_the_other_gradient), GRADIENT),
]  # fmt: skip
