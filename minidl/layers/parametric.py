"""The layers that learn: convolution and dense. Each is made from its arrays."""

import numpy as np

from minidl import ops
from minidl.autograd import Tensor
from minidl.layers.initializers import he_normal, zeros
from minidl.layers.module import Module
from minidl.shapes import per_axis


class Convolution(Module):
    """y = convolution(x, kernel) + bias

    kernel: (*kernel, C / groups, K); bias: (K,) or None; the options are those of `ops.convolution`.
    """

    def __init__(self, kernel, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
        self.kernel = Tensor(kernel, requires_grad=True)
        self.bias = None if bias is None else Tensor(bias, requires_grad=True)
        self.options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}

    @classmethod
    def new(cls, rng, size, inputs, outputs, *, initializer=he_normal, bias=True, dtype=np.float32, **options):
        """With kernels of so many taps along each axis, from an initialiser, and biases of 0, or none.

        >>> Convolution.new(np.random.default_rng(0), (3, 3), 3, 8, padding="same").kernel.shape
        (3, 3, 3, 8)
        """
        kernel = initializer(rng, (*size, inputs // options.get("groups", 1), outputs), dtype)
        return cls(kernel, zeros(rng, (outputs,), dtype) if bias else None, **options)

    def __call__(self, x):
        """(N, *spatial, C) -> (N, *out, K)"""
        return ops.convolution(x, self.kernel, self.bias, **self.options)

    def rectified(self, x):
        """max(self(x), 0), in one go"""
        return ops.convolution_relu(x, self.kernel, self.bias, **self.options)

    def window(self, rank):
        """(positions that one output reads, stride), along each axis"""
        dilation, stride = (per_axis(name, self.options[name], rank, least=1) for name in ("dilation", "stride"))
        return [d * (k - 1) + 1 for d, k in zip(dilation, self.kernel.shape[:rank], strict=True)], stride


class Dense(Module):
    """y = x kernel + bias,      kernel: (inputs, outputs); bias: (outputs,)"""

    def __init__(self, kernel, bias):
        self.kernel = Tensor(kernel, requires_grad=True)
        self.bias = Tensor(bias, requires_grad=True)

    @classmethod
    def new(cls, rng, inputs, outputs, *, initializer=he_normal, dtype=np.float32):
        """With a kernel from an initialiser, and biases of 0."""
        return cls(initializer(rng, (inputs, outputs), dtype), zeros(rng, (outputs,), dtype))

    def __call__(self, x):
        """(N, inputs) -> (N, outputs)"""
        return ops.matmul(x, self.kernel) + self.bias
