"""Batch normalization and dropout: what behaves otherwise in training than afterwards."""

import numpy as np

from minidl import ops
from minidl.autograd import Tensor
from minidl.errors import ArgumentError
from minidl.layers.module import Module
from minidl.ops.normalization import moments


class BatchNorm(Module):
    """In training y = γ (x - μ) / √(σ² + ε) + β with the moments of the batch; afterwards with running ones,

        running ← momentum · running + (1 - momentum) · the batch's,

    of which the variance is the unbiased one, Σ (x - μ)² / (M - 1), as in algorithm 2 of Ioffe & Szegedy 2015 and in PyTorch
    (whose "momentum" is 1 - momentum here; Keras keeps the biased one).
    """

    buffers = ("mean", "variance")

    def __init__(self, channels, *, momentum=0.9, epsilon=1e-5, dtype=np.float32):
        self.gamma = Tensor(np.ones(channels, dtype), requires_grad=True)
        self.beta = Tensor(np.zeros(channels, dtype), requires_grad=True)
        self.mean, self.variance = np.zeros(channels, dtype), np.ones(channels, dtype)
        self.momentum, self.epsilon = momentum, epsilon

    def __call__(self, x):
        """(..., C) -> (..., C)"""
        return self._normalized(x, ops.batch_norm)

    def rectified(self, x):
        """max(self(x), 0), in one go"""
        return self._normalized(x, ops.batch_norm_relu)

    def _normalized(self, x, op):
        if not self.training:
            return op(x, self.gamma, self.beta, (self.mean, self.variance), self.epsilon, fixed=True)
        array = x.data if isinstance(x, Tensor) else x
        mean, variance = batch = moments(array)
        count = array.size // array.shape[-1]
        share = 1 - self.momentum
        self.mean = self.momentum * self.mean + share * mean
        self.variance = self.momentum * self.variance + share * count / max(1, count - 1) * variance
        return op(x, self.gamma, self.beta, batch, self.epsilon)


class Dropout(Module):
    """In training every number is kept with probability `keep` and then divided by it, or else becomes 0 (Srivastava et al.
    2014, in the form that leaves nothing to do afterwards). Call number n draws from (seed, n)."""

    buffers = ("calls",)

    def __init__(self, keep, seed=0):
        if not 0 < keep <= 1:
            raise ArgumentError(f"dropout keeps a share of {keep}; wanted a number above 0, at most 1")
        self.keep, self.seed, self.calls = keep, seed, 0

    def __call__(self, x):
        if not self.training:
            return x
        self.calls += 1
        return ops.dropout(x, self.keep, (self.seed, self.calls))
