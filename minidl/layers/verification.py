"""Heads that verify: are two things the same, given what a network has made of each? One logit, for
a sigmoid.

    z = Σ_k w[k] φ[k] + b,      P(same) = 1 / (1 + e^-z)

    "absolute"     φ[k] = |f[k] - g[k]|                            Koch, Zemel, Salakhutdinov 2015; Ng's lecture
    "chi-square"   φ[k] = (f[k] - g[k])² / (f[k] + g[k])           Taigman, Yang, Ranzato, Wolf 2014 (DeepFace); features >= 0

Trained with `losses.sigmoid_cross_entropy` of the logits. Both φ are 0 where f = g, and do not
change when f and g are swapped.
"""

import numpy as np

from minidl import ops
from minidl.autograd import Tensor
from minidl.errors import ShapeError, one_of
from minidl.layers.initializers import constant
from minidl.layers.module import Module

DIFFERENCES = {
    "absolute": lambda f, g: ops.absolute(ops.subtract(f, g)),
    "chi-square": ops.chi_square,
}


class Verification(Module):
    """The head over so many features. It begins as a distance, bias - slope·Σφ; by default the
    slope is 1/D, the sum a mean."""

    def __init__(self, difference, features, dtype=np.float32, *, slope=None, bias=0.0):
        self.difference = one_of("difference", difference, DIFFERENCES)
        weight = -1 / features if slope is None else -slope
        self.weights = Tensor(constant(None, features, dtype, weight), requires_grad=True)
        self.bias = Tensor(constant(None, 1, dtype, bias), requires_grad=True)

    def __call__(self, f, g):
        """(..., D), (..., D), which broadcast -> (...), logits of "the same" """
        features = len(self.weights)
        if not features == f.shape[-1] == g.shape[-1]:
            raise ShapeError(
                f"a head over {features} features found {f.shape} and {g.shape}; wanted (..., {features}) twice"
            )
        return ops.matmul(DIFFERENCES[self.difference](f, g), self.weights) + self.bias
