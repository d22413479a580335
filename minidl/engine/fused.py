"""A fused op computes an op and the ReLU after it as one op.

Its definition calls textbook ops one after the other. By the chain rule, backward computes the
gradient of the ReLU first, and passes it to that of the other op. The ReLU's gradient reads y, so
the input of the ReLU is not kept. The implementations (`convolution/`, `normalization.py`) apply
the ReLU to each strip of y while it is in the processor's cache. Layers use fused ops, except
within `minidl.textbook()`.
"""

from minidl.autograd import differentiable
from minidl.ops.activations import relu, relu_dx
from minidl.ops.convolution import check as must_be_kernels
from minidl.ops.convolution import convolution, convolution_db, convolution_dw, convolution_dx
from minidl.ops.normalization import batch_norm, batch_norm_gradients
from minidl.ops.normalization import check as must_be_channels
from minidl.typing import Operand, Padding, PerAxis, Result


def convolution_relu(
    x: Operand,
    w: Operand,
    b: Operand = None,
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Result:
    """(N, *spatial, C), (*kernel, C / groups, K), (K,) -> (N, *out, K)

    y = max(convolution(x, w, b), 0)

    The parameters and errors are those of `ops.convolution`.

    >>> x, w = np.array([1., 2., 3., 4.]).reshape(1, 4, 1), np.array([10., 1.]).reshape(2, 1, 1)
    >>> convolution_relu(x, w, np.array([-20.])).reshape(3)
    array([ 0.,  3., 14.])
    """
    y = convolution(x, w, b, stride=stride, padding=padding, dilation=dilation, groups=groups)
    return relu(y)


def convolution_relu_dx(dy, y, w, x_shape, stride, padding, dilation, groups):
    """(N, *out, K) -> (N, *spatial, C):  dx = convolution_dx(dy·[y ≠ 0])"""
    return convolution_dx(relu_dx(dy, y), w, x_shape, stride, padding, dilation, groups)


def convolution_relu_dw(dy, y, x, w_shape, stride, padding, dilation, groups):
    """(N, *out, K) -> (*kernel, C / groups, K):  dw = convolution_dw(dy·[y ≠ 0])"""
    return convolution_dw(relu_dx(dy, y), x, w_shape, stride, padding, dilation, groups)


def convolution_relu_db(dy, y):
    """(N, *out, K) -> (K,):  db = convolution_db(dy·[y ≠ 0])"""
    return convolution_db(relu_dx(dy, y))


convolution_relu = differentiable(
    convolution_relu,
    dx=convolution_relu_dx,
    dw=convolution_relu_dw,
    db=convolution_relu_db,
    check=must_be_kernels,
)


def batch_norm_relu(
    x: Operand,
    gamma: Operand = None,
    beta: Operand = None,
    given: tuple | None = None,
    epsilon: float = 1e-5,
    fixed: bool = False,
) -> Result:
    """(..., C), (C,), (C,) -> (..., C):  y = max(batch_norm(x, γ, β), 0)

    The parameters and errors are those of `ops.batch_norm`.

    >>> batch_norm_relu(np.array([[1.], [3.]]), np.array([10.]), np.array([5.]), epsilon=0.)
    array([[ 0.],
           [15.]])
    """
    return relu(batch_norm(x, gamma, beta, given, epsilon, fixed))


def batch_norm_relu_gradients(dy, y, x, gamma, given, epsilon, fixed, wanted):
    """(..., C) -> (..., C), (C,), (C,):  batch_norm_gradients(dy·[y ≠ 0])"""
    return batch_norm_gradients(relu_dx(dy, y), x, gamma, given, epsilon, fixed, wanted)


batch_norm_relu = differentiable(
    batch_norm_relu,
    joint={("x", "gamma", "beta"): batch_norm_relu_gradients},
    dtype_of="x",
    check=must_be_channels,
)
