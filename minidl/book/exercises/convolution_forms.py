"""Exercises of the chapter about convolution: as a matrix product, and with groups."""

from math import prod

import numpy as np

from minidl import ops
from minidl.book.exercises.exercise import Exercise, as_forward, as_gradient, given, gradient_of
from minidl.proofs import Shape
from minidl.shapes import windows_over


def im2col(x, window, stride, padding):
    """A convolution with one output for each tap and channel, which copies the number there."""
    size = prod(window) * x.shape[-1]
    copies = np.eye(size).reshape(*window, x.shape[-1], size)
    return ops.convolution(x, copies, stride=stride, padding=padding).reshape(-1, size)


def im2col_dx(dy, x_shape, window, stride, padding):
    size = prod(window) * x_shape[-1]
    copies = np.eye(size).reshape(*window, x_shape[-1], size)
    out = windows_over(x_shape[1:-1], window, stride, padding).out
    dy = dy.reshape(x_shape[0], *out, size)
    return gradient_of(ops.convolution, "dx")(dy, copies, x_shape, stride, padding, 1, 1)


def rearranged(rows=None, columns=None):
    """Return an im2col whose rows (N, P, Q) or columns (T, S, C) have their axes in another
    order."""

    def wrong(x, window, stride, padding):
        out = windows_over(x.shape[1:-1], window, stride, padding).out
        y = im2col(x, window, stride, padding).reshape(len(x), *out, *window, x.shape[-1])
        y = y.transpose(*(rows or (0, 1, 2)), *(3 + i for i in columns or (0, 1, 2)))
        return y.reshape(len(x) * prod(out), -1)

    return wrong


def correlate_groups(x, w, dilation, groups):
    return ops.convolution(x, w, dilation=dilation, groups=groups)


def groups_dx(dy, w, x_shape, dilation, groups):
    return gradient_of(ops.convolution, "dx")(dy, w, x_shape, 1, 0, dilation, groups)


def undilated(dy, w, x_shape, dilation, groups):
    N, L, C = x_shape
    begin = groups_dx(dy, w, (N, dy.shape[1] + len(w) - 1, C), 1, groups)
    return np.pad(begin, ((0, 0), (0, L - begin.shape[1]), (0, 0)))


def mixed(w, groups):
    """The outputs of the kernel with the groups interleaved."""
    return w.reshape(*w.shape[:-1], -1, groups).swapaxes(-1, -2).reshape(w.shape)


EXERCISES = [
    Exercise(
        name="im2col",
        chapter="convolution",
        title="A convolution as a matrix product",
        task="""\
(N, H, W, C) -> (N·P·Q, T·S·C)

window = (T, S) is the size of a kernel. x is padded with zeros, `padding` positions on each side of
H and of W. The kernel moves in steps of `stride`, and has P·Q positions.

Return the matrix that has one row for each image and position of the kernel. The row contains the
numbers that the kernel reads there, so that the convolution is the matrix product of this matrix
and w.reshape(T·S·C, K):

    y[(n,p,q), (t,s,c)] = x[n, p·stride + t - padding, q·stride + s - padding, c]

In (n,p,q), q varies fastest, and in (t,s,c), c varies fastest.""",
        hint="""\
Make an array (N, P, Q, T, S, C) first. Fill it tap by tap, with a slice of the padded x. Then
reshape it.""",
        right=im2col,
        returns=("y",),
        example={
            "x": np.arange(1.0, 7.0).reshape(1, 2, 3, 1), "window": (2, 2), "stride": 1,
            "padding": 0,
        },
        cases={
            "one channel": {"x": Shape((1, 3, 4, 1)), "window": (2, 3), "stride": 1, "padding": 0},
            "2 channels": {"x": Shape((1, 3, 3, 2)), "window": (2, 2), "stride": 1, "padding": 0},
            "2 images": {"x": Shape((2, 3, 3, 2)), "window": (2, 2), "stride": 1, "padding": 0},
            "stride 2": {"x": Shape((1, 5, 6, 1)), "window": (3, 2), "stride": 2, "padding": 0},
            "stride 2, padding 1": {
                "x": Shape((2, 4, 5, 2)), "window": (3, 3), "stride": 2, "padding": 1,
            },
        },
        wrong={
            "In each row, the taps vary fastest. The channels have to.":
                rearranged(columns=(2, 0, 1)),
            "In each row, t and s are exchanged.": rearranged(columns=(1, 0, 2)),
            "The rows are in the wrong order: p varies fastest. q has to.":
                rearranged(rows=(0, 2, 1)),
            "The rows are in the wrong order: n varies fastest. q has to.":
                rearranged(rows=(1, 2, 0)),
            "The kernel is flipped: its first tap belongs to the first number of a window.":
                lambda x, window, stride, padding:
                    im2col(x, window, stride, padding).reshape(-1, prod(window), x.shape[-1])[
                        :, ::-1
                    ].reshape(-1, prod(window) * x.shape[-1]),
            "This is the transposed matrix.": lambda **options: im2col(**options).T,
            "The stride is ignored.": given(im2col, stride=lambda stride: 1),
            "The padding is ignored.": given(im2col, padding=lambda padding: 0),
        },
        op=as_forward(dx=im2col_dx),
        kinds={"x": "linear"},
    ),
    Exercise(
        name="convolution-groups-dx",
        chapter="convolution",
        title="The gradient of a convolution with groups and dilation",
        task="""\
(N, P, K) -> (N, L, C)

The forward is a convolution of signals x (N, L, C) with the kernel w (T, C / groups, K), without
stride and padding. P = L - dilation·(T - 1). The channels of x and of y are divided into `groups`
groups of neighbours. Group g of y reads group g of x only. Within a group,

    y[n,o,k] = Σ_t Σ_c x[n, o + t·dilation, c] w[t,c,k]

dy (N, P, K) is the gradient of a loss with respect to y. Return dx (N, L, C). x_shape is
(N, L, C).""",
        hint="""\
Handle each group as a convolution of its own, with the slices of dy, w and dx that belong to it.
w[:, :, k] with the k of group g belongs to it.""",
        right=groups_dx,
        returns=("dx",),
        example={
            "dy": np.array([1.0, 2.0]).reshape(1, 2, 1),
            "w": np.array([10.0, 1.0]).reshape(2, 1, 1), "x_shape": (1, 3, 1), "dilation": 1,
            "groups": 1,
        },
        cases={
            "one group, dilation 1": {
                "x": Shape((1, 4, 2)), "w": Shape((2, 2, 2)), "dilation": 1, "groups": 1,
            },
            "dilation 2": {
                "x": Shape((1, 6, 1)), "w": Shape((3, 1, 1)), "dilation": 2, "groups": 1,
            },
            "each channel on its own": {
                "x": Shape((1, 3, 3)), "w": Shape((2, 1, 3)), "dilation": 1, "groups": 3,
            },
            "2 groups of 2 inputs and 3 outputs": {
                "x": Shape((1, 3, 4)), "w": Shape((2, 2, 6)), "dilation": 1, "groups": 2,
            },
            "2 signals, dilation 3, 2 groups": {
                "x": Shape((2, 8, 4)), "w": Shape((3, 2, 4)), "dilation": 3, "groups": 2,
            },
        },
        wrong={
            "The kernel is flipped: dy[o] w[t] belongs to position o + t·dilation.":
                given(groups_dx, w=lambda w: w[::-1]),
            "The dilation is ignored: dy[o] w[t] belongs to position o + t·dilation.":
                undilated,
            "The outputs of the groups are mixed up: a group consists of neighbours.":
                lambda dy, w, x_shape, dilation, groups:
                    groups_dx(dy, mixed(w, groups), x_shape, dilation, groups),
            "All groups read the kernel of the first one.":
                lambda dy, w, x_shape, dilation, groups: groups_dx(
                    dy, np.concatenate([w[..., : w.shape[-1] // groups]] * groups, axis=-1),
                    x_shape, dilation, groups,
                ),
        },
        op=as_gradient(correlate_groups, "x"),
        kinds={"x": "linear"},
    ),
]  # fmt: skip
