"""A transposed convolution adds a weighted kernel to its output for each position of its input.

It is the adjoint of a convolution: y is computed as dx is there, dx as y, and dw from the same
products. With a stride of s, it enlarges its input s times, and its kernel is learnt like that of a
convolution. Every sum below is one of `ops/convolution.py`, with the names of the arrays exchanged.

Source: Zeiler, Krishnan, Taylor, Fergus 2010, "Deconvolutional Networks"; Long, Shelhamer, Darrell
2015, "Fully Convolutional Networks for Semantic Segmentation"; for the shapes, Dumoulin & Visin
2016, "A guide to convolution arithmetic for deep learning", arXiv 1603.07285.
"""

from minidl.autograd import differentiable
from minidl.backend import array_module, must_be_floating
from minidl.errors import ShapeError
from minidl.ops.convolution import channels_of, convolution_db, rows, times
from minidl.shapes import is_int, windows_onto
from minidl.typing import Operand, Padding, PerAxis, Result


def transposed_convolution(
    x: Operand,
    w: Operand,
    b: Operand = None,
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
    output_padding: PerAxis = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
) -> Result:
    """(N, *spatial, C), (*kernel, K / groups, C), (K,) -> (N, *out, K)

    y[n,i,k] = b[k] + Σ_{o,t: o·stride + t·dilation - before = i} Σ_c x[n,o,c] w[t,k,c]

    Input o adds x[n,o,c] w[t,k,c] to the output i = o·stride + t·dilation - before, through each
    tap t of the kernel. o, t and i have one index per spatial axis. w has the layout of the kernel
    of the convolution from y to x, whose gradient this is: its outputs, the channels of x, are
    last, as in Keras.

    output_padding: positions that are appended to y, and get b only; less than the stride or the
    dilation (see `windows_onto`). padding: positions that are then cut off: an int, one per axis, a
    (before, after) pair per axis, or "valid" for none. "same" makes y as long as x times the
    stride. stride, dilation, groups: as for `convolution`.

    Cost: N·spatial·taps·C·K / groups multiply-adds. Raises ShapeError if x, w, b and groups do not
    fit, and ArgumentError for integer arrays and other values of the options.

    >>> x = np.array([1., 2.]).reshape(1, 2, 1)                    # one signal, one channel
    >>> w = np.array([10., 1.]).reshape(2, 1, 1)                   # each x adds (10 x, x)
    >>> transposed_convolution(x, w).reshape(3)
    array([10., 21.,  2.])
    """
    windows = windows_of(x.shape, w.shape, stride, padding, output_padding, dilation, groups)
    xp = array_module(x, w)
    y = xp.zeros((x.shape[0], *windows.padded, w.shape[-2] * groups), xp.result_type(x, w))
    for t in windows.taps:
        for k, c in channels_of(groups, w.shape):
            y[windows.under(t)][..., k] += times(x[..., c], w[t][:, c].T)
    y = windows.unpad(y)
    return y if b is None else y + b


def transposed_convolution_dx(dy, w, x_shape, stride, padding, output_padding, dilation, groups):
    """(N, *out, K) -> (N, *spatial, C)

    x[n,o,c] is in each output i to which it adds through a tap t, with the factor w[t,k,c]:

        dx[n,o,c] = Σ_t Σ_k dy[n, o·stride + t·dilation - before, k] w[t,k,c]

    This is the convolution of dy with w. dy is 0 in the padding.
    """
    windows = windows_of(x_shape, w.shape, stride, padding, output_padding, dilation, groups)
    xp, padded = array_module(dy, w), windows.pad(dy)
    dx = xp.zeros(x_shape, xp.result_type(dy, w))
    for t in windows.taps:
        for k, c in channels_of(groups, w.shape):
            dx[..., c] += times(padded[windows.under(t)][..., k], w[t][:, c])
    return dx


def transposed_convolution_dw(dy, x, w_shape, stride, padding, output_padding, dilation, groups):
    """(N, *out, K) -> (*kernel, K / groups, C)

    In each sum y[n,i,k], w[t,k,c] is the factor of the x that is added to i through tap t:

        dw[t,k,c] = Σ_n Σ_o dy[n, o·stride + t·dilation - before, k] x[n,o,c]
    """
    windows = windows_of(x.shape, w_shape, stride, padding, output_padding, dilation, groups)
    xp, padded = array_module(dy, x), windows.pad(dy)
    dw = xp.zeros(w_shape, xp.result_type(dy, x))
    for t in windows.taps:
        for k, c in channels_of(groups, w_shape):
            dw[t][:, c] += rows(padded[windows.under(t)][..., k]).T @ rows(x[..., c])
    return dw


def windows_of(x_shape, w_shape, stride, padding, output_padding, dilation, groups):
    """Return the Windows of the kernel over y, one for each position of x. Raise ShapeError if x, w
    and groups do not fit."""
    if len(x_shape) < 3 or len(w_shape) != len(x_shape):
        raise ShapeError(
            f"x has shape {x_shape} and w {w_shape}; wanted x (N, *spatial, C) and w "
            "(*kernel, K / groups, C) with as many spatial axes, at least one"
        )
    *size, outputs, inputs = w_shape
    C = x_shape[-1]
    if not (is_int(groups) and groups >= 1 and C == inputs > 0 and outputs and C % groups == 0):
        raise ShapeError(
            f"x has {C} channels, w has {inputs} inputs (last axis) and {outputs} outputs per "
            f"group, groups is {groups}; wanted channels of x = inputs of w, a multiple of groups, "
            "and no 0"
        )
    return windows_onto(x_shape[1:-1], tuple(size), stride, padding, output_padding, dilation)


def check(x, w, b=None, *, groups=1, **options):
    """Raise an error if x or w is not floating-point, or b is not one number per output."""
    must_be_floating("x", x)
    must_be_floating("w", w)
    if b is None or w.ndim < 3 or not is_int(groups):
        return
    outputs = w.shape[-2] * groups
    if getattr(b, "shape", ()) != (outputs,):
        raise ShapeError(
            f"the bias has shape {getattr(b, 'shape', ())}; wanted ({outputs},), one number for "
            f"each output: {w.shape[-2]} of w {w.shape} x {groups} groups"
        )


transposed_convolution = differentiable(
    transposed_convolution,
    dx=transposed_convolution_dx,
    dw=transposed_convolution_dw,
    db=convolution_db,
    check=check,
)
