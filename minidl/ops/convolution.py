"""A convolution computes one weighted sum for each window of any number of spatial axes.

As everywhere in deep learning, it is a cross-correlation: the kernel is not flipped. y, dx and dw
are three sums over the same taps t of the kernel and the same groups of channels. Each multiplies
two of the three arrays at one tap: y = x w, dx = dy wᵀ and dw = xᵀ dy, as for a matrix product.

Source: LeCun et al. 1989, "Backpropagation Applied to Handwritten Zip Code Recognition"; for
stride, padding and dilation, Dumoulin & Visin 2016, "A guide to convolution arithmetic for deep
learning", arXiv 1603.07285; for groups, Krizhevsky, Sutskever, Hinton 2012, "ImageNet
Classification with Deep Convolutional Neural Networks".
"""

from math import prod

from minidl.autograd import differentiable
from minidl.backend import array_module, must_be_floating
from minidl.errors import ShapeError
from minidl.shapes import is_int, windows_over
from minidl.typing import Operand, Padding, PerAxis, Result


def convolution(
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

    y[n,o,k] = b[k] + Σ_t Σ_c x[n, o·stride + t·dilation - before, c] w[t,c,k]

    o: output position. t: tap of the kernel. Both have one index per spatial axis. `before`: the
    padding in front. x is 0 in the padding.

    padding: an int, one per axis, a (before, after) pair per axis, "same" or "valid" (see
    `windows_over`). groups: the input and the output channels are divided into this many groups.
    The output channels of a group sum over the input channels of the same group only. groups = C is
    a depthwise convolution.

    Cost: N·out·taps·C·K / groups multiply-adds. Raises ShapeError if x, w, b and groups do not fit,
    and ArgumentError for integer arrays and other values of the options.

    >>> x = np.array([1., 2., 3., 4.]).reshape(1, 4, 1)            # one signal, one channel
    >>> w = np.array([10., 1.]).reshape(2, 1, 1)                   # y[o] = 10 x[o] + x[o+1]
    >>> convolution(x, w).reshape(3)
    array([12., 23., 34.])
    """
    windows = windows_of(x.shape, w.shape, stride, padding, dilation, groups)
    xp, padded = array_module(x, w), windows.pad(x)
    y = xp.zeros((x.shape[0], *windows.out, w.shape[-1]), xp.result_type(x, w))
    for t in windows.taps:
        for c, k in channels_of(groups, w.shape):
            y[..., k] += times(padded[windows.under(t)][..., c], w[t][:, k])
    return y if b is None else y + b


def convolution_dx(dy, w, x_shape, stride, padding, dilation, groups):
    """(N, *out, K) -> (N, *spatial, C)

    If y[n,o,k] reads x[n,i,c] through tap t, that is if i = o·stride + t·dilation - before, it
    contains x[n,i,c] with the factor w[t,c,k]:

        dx[n,i,c] = Σ_{o,t: o reads i through t} Σ_k dy[n,o,k] w[t,c,k]

    Positions that no window reads get 0, such as those that the stride leaves over at the end.
    """
    windows = windows_of(x_shape, w.shape, stride, padding, dilation, groups)
    xp = array_module(dy, w)
    dx = xp.zeros((x_shape[0], *windows.padded, x_shape[-1]), xp.result_type(dy, w))
    for t in windows.taps:
        for c, k in channels_of(groups, w.shape):
            dx[windows.under(t)][..., c] += times(dy[..., k], w[t][:, k].T)
    return windows.unpad(dx)


def convolution_dw(dy, x, w_shape, stride, padding, dilation, groups):
    """(N, *out, K) -> (*kernel, C / groups, K)

    In every y[n,o,k], w[t,c,k] is the factor of the x that output o reads through tap t:

        dw[t,c,k] = Σ_n Σ_o dy[n,o,k] x[n, o·stride + t·dilation - before, c]
    """
    windows = windows_of(x.shape, w_shape, stride, padding, dilation, groups)
    xp, padded = array_module(dy, x), windows.pad(x)
    dw = xp.zeros(w_shape, xp.result_type(dy, x))
    for t in windows.taps:
        for c, k in channels_of(groups, w_shape):
            dw[t][:, k] += rows(padded[windows.under(t)][..., c]).T @ rows(dy[..., k])
    return dw


def convolution_db(dy):
    """(N, *out, K) -> (K,)

    b[k] is added to every y[n,o,k]:

        db[k] = Σ_n Σ_o dy[n,o,k]
    """
    return dy.sum(axis=tuple(range(dy.ndim - 1)))


def channels_of(groups, w_shape):
    """Yield for each group the slices of its input channels and of its output channels."""
    *_, group_inputs, outputs = w_shape
    group_outputs = outputs // groups
    for g in range(groups):
        inputs_of_g = slice(g * group_inputs, (g + 1) * group_inputs)
        yield inputs_of_g, slice(g * group_outputs, (g + 1) * group_outputs)


def times(a, w):
    """(.., C), (C, K) -> (.., K), as one product, which is faster than many small ones"""
    return (rows(a) @ w).reshape(*a.shape[:-1], w.shape[-1])


def rows(a):
    """(.., C) -> (M, C): one row for each image and position"""
    return a.reshape(prod(a.shape[:-1]), a.shape[-1])


def windows_of(x_shape, w_shape, stride, padding, dilation, groups):
    """Return the Windows of the kernel over x. Raise ShapeError if x, w and groups do not fit."""
    if len(x_shape) < 3 or len(w_shape) != len(x_shape):
        raise ShapeError(
            f"x has shape {x_shape} and w {w_shape}; wanted x (N, *spatial, C) and w "
            "(*kernel, C / groups, K) with as many spatial axes, at least one"
        )
    *size, inputs, outputs = w_shape
    C = x_shape[-1]
    fit = is_int(groups) and groups >= 1 and C > 0 and inputs * groups == C
    if not fit or not outputs or outputs % groups:
        raise ShapeError(
            f"x has {C} channels, w has {inputs} inputs and {outputs} outputs, groups is {groups}; "
            "wanted channels of x = inputs of w x groups, and outputs a multiple of groups, not 0"
        )
    return windows_over(x_shape[1:-1], tuple(size), stride, padding, dilation)


def check(x, w, b=None, **options):
    """Raise an error if x or w is not floating-point, or b is not one number per output."""
    must_be_floating("x", x)
    must_be_floating("w", w)
    if b is not None and getattr(b, "shape", ()) != w.shape[-1:] and all(w.shape[2:]):
        raise ShapeError(
            f"the bias has shape {getattr(b, 'shape', ())}; wanted {w.shape[-1:]}, one number for "
            f"each output of w {w.shape}"
        )


convolution = differentiable(
    convolution, dx=convolution_dx, dw=convolution_dw, db=convolution_db, check=check
)
