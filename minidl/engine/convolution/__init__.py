"""Convolution by one of five algorithms, fused with the ReLU after it if there is one.

algorithm.py       the protocol that all algorithms implement
choice.py          the choice among them
im2col.py          one matrix product
runs.py            matrix products that copy less of the input
winograd.py        in 2-D a quarter of the multiplications
tiles.py           the transforms of winograd.py on a CPU
winograd_gpu.py    the kernels of winograd.py for a GPU
winograd_runs.py   in 2-D half of the multiplications, and half of winograd's transforms
depthwise.py       one group for each channel

A transposed convolution is the convolution from y to x in the other direction. Its forward is the
dx of that convolution, its dx the forward, and its dw the dw with dy as the input.
"""

from minidl.backend import device_of
from minidl.engine.convolution.algorithm import Problem
from minidl.engine.convolution.choice import ALGORITHMS, choose, forced
from minidl.engine.epilogue import Epilogue, Rectified
from minidl.engine.matrices import column_sums
from minidl.frozen import is_frozen
from minidl.ops.convolution import windows_of
from minidl.ops.transposed_convolution import windows_of as windows_onto_y

__all__ = ["ALGORITHMS", "choose", "forced"]


def convolution(x, w, b=None, *, stride=1, padding=0, dilation=1, groups=1):
    """(N, *spatial, C), (*kernel, C / groups, K), (K,) -> (N, *out, K)

    This function and the next three replace the functions of the same names in
    `ops/convolution.py`, which document the formulas.
    """
    return _forward(x, w, Epilogue(b), stride, padding, dilation, groups)


def convolution_dx(dy, w, x_shape, stride, padding, dilation, groups):
    """(N, *out, K) -> (N, *spatial, C)"""
    windows = windows_of(x_shape, w.shape, stride, padding, dilation, groups)
    algorithm = choose(_problem("dx", dy, w.shape, windows, groups, is_frozen(w)))
    return algorithm.dx(dy, w, windows, groups)


def convolution_dw(dy, x, w_shape, stride, padding, dilation, groups):
    """(N, *out, K) -> (*kernel, C / groups, K)"""
    windows = windows_of(x.shape, w_shape, stride, padding, dilation, groups)
    algorithm = choose(_problem("dw", x, w_shape, windows, groups))
    return algorithm.dw(dy, x, windows, groups)


def convolution_db(dy):
    """(N, *out, K) -> (K,)"""
    return column_sums(dy.reshape(-1, dy.shape[-1]))


def convolution_relu(x, w, b=None, *, stride=1, padding=0, dilation=1, groups=1):
    """(N, *spatial, C), (*kernel, C / groups, K), (K,) -> (N, *out, K)

    The bias is added and the ReLU applied while a strip of y is in the processor's cache.
    """
    return _forward(x, w, Epilogue(b, rectify=True), stride, padding, dilation, groups)


def convolution_relu_dx(dy, y, w, x_shape, stride, padding, dilation, groups):
    """(N, *out, K) -> (N, *spatial, C)"""
    return convolution_dx(Rectified(dy, y), w, x_shape, stride, padding, dilation, groups)


def convolution_relu_dw(dy, y, x, w_shape, stride, padding, dilation, groups):
    """(N, *out, K) -> (*kernel, C / groups, K)"""
    return convolution_dw(Rectified(dy, y), x, w_shape, stride, padding, dilation, groups)


def convolution_relu_db(dy, y):
    """(N, *out, K) -> (K,)"""
    return convolution_db(Rectified(dy, y))


def transposed_convolution(
    x, w, b=None, *, stride=1, padding=0, output_padding=0, dilation=1, groups=1
):
    """(N, *spatial, C), (*kernel, K / groups, C), (K,) -> (N, *out, K)"""
    geometry = stride, padding, output_padding, dilation, groups
    windows = windows_onto_y(x.shape, w.shape, *geometry)
    algorithm = choose(_problem("dx", x, w.shape, windows, groups, is_frozen(w)))
    y = algorithm.dx(x, w, windows, groups)
    if b is not None:
        y += b
    return y


def transposed_convolution_dx(dy, w, x_shape, stride, padding, output_padding, dilation, groups):
    """(N, *out, K) -> (N, *spatial, C)"""
    geometry = stride, padding, output_padding, dilation, groups
    windows = windows_onto_y(x_shape, w.shape, *geometry)
    algorithm = choose(_problem("forward", dy, w.shape, windows, groups, is_frozen(w)))
    return algorithm.forward(dy, w, windows, groups, Epilogue())


def transposed_convolution_dw(dy, x, w_shape, stride, padding, output_padding, dilation, groups):
    """(N, *out, K) -> (*kernel, K / groups, C)"""
    geometry = stride, padding, output_padding, dilation, groups
    windows = windows_onto_y(x.shape, w_shape, *geometry)
    algorithm = choose(_problem("dw", dy, w_shape, windows, groups))
    return algorithm.dw(x, dy, windows, groups)


def _forward(x, w, epilogue, stride, padding, dilation, groups):
    windows = windows_of(x.shape, w.shape, stride, padding, dilation, groups)
    algorithm = choose(_problem("forward", x, w.shape, windows, groups, is_frozen(w)))
    return algorithm.forward(x, w, windows, groups, epilogue)


def _problem(kind, array, w_shape, windows, groups, frozen=False):
    """Return the Problem. kind: "forward", "dx" or "dw". array: dy for "dx", and otherwise x."""
    on_gpu = device_of(array) == "gpu"
    return Problem(kind, array.shape[0], windows, groups, w_shape, array.dtype, frozen, on_gpu)
