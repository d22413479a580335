"""The layers that learn: convolution and dense. Each is made from its arrays."""

from minidl import ops
from minidl.autograd import Tensor
from minidl.layers.module import Module


class Convolution(Module):
    """y = convolution(x, kernel) + bias

    kernel: (*kernel, C / groups, K); bias: (K,) or None; the options are those of `ops.convolution`.
    """

    def __init__(self, kernel, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
        self.kernel = Tensor(kernel, requires_grad=True)
        self.bias = None if bias is None else Tensor(bias, requires_grad=True)
        self.options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}

    def __call__(self, x):
        """(N, *spatial, C) -> (N, *out, K)"""
        return ops.convolution(x, self.kernel, self.bias, **self.options)

    def rectified(self, x):
        """max(self(x), 0), in one go"""
        return ops.convolution_relu(x, self.kernel, self.bias, **self.options)


class Dense(Module):
    """y = x kernel + bias,      kernel: (inputs, outputs); bias: (outputs,)"""

    def __init__(self, kernel, bias):
        self.kernel = Tensor(kernel, requires_grad=True)
        self.bias = Tensor(bias, requires_grad=True)

    def __call__(self, x):
        """(N, inputs) -> (N, outputs)"""
        return ops.matmul(x, self.kernel) + self.bias
