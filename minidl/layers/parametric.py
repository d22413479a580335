"""Convolution and dense layers hold a kernel and a bias. Each is made from its arrays, or by `new`
from an initializer.

A call raises the errors of the op that it runs.
"""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minidl import ops
from minidl.autograd import Tensor
from minidl.engine.fused import convolution_relu
from minidl.errors import one_of
from minidl.layers.initializers import Initializer, he_normal, zeros
from minidl.layers.module import Module
from minidl.layers.reading import Reading, reading_onto, reading_over
from minidl.shapes import Windows, windows_onto, windows_over
from minidl.typing import Array, Operand, Padding, PerAxis, Result, Shape


class Convolution(Module):
    """y = convolution(x, kernel) + bias

    kernel: (*kernel, C / groups, K). bias: (K,) or None. stride, padding, dilation, groups: as for
    `ops.convolution`. padding_mode: what is in the padding: "zeros", or "reflect", "replicate" or
    "circular", as for `ops.pad`.

    >>> layer = Convolution(np.array([10., 1.]).reshape(2, 1, 1))        # y[o] = 10 x[o] + x[o+1]
    >>> layer(np.array([1., 2., 3.]).reshape(1, 3, 1)).data.ravel()
    array([12., 23.])
    """

    def __init__(
        self,
        kernel: Array,
        bias: Array | None = None,
        *,
        stride: PerAxis = 1,
        padding: Padding = 0,
        dilation: PerAxis = 1,
        groups: int = 1,
        padding_mode: str = "zeros",
    ) -> None:
        self.kernel = Tensor(kernel, requires_grad=True)
        self.bias = None if bias is None else Tensor(bias, requires_grad=True)
        self.options: dict[str, Any] = {
            "stride": stride, "padding": padding, "dilation": dilation, "groups": groups,
        }  # fmt: skip
        modes = ("zeros", "reflect", "replicate", "circular")
        self.padding_mode: Any = one_of("padding_mode", padding_mode, modes)

    @classmethod
    def new(
        cls,
        rng: np.random.Generator,
        size: Shape,
        inputs: int,
        outputs: int,
        *,
        initializer: Initializer = he_normal,
        bias: bool = True,
        dtype: DTypeLike = np.float32,
        **options: Any,
    ) -> "Convolution":
        """Return a Convolution with a kernel from an initializer.

        size: taps along each axis; inputs, outputs: channels; bias: whether to have one, which
        starts at 0; options: those of Convolution.

        >>> Convolution.new(np.random.default_rng(0), (3, 3), 3, 8, padding="same").kernel.shape
        (3, 3, 3, 8)
        """
        kernel = initializer(rng, (*size, inputs // options.get("groups", 1), outputs), dtype)
        return cls(kernel, zeros(rng, (outputs,), dtype) if bias else None, **options)

    def __call__(self, x: Operand) -> Result:
        """(N, *spatial, C) -> (N, *out, K)"""
        return self._by(ops.convolution, x)

    def rectified(self, x: Operand) -> Result:
        """(N, *spatial, C) -> (N, *out, K): max(self(x), 0), as one op"""
        return self._by(convolution_relu, x)

    def _by(self, op, x):
        """Return op(x), of x that is padded before if the padding is not zeros."""
        if self.padding_mode == "zeros":
            return op(x, self.kernel, self.bias, **self.options)
        width = ((0, 0), *self.windows(x.shape[1:-1]).padding, (0, 0))
        padded = ops.pad(x, width, mode=self.padding_mode)
        return op(padded, self.kernel, self.bias, **{**self.options, "padding": 0})

    def windows(self, extent: Shape) -> Windows:
        """Return the Windows over an input of these lengths along the spatial axes."""
        return _windows(self.kernel, self.options, extent)

    def reading(self, extent: Shape) -> Reading:
        """Return which positions of an input of these lengths each output reads."""
        mode = "constant" if self.padding_mode == "zeros" else self.padding_mode
        return reading_over(self.windows(extent), mode)


class TransposedConvolution(Module):
    """y = transposed_convolution(x, kernel) + bias

    kernel: (*kernel, K / groups, C). bias: (K,) or None.
    stride, padding, output_padding, dilation, groups: as for `ops.transposed_convolution`.

    >>> layer = TransposedConvolution(np.array([10., 1.]).reshape(2, 1, 1), stride=2)
    >>> layer(np.array([1., 2.]).reshape(1, 2, 1)).data.ravel()          # each x adds (10 x, x)
    array([10.,  1., 20.,  2.])
    """

    def __init__(
        self,
        kernel: Array,
        bias: Array | None = None,
        *,
        stride: PerAxis = 1,
        padding: Padding = 0,
        output_padding: PerAxis = 0,
        dilation: PerAxis = 1,
        groups: int = 1,
    ) -> None:
        self.kernel = Tensor(kernel, requires_grad=True)
        self.bias = None if bias is None else Tensor(bias, requires_grad=True)
        self.options: dict[str, Any] = {
            "stride": stride, "padding": padding, "output_padding": output_padding,
            "dilation": dilation, "groups": groups,
        }  # fmt: skip

    @classmethod
    def new(
        cls,
        rng: np.random.Generator,
        size: Shape,
        inputs: int,
        outputs: int,
        *,
        initializer: Initializer = he_normal,
        bias: bool = True,
        dtype: DTypeLike = np.float32,
        **options: Any,
    ) -> "TransposedConvolution":
        """Return a TransposedConvolution with a kernel from an initializer.

        The parameters are those of `Convolution.new`. The fan_in of this kernel is the number of
        terms in each sum of dx, so that he_normal keeps the size of the gradients, as in Keras and
        PyTorch.

        >>> rng = np.random.default_rng(0)
        >>> TransposedConvolution.new(rng, (2, 2), 8, 3, stride=2).kernel.shape
        (2, 2, 3, 8)
        """
        kernel = initializer(rng, (*size, outputs // options.get("groups", 1), inputs), dtype)
        return cls(kernel, zeros(rng, (outputs,), dtype) if bias else None, **options)

    def __call__(self, x: Operand) -> Result:
        """(N, *spatial, C) -> (N, *out, K)"""
        return ops.transposed_convolution(x, self.kernel, self.bias, **self.options)

    def reading(self, extent: Shape) -> Reading:
        """Return which positions of an input of these lengths each output reads."""
        geometry = {name: value for name, value in self.options.items() if name != "groups"}
        return reading_onto(windows_onto(extent, self.kernel.shape[: len(extent)], **geometry))


class SeparableConvolution(Module):
    """y = convolution(convolution(x, depthwise), pointwise) + bias

    The first convolution treats each channel separately along the spatial axes. The second combines
    the channels at each position (Sifre 2014). Together they cost (taps + K) multiply-adds for
    each number of x, where a Convolution costs taps·K.

    depthwise: (*kernel, 1, C). pointwise: (1, .., 1, C, K). bias: (K,). stride, padding, dilation:
    of the first convolution, as for `ops.convolution`.

    >>> layer = SeparableConvolution(np.ones((2, 1, 2)), np.array([[[10.], [1.]]]), np.zeros(1))
    >>> layer(np.array([[[1., 2.], [3., 4.]]])).data                 # 10 (1 + 3) + 1 (2 + 4)
    array([[[46.]]])
    """

    def __init__(
        self,
        depthwise: Array,
        pointwise: Array,
        bias: Array,
        *,
        stride: PerAxis = 1,
        padding: Padding = 0,
        dilation: PerAxis = 1,
    ) -> None:
        self.depthwise = Tensor(depthwise, requires_grad=True)
        self.pointwise = Tensor(pointwise, requires_grad=True)
        self.bias = Tensor(bias, requires_grad=True)
        self.options: dict[str, Any] = {
            "stride": stride, "padding": padding, "dilation": dilation,
        }  # fmt: skip

    def __call__(self, x: Operand) -> Result:
        """(N, *spatial, C) -> (N, *out, K)"""
        return ops.convolution(self._each_channel(x), self.pointwise, self.bias)

    def rectified(self, x: Operand) -> Result:
        """(N, *spatial, C) -> (N, *out, K): max(self(x), 0), with the ReLU in the second op"""
        return convolution_relu(self._each_channel(x), self.pointwise, self.bias)

    def windows(self, extent: Shape) -> Windows:
        """Return the Windows over an input of these lengths along the spatial axes."""
        return _windows(self.depthwise, self.options, extent)

    def _each_channel(self, x):
        return ops.convolution(x, self.depthwise, groups=self.depthwise.shape[-1], **self.options)


class Dense(Module):
    """y = x kernel + bias

    kernel: (inputs, outputs). bias: (outputs,) or None.

    >>> Dense(np.array([[1.], [10.]]), np.array([5.]))(np.array([[2., 3.]])).data     # 2 + 30 + 5
    array([[37.]])
    """

    def __init__(self, kernel: Array, bias: Array | None = None) -> None:
        self.kernel = Tensor(kernel, requires_grad=True)
        self.bias = None if bias is None else Tensor(bias, requires_grad=True)

    @classmethod
    def new(
        cls,
        rng: np.random.Generator,
        inputs: int,
        outputs: int,
        *,
        initializer: Initializer = he_normal,
        bias: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> "Dense":
        """Return a Dense layer with a kernel from an initializer.

        inputs, outputs: numbers of each example; bias: whether to have one, which starts at 0.

        >>> list(Dense.new(np.random.default_rng(0), 3, 8, bias=False).named_parameters())
        ['kernel']
        """
        kernel = initializer(rng, (inputs, outputs), dtype)
        return cls(kernel, zeros(rng, (outputs,), dtype) if bias else None)

    def __call__(self, x: Operand) -> Result:
        """(N, inputs) -> (N, outputs)"""
        y = ops.matmul(x, self.kernel)
        return y if self.bias is None else y + self.bias


def _windows(kernel, options, extent):
    geometry = {name: options[name] for name in ("stride", "padding", "dilation")}
    return windows_over(extent, kernel.shape[: len(extent)], **geometry)
