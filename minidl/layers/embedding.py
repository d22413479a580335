"""An embedding holds one vector for each of the integers that it takes."""

import numpy as np
from numpy.typing import DTypeLike

from minidl import ops
from minidl.autograd import Tensor
from minidl.layers.initializers import Initializer, normal
from minidl.layers.module import Module
from minidl.typing import Array, Operand, Result


class Embedding(Module):
    """y = embedding(indices, weights), the rows of the weights with these indices

    weights: (V, C), one vector for each integer from 0 to V - 1. padding: the index whose y is 0,
    or None.

    A call raises the errors of `ops.embedding`.

    >>> Embedding(np.array([[1., 2.], [3., 4.]]))([1, 1, 0]).data
    array([[3., 4.],
           [3., 4.],
           [1., 2.]])
    """

    def __init__(self, weights: Array, padding: int | None = None) -> None:
        self.weights = Tensor(weights, requires_grad=True)
        self.padding = padding

    @classmethod
    def new(
        cls,
        rng: np.random.Generator,
        count: int,
        length: int,
        *,
        padding: int | None = None,
        initializer: Initializer = normal,
        dtype: DTypeLike = np.float32,
    ) -> "Embedding":
        """Return an Embedding of `count` vectors of this length from an initializer.

        >>> Embedding.new(np.random.default_rng(0), 1000, 16).weights.shape
        (1000, 16)
        """
        return cls(initializer(rng, (count, length), dtype), padding)

    def __call__(self, indices: Operand) -> Result:
        """(...) -> (..., C)"""
        return ops.embedding(self.weights, indices, self.padding)
