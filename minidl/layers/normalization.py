"""Batch normalization, which behaves otherwise in training than afterwards."""

import numpy as np

from minidl import ops
from minidl.autograd import Tensor
from minidl.engine.fused import batch_norm_relu
from minidl.errors import ShapeError
from minidl.half import at_least_float32
from minidl.layers.initializers import constant, zeros
from minidl.layers.module import Module
from minidl.ops.normalization import moments


class BatchNorm(Module):
    """In training y = γ (x - μ) / √(σ² + ε) + β with the moments of the batch; afterwards with
    running ones,

        running ← momentum · running + (1 - momentum) · the batch's,

    of which the variance is the unbiased one, Σ (x - μ)² / (M - 1), as in algorithm 2 of Ioffe &
    Szegedy 2015 and in PyTorch (whose "momentum" is 1 - momentum here; Keras keeps the biased one).
    In training a channel must have two numbers at least: one is its own mean, so that y = β
    whatever x is, and nothing could be learned from it.
    """

    buffers = ("mean", "variance")

    def __init__(self, channels, *, momentum=0.9, epsilon=1e-5, dtype=np.float32):
        self.gamma = Tensor(constant(None, channels, dtype), requires_grad=True)
        self.beta = Tensor(zeros(None, channels, dtype), requires_grad=True)
        wide = at_least_float32(dtype)  # as a variance may be too large for float16
        self.mean, self.variance = zeros(None, channels, wide), constant(None, channels, wide)
        self.momentum, self.epsilon = momentum, epsilon

    def __call__(self, x):
        """(..., C) -> (..., C)"""
        return self._normalized(x, ops.batch_norm)

    def rectified(self, x):
        """max(self(x), 0), in one go"""
        return self._normalized(x, batch_norm_relu)

    def _normalized(self, x, op):
        if not self.training:
            return op(
                x, self.gamma, self.beta, (self.mean, self.variance), self.epsilon, fixed=True
            )
        array = x.data if isinstance(x, Tensor) else x
        count = array.size // max(1, array.shape[-1])
        if count < 2:
            raise ShapeError(
                f"batch normalization found x {array.shape} in training; wanted at least two numbers of each channel: take "
                "larger batches, and leave out a last one of a single example (drop_last=True of Batches)"
            )
        mean, variance = batch = moments(array)
        share, dtype = 1 - self.momentum, self.mean.dtype
        self.mean = (self.momentum * self.mean + share * mean).astype(dtype)
        self.variance = (
            self.momentum * self.variance + share * count / (count - 1) * variance
        ).astype(dtype)
        return op(x, self.gamma, self.beta, batch, self.epsilon)
