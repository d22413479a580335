"""Convolution over one, two, three or more spatial axes, with its three gradients.

As everywhere in deep learning it is a cross-correlation: the kernel is not flipped. The algorithms
are neighbours in this folder with one signature each for forward, dx and dw; choice.py is the one
place that picks among them.

Each forward calls `finish` on every strip of y that it has computed: it adds the bias and, where
wanted, applies the ReLU.
"""

import numpy as np

from minidl.autograd import differentiable
from minidl.backend import array_module, must_be_floating
from minidl.errors import ShapeError
from minidl.ops.convolutions import winograd
from minidl.ops.convolutions.choice import ALGORITHMS, choose
from minidl.ops.fused import Finish, Rectified
from minidl.ops.half import summed_in_float32
from minidl.ops.tall import column_sums
from minidl.shapes import is_int, windows_over

__all__ = ["ALGORITHMS", "convolution", "convolution_relu"]


@summed_in_float32
def convolution(x, w, b=None, *, stride=1, padding=0, dilation=1, groups=1, algorithm="auto"):
    """(N, *spatial, C), (*kernel, C / groups, K), (K,) -> (N, *out, K)

    y[n,o,k] = b[k] + Σ_t Σ_c x[n, o·stride + t·dilation - before, c] w[t,c,k]

    o: output position, t: tap of the kernel, both with one index per spatial axis; `before`: the
    padding in front; x is 0 in the padding. With groups, output channels k of group g sum over the
    input channels c of group g alone; groups = C is a depthwise convolution. padding: an int, one
    per axis, a (before, after) pair per axis, "same" or "valid". algorithm: "auto", the fastest by
    an estimate, or one of these:
        "direct"           the definition, for reading
        "im2col"           a matrix product
        "runs"             the same with less copying;     no dilation along the last axis, groups 1
        "winograd"         a quarter of it in 2-D;         three taps on each axis, stride 1, dilation 1, groups 1
        "winograd_runs"    half of it, and half the maps;  as winograd, on two axes or more
        "depthwise"        none;                           groups = C = K

    Cost: N·out·taps·C·K / groups multiply-adds by the definition. Raises ShapeError where x, w, b
    and groups do not fit.

    >>> x = np.array([1., 2., 3., 4.]).reshape(1, 4, 1)            # one signal, one channel
    >>> w = np.array([10., 1.]).reshape(2, 1, 1)                   # y[o] = 10 x[o] + x[o+1]
    >>> convolution(x, w).reshape(3)
    array([12., 23., 34.])
    """
    return _forward(x, w, b, stride, padding, dilation, groups, algorithm, rectify=False)


@summed_in_float32
def convolution_dx(dy, w, x_shape, stride, padding, dilation, groups, algorithm):
    """(N, *out, K) -> (N, *spatial, C)

    x[n,i,c] is a factor of every y[n,o,k] that reads i through some tap t, i = o·stride +
    t·dilation - before, each time beside w[t,c,k]:

        dx[n,i,c] = Σ_{o,t: o reads i through t} Σ_k dy[n,o,k] w[t,c,k]

    Positions that no window reads (left over at the end by the stride) get 0.
    """
    windows = _windows(x_shape, w.shape, stride, padding, dilation, groups)
    kept = winograd.keeps(w, dy.shape[0], windows.extent)
    return _algorithm(algorithm, "dx", dy, w.shape, windows, groups, kept).dx(
        dy, w, windows, groups
    )


@summed_in_float32
def convolution_dw(dy, x, w_shape, stride, padding, dilation, groups, algorithm):
    """(N, *out, K) -> (*kernel, C / groups, K)

    w[t,c,k] is a factor of y[n,o,k] at every n and o, each time beside the x that o reads through
    t:

        dw[t,c,k] = Σ_n Σ_o dy[n,o,k] x[n, o·stride + t·dilation - before, c]
    """
    windows = _windows(x.shape, w_shape, stride, padding, dilation, groups)
    return _algorithm(algorithm, "dw", x, w_shape, windows, groups).dw(dy, x, windows, groups)


@summed_in_float32
def convolution_db(dy):
    """b[k] is added to every y[n,o,k]:  db[k] = Σ_n Σ_o dy[n,o,k]"""
    return column_sums(dy.reshape(-1, dy.shape[-1]))


convolution = differentiable(convolution, dx=convolution_dx, dw=convolution_dw, db=convolution_db)


@summed_in_float32
def convolution_relu(x, w, b=None, *, stride=1, padding=0, dilation=1, groups=1, algorithm="auto"):
    """(N, *spatial, C), (*kernel, C / groups, K), (K,) -> (N, *out, K):  y = max(convolution(x, w,
    b), 0)

    The same as relu(convolution(x, w, b)), but that b is added and 0 compared while a strip of y is
    still in the processor's cache, and that y is kept for the gradients, not what it was before the
    ReLU.

    >>> x, w = np.array([1., 2., 3., 4.]).reshape(1, 4, 1), np.array([10., 1.]).reshape(2, 1, 1)
    >>> convolution_relu(x, w, np.array([-20.])).reshape(3)
    array([ 0.,  3., 14.])
    """
    return _forward(x, w, b, stride, padding, dilation, groups, algorithm, rectify=True)


@summed_in_float32
def convolution_relu_dx(dy, y, w, x_shape, stride, padding, dilation, groups, algorithm):
    """Through the ReLU, then through the convolution:  dx = convolution_dx(dy·[y ≠ 0])"""
    return convolution_dx(
        Rectified(dy, y), w, x_shape, stride, padding, dilation, groups, algorithm
    )


@summed_in_float32
def convolution_relu_dw(dy, y, x, w_shape, stride, padding, dilation, groups, algorithm):
    """dw = convolution_dw(dy·[y ≠ 0])"""
    return convolution_dw(
        Rectified(dy, y), x, w_shape, stride, padding, dilation, groups, algorithm
    )


@summed_in_float32
def convolution_relu_db(dy, y):
    """db = convolution_db(dy·[y ≠ 0])"""
    return convolution_db(Rectified(dy, y))


convolution_relu = differentiable(
    convolution_relu, dx=convolution_relu_dx, dw=convolution_relu_dw, db=convolution_relu_db
)


def _forward(x, w, b, stride, padding, dilation, groups, algorithm, rectify):
    array_module(x, w, b)
    must_be_floating("x", x)
    must_be_floating("w", w)
    windows = _windows(x.shape, w.shape, stride, padding, dilation, groups)
    b_shape = w.shape[-1:] if b is None else getattr(b, "shape", ())
    if b_shape != w.shape[-1:]:
        raise ShapeError(
            f"the bias has shape {b_shape}; wanted {w.shape[-1:]}, one number for each output of w {w.shape}"
        )
    kept = winograd.keeps(w, x.shape[0], windows.out)
    chosen = _algorithm(algorithm, "forward", x, w.shape, windows, groups, kept)
    return chosen.forward(x, w, windows, groups, Finish(b, rectify))


def _algorithm(name, what, x, w_shape, windows, groups, kept=False):
    """The module of that name or, if it is "auto", the one that is chosen; x: the input, or dy"""
    on_gpu = array_module(x) is not np
    return choose(name, what, x.shape[0], windows, groups, w_shape, x.dtype, kept, on_gpu)


def _windows(x_shape, w_shape, stride, padding, dilation, groups):
    """The geometry, once x, w and groups are seen to fit each other."""
    if len(x_shape) < 3 or len(w_shape) != len(x_shape):
        raise ShapeError(
            f"x has shape {x_shape} and w {w_shape}; wanted x (N, *spatial, C) and w (*kernel, C / groups, K) with as many "
            "spatial axes, at least one"
        )
    *size, per_group, outputs = w_shape
    channels = x_shape[-1]
    if (
        not is_int(groups)
        or groups < 1
        or not channels
        or channels != per_group * groups
        or not outputs
        or outputs % groups
    ):
        raise ShapeError(
            f"x has {channels} channels, w takes {per_group} in and gives {outputs} out, groups is {groups}; wanted "
            "C = w's inputs x groups, and outputs, at least one, divisible by groups"
        )
    return windows_over(x_shape[1:-1], tuple(size), stride, padding, dilation)
