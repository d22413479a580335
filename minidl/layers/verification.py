"""A head decides whether two inputs are the same, from the features f and g that a network computed
from each. It returns one logit z:

    z = Σ_k w[k] φ[k] + b,      P(same) = 1 / (1 + e^-z)

    "absolute"     φ[k] = |f[k] - g[k]|                     Koch, Zemel, Salakhutdinov 2015;
                                                            Ng's lecture
    "chi-square"   φ[k] = (f[k] - g[k])² / (f[k] + g[k])    Taigman, Yang, Ranzato, Wolf 2014
                                                            (DeepFace); features of at least 0

Heads are trained with `losses.sigmoid_cross_entropy` of the logits. Both φ are 0 where f = g, and
symmetric in f and g.
"""

import numpy as np
from numpy.typing import DTypeLike

from minidl import ops
from minidl.autograd import Tensor
from minidl.errors import ShapeError, one_of
from minidl.layers.initializers import constant
from minidl.layers.module import Module
from minidl.typing import Operand, Result

DIFFERENCES = {
    "absolute": lambda f, g: ops.absolute(ops.subtract(f, g)),
    "chi-square": ops.chi_square,
}


class Verification(Module):
    """The head. It starts as a distance: z = bias - slope·Σ_k φ[k]

    difference: "absolute" or "chi-square"; features: D, the length of f and g; slope: 1/D by
    default, which makes the sum a mean; dtype: of w and b.
    """

    def __init__(
        self,
        difference: str,
        features: int,
        dtype: DTypeLike = np.float32,
        *,
        slope: float | None = None,
        bias: float = 0.0,
    ) -> None:
        self.difference = one_of("difference", difference, DIFFERENCES)
        weight = -1 / features if slope is None else -slope
        self.weights = Tensor(constant(None, features, dtype, weight), requires_grad=True)
        self.bias = Tensor(constant(None, 1, dtype, bias), requires_grad=True)

    def __call__(self, f: Operand, g: Operand) -> Result:
        """(..., D), (..., D), which broadcast -> (...), the logits of "the same".

        Raises ShapeError if the features have another length than D.
        """
        features = len(self.weights)
        if not features == f.shape[-1] == g.shape[-1]:
            raise ShapeError(
                f"a head over {features} features found {f.shape} and {g.shape}; wanted "
                f"(..., {features}) twice"
            )
        return ops.matmul(DIFFERENCES[self.difference](f, g), self.weights) + self.bias
