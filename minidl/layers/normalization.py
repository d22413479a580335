"""Batch normalization computes differently in training and afterwards."""

import numpy as np
from numpy.typing import DTypeLike

from minidl import ops
from minidl.autograd import Tensor
from minidl.engine.fused import batch_norm_relu
from minidl.errors import ShapeError
from minidl.half import at_least_float32
from minidl.layers.initializers import constant, zeros
from minidl.layers.module import Module
from minidl.ops.normalization import moments
from minidl.typing import Operand, Result


class BatchNorm(Module):
    """y[m,c] = γ[c] (x[m,c] - μ[c]) / √(σ²[c] + ε) + β[c]

    In training μ and σ² are the moments of the batch, and afterwards the running moments. Each
    batch in training changes these:

        running ← momentum·running + (1 - momentum)·batch

    where `batch` is the moment of the batch. The running variance averages the unbiased variance,
    Σ (x - μ)² / (M - 1), as in algorithm 2 of Ioffe & Szegedy 2015 and in PyTorch. (PyTorch's
    "momentum" is 1 - momentum here. Keras averages the biased variance.)

    channels: C. epsilon: ε. dtype: of γ and β. The running moments of a float16 layer are float32,
    because a variance may be too large for float16.

    Raises the errors of `ops.batch_norm`, and ShapeError in training if a channel has fewer than
    two numbers: the mean of one number is the number itself, so y = β for every x, and the layer
    could not learn.

    >>> layer = BatchNorm(1, momentum=0.5, epsilon=0.)
    >>> layer(np.array([[1.], [3.]])).data                                     # μ = 2, σ² = 1
    array([[-1.],
           [ 1.]])
    >>> layer.mean, layer.variance              # 1/2·0 + 1/2·2, and 1/2·1 + 1/2·2 (unbiased)
    (array([1.], dtype=float32), array([1.5], dtype=float32))
    """

    buffers = ("mean", "variance")

    def __init__(
        self,
        channels: int,
        *,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.gamma = Tensor(constant(None, channels, dtype), requires_grad=True)
        self.beta = Tensor(zeros(None, channels, dtype), requires_grad=True)
        wide = at_least_float32(dtype)
        self.mean, self.variance = zeros(None, channels, wide), constant(None, channels, wide)
        self.momentum, self.epsilon = momentum, epsilon

    def __call__(self, x: Operand) -> Result:
        """(..., C) -> (..., C)"""
        return self._normalized(x, ops.batch_norm)

    def rectified(self, x: Operand) -> Result:
        """(..., C) -> (..., C): max(self(x), 0), as one op"""
        return self._normalized(x, batch_norm_relu)

    def _normalized(self, x, op):
        if not self.training:
            running = self.mean, self.variance
            return op(x, self.gamma, self.beta, running, self.epsilon, fixed=True)
        array = x.data if isinstance(x, Tensor) else x
        count = array.size // max(1, array.shape[-1])
        if count < 2:
            raise ShapeError(
                f"batch normalization found x {array.shape} in training; wanted at least two "
                "numbers of each channel: take larger batches, and leave out a last batch of one "
                "example (drop_last=True of Batches)"
            )
        mean, variance = batch = moments(array)
        share, dtype = 1 - self.momentum, self.mean.dtype
        self.mean = (self.momentum * self.mean + share * mean).astype(dtype)
        self.variance = (
            self.momentum * self.variance + share * count / (count - 1) * variance
        ).astype(dtype)
        return op(x, self.gamma, self.beta, batch, self.epsilon)
