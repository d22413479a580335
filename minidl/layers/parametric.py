"""The layers that learn: convolution and dense. Each is made from its arrays."""

import numpy as np

from minidl import ops
from minidl.autograd import Tensor
from minidl.engine.fused import convolution_relu
from minidl.layers.initializers import he_normal, zeros
from minidl.layers.module import Module
from minidl.shapes import windows_over


class Convolution(Module):
    """y = convolution(x, kernel) + bias

    kernel: (*kernel, C / groups, K); bias: (K,) or None; the options are those of
    `ops.convolution`.
    """

    def __init__(self, kernel, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
        self.kernel = Tensor(kernel, requires_grad=True)
        self.bias = None if bias is None else Tensor(bias, requires_grad=True)
        self.options = {
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
            "groups": groups,
        }

    @classmethod
    def new(
        cls,
        rng,
        size,
        inputs,
        outputs,
        *,
        initializer=he_normal,
        bias=True,
        dtype=np.float32,
        **options,
    ):
        """With kernels of so many taps along each axis, from an initialiser, and biases of 0, or
        none.

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
        return convolution_relu(x, self.kernel, self.bias, **self.options)

    def windows(self, extent):
        """The Windows over an input of these lengths along the spatial axes"""
        return _windows(self.kernel, self.options, extent)


class SeparableConvolution(Module):
    """y = convolution(convolution(x, depthwise), pointwise) + bias: each channel by itself along
    the spatial axes, then all channels of a position (Sifre 2014). It costs taps + K multiply-adds
    for each number of x, a Convolution taps·K.

    depthwise: (*kernel, 1, C); pointwise: (1, .., 1, C, K); bias: (K,); the options are those of
    the first convolution.
    """

    def __init__(self, depthwise, pointwise, bias, *, stride=1, padding=0, dilation=1):
        self.depthwise = Tensor(depthwise, requires_grad=True)
        self.pointwise = Tensor(pointwise, requires_grad=True)
        self.bias = Tensor(bias, requires_grad=True)
        self.options = {"stride": stride, "padding": padding, "dilation": dilation}

    def __call__(self, x):
        """(N, *spatial, C) -> (N, *out, K)"""
        return ops.convolution(self._each_channel(x), self.pointwise, self.bias)

    def rectified(self, x):
        """max(self(x), 0), in one go"""
        return convolution_relu(self._each_channel(x), self.pointwise, self.bias)

    def windows(self, extent):
        """The Windows over an input of these lengths along the spatial axes"""
        return _windows(self.depthwise, self.options, extent)

    def _each_channel(self, x):
        return ops.convolution(x, self.depthwise, groups=self.depthwise.shape[-1], **self.options)


class Dense(Module):
    """y = x kernel + bias,      kernel: (inputs, outputs); bias: (outputs,) or None"""

    def __init__(self, kernel, bias=None):
        self.kernel = Tensor(kernel, requires_grad=True)
        self.bias = None if bias is None else Tensor(bias, requires_grad=True)

    @classmethod
    def new(cls, rng, inputs, outputs, *, initializer=he_normal, dtype=np.float32):
        """With a kernel from an initialiser, and biases of 0."""
        return cls(initializer(rng, (inputs, outputs), dtype), zeros(rng, (outputs,), dtype))

    def __call__(self, x):
        """(N, inputs) -> (N, outputs)"""
        y = ops.matmul(x, self.kernel)
        return y if self.bias is None else y + self.bias


def _windows(kernel, options, extent):
    geometry = {name: options[name] for name in ("stride", "padding", "dilation")}
    return windows_over(extent, kernel.shape[: len(extent)], **geometry)
