"""Exercises of the chapter about convolution: the gradients."""

from itertools import product

import numpy as np

from minidl import ops
from minidl.book.exercises.convolution import ALL, LAST
from minidl.book.exercises.exercise import Exercise, as_gradient, given, gradient_of
from minidl.book.exercises.reading import (
    LAST_FOR_POSITION,
    LAST_OUTPUT_OF_TAP,
    axes,
    overwriting,
    read_by,
    reading_errors,
    summed,
)
from minidl.book.exercises.sentences import IMAGES_AVERAGED, OVERWRITTEN, UNUSED_DY
from minidl.proofs import Shape


def correlate(x, w, stride, padding):
    return ops.convolution(x, w, stride=stride, padding=padding)


def dx(dy, w, x_shape, stride, padding):
    return gradient_of(ops.convolution, "dx")(dy, w, x_shape, stride, padding, 1, 1)


def dw(dy, x, w_shape, stride, padding):
    return gradient_of(ops.convolution, "dw")(dy, x, w_shape, stride, padding, 1, 1)


def db(dy):
    return gradient_of(ops.convolution, "db")(dy)


def dx_by(*rules, outputs=ALL):
    """Return a dx for other positions, or from some of the output channels."""

    def wrong(dy, w, x_shape, stride, padding):
        along = axes(dy.shape[1:3], w.shape[:2], x_shape[1:3], stride, padding)
        return summed("x", read_by(rules, along), y=dy[..., outputs], w=w[..., outputs])

    return wrong


def dw_by(*rules, images=ALL):
    """Return a dw for other positions, or from some of the images."""

    def wrong(dy, x, w_shape, stride, padding):
        along = axes(dy.shape[1:3], w_shape[:2], x.shape[1:3], stride, padding)
        return summed("w", read_by(rules, along), y=dy[images], x=x[images])

    return wrong


def with_padding(dy, w, x_shape, stride, padding):
    N, H, W, C = x_shape
    return dx(dy, w, (N, H + 2 * padding, W + 2 * padding, C), stride, 0)


def cropped(down, right):
    """Return a dx from which a part is cut that is so many positions off."""

    def wrong(dy, w, x_shape, stride, padding):
        _, H, W, _ = x_shape
        top, left = padding + down, padding + right
        return with_padding(dy, w, x_shape, stride, padding)[:, top : top + H, left : left + W]

    return wrong


def without_leftovers(dy, w, x_shape, stride, padding):
    """Only the positions that the windows reach, as if the size of x followed from that of dy."""
    reached = [
        min(L, (n - 1) * stride + T - padding)
        for L, n, T in zip(x_shape[1:3], dy.shape[1:3], w.shape[:2], strict=True)
    ]
    return dx(dy, w, x_shape, stride, padding)[:, : reached[0], : reached[1]]


LETTERS = """\
There are N images of height H and width W, C input channels, T and S taps along H and W, P and Q
output positions along them, and K output channels."""
FORWARD = """\
x is padded with zeros: `padding` rows above and below, and `padding` columns left and right. The
kernel moves in steps of `stride`. Output (p,q) reads position (i,j) of x through tap (t,s):

    y[n,p,q,k] = Σ_t Σ_s Σ_c x[n,i,j,c] w[t,s,c,k]
    i = p·stride + t - padding
    j = q·stride + s - padding"""
OPTIONS = ["stride", "padding"]
STRIDE = "The stride is forgotten. In the forward, output p starts at position p·stride - padding."

# Cases of both gradients.
SIMPLE = {
    "one channel, stride 1, no padding": {
        "x": Shape((1, 3, 4, 1)),
        "w": Shape((2, 3, 1, 1)),
        "stride": 1,
        "padding": 0,
    },
    "2 inputs and 2 outputs": {
        "x": Shape((1, 3, 3, 2)),
        "w": Shape((2, 2, 2, 2)),
        "stride": 1,
        "padding": 0,
    },
    "2 images, 3 inputs and 2 outputs": {
        "x": Shape((2, 3, 3, 3)),
        "w": Shape((2, 2, 3, 2)),
        "stride": 1,
        "padding": 0,
    },
    "padding 1": {
        "x": Shape((1, 3, 3, 1)),
        "w": Shape((3, 3, 1, 1)),
        "stride": 1,
        "padding": 1,
    },
}
GENERAL = {
    "stride 2, padding 1, 2 images, 2 inputs and 3 outputs": {
        "x": Shape((2, 4, 5, 2)),
        "w": Shape((3, 3, 2, 3)),
        "stride": 2,
        "padding": 1,
    },
}

EXERCISES = [
    Exercise(
        name="convolution-db",
        chapter="convolution",
        title="The gradient of the bias",
        task="""\
(N, P, Q, K) -> (K,)

There are N images, P·Q output positions and K output channels.

A convolution adds b[k] to each number of its output channel k. dy (N, P, Q, K) is the gradient of a
loss with respect to the output. Return db (K,), the gradient with respect to the bias.""",
        hint="""\
b[k] is in every y[n,p,q,k], with the factor 1.""",
        right=db,
        returns=("db",),
        example={"dy": np.arange(1.0, 9.0).reshape(1, 2, 2, 2)},
        cases={
            "one channel": {"y": Shape((1, 2, 3, 1)), "b": Shape((1,))},
            "2 images, 3 channels": {"y": Shape((2, 2, 4, 3)), "b": Shape((3,))},
        },
        wrong={
            "The numbers are averaged. Their gradients add up.": lambda dy: dy.mean(axis=(0, 1, 2)),
            IMAGES_AVERAGED: lambda dy: db(dy) / len(dy),
            "The positions are averaged. Their gradients add up.":
                lambda dy: dy.mean(axis=(1, 2)).sum(axis=0),
            "The sum over the positions is missing.": lambda dy: dy.sum(axis=0),
            "The sum over the images is missing.": lambda dy: dy.sum(axis=(1, 2)),
            "Only the first image is summed.": lambda dy: dy[0].sum(axis=(0, 1)),
            "The sum runs over the channels too.": lambda dy: dy.sum(),
            "The sum runs over axis 3, the channels. It has to run over axes 0, 1 and 2.": (
                lambda dy: dy.sum(axis=(1, 2, 3)), lambda dy: dy.sum(axis=3),
            ),
            OVERWRITTEN: lambda dy: dy[-1, -1, -1],
            UNUSED_DY: (
                lambda dy: np.ones(dy.shape[-1]), given(db, dy=np.ones_like),
            ),
        },
        op=as_gradient(lambda y, b: y + b, "b"),
        kinds={"b": "linear"},
    ),
    Exercise(
        name="convolution-dx",
        chapter="convolution",
        title="The gradient of a convolution with respect to its input",
        task=f"""\
(N, P, Q, K) -> (N, H, W, C)

{LETTERS}

The forward is a convolution of x (N, H, W, C) with the kernel w (T, S, C, K).
{FORWARD}

dy (N, P, Q, K) is the gradient of a loss with respect to y. Return dx (N, H, W, C), the gradient
with respect to x. `x_shape` is (N, H, W, C). If the windows do not reach the last positions of x,
the gradient there is 0.""",
        hint="""\
Begin with zeros in the shape of the padded x. Loop over the taps (t, s). The outputs read one slice
of the padded x through this tap, with a step. Add dy times the transposed w[t, s] to this slice. At
the end, cut the padding off.""",
        right=dx,
        returns=("dx",),
        example={
            "dy": np.array([1.0, 2.0]).reshape(1, 1, 2, 1),
            "w": np.array([100.0, 10.0, 1.0]).reshape(1, 3, 1, 1), "x_shape": (1, 1, 6, 1),
            "stride": 2, "padding": 0,
        },
        cases={
            **SIMPLE,
            "stride 2": {
                "x": Shape((1, 4, 6, 1)), "w": Shape((2, 2, 1, 1)), "stride": 2, "padding": 0,
            },
            "stride 2 and overlapping windows": {
                "x": Shape((1, 5, 5, 1)), "w": Shape((3, 3, 1, 1)), "stride": 2, "padding": 0,
            },
            "stride 2 with positions left over": {
                "x": Shape((1, 6, 6, 1)), "w": Shape((3, 3, 1, 1)), "stride": 2, "padding": 0,
            },
            **GENERAL,
        },
        wrong={
            **reading_errors(
                dx_by, OPTIONS, 2,
                flip="The kernel is flipped. dy[p] w[t] has to be added at the padded position "
                "p·stride + t.",
                stride=STRIDE,
                padding="dx is shifted by the padding: subtract `padding` from the position, or "
                "cut off both sides.",
                front="", border="",
            ),
            "The padding is not removed.": with_padding,
            "The wrong positions are cut off.": tuple(
                cropped(*shift) for shift in product((0, 1, -1), repeat=2) if any(shift)
            ),
            OVERWRITTEN: overwriting(dx_by, LAST_FOR_POSITION, 2, outputs=(ALL, LAST)),
            IMAGES_AVERAGED: lambda dy, **options: dx(dy / len(dy), **options),
            "The kernel's channels are not transposed: dx = dy w[t,s]ᵀ.":
                given(dx, w=lambda w: w.swapaxes(2, 3)),
            "The taps t and s are exchanged.": given(dx, w=lambda w: w.swapaxes(0, 1)),
            "The positions at the end that no window reads are missing. Their gradient is 0.":
                without_leftovers,
        },
        op=as_gradient(correlate, "x"),
        kinds={"x": "linear"},
    ),
    Exercise(
        name="convolution-dw",
        chapter="convolution",
        title="The gradient of a convolution with respect to its kernel",
        task=f"""\
(N, P, Q, K) -> (T, S, C, K)

{LETTERS}

The forward is that of the exercise convolution-dx.
{FORWARD}

dy (N, P, Q, K) is the gradient of a loss with respect to y. Return dw (T, S, C, K), the gradient
with respect to the kernel w. `w_shape` is (T, S, C, K).""",
        hint="""\
w[t,s,c,k] is in every y[n,p,q,k]. Its factor there is the x that this output reads through the tap
(t, s). Loop over the taps.""",
        right=dw,
        returns=("dw",),
        example={
            "dy": np.array([1.0, 10.0]).reshape(1, 1, 2, 1),
            "x": np.array([1.0, 2.0, 3.0]).reshape(1, 1, 3, 1), "w_shape": (1, 2, 1, 1),
            "stride": 1, "padding": 0,
        },
        cases={
            **SIMPLE,
            "stride 2": {
                "x": Shape((1, 5, 6, 1)), "w": Shape((3, 2, 1, 1)), "stride": 2, "padding": 0,
            },
            **GENERAL,
        },
        wrong={
            **reading_errors(
                dw_by, OPTIONS, 2,
                flip="The kernel is flipped. Tap t has to read the padded position p·stride + t.",
                stride=STRIDE,
                padding="The padding is forgotten. In the forward, output p starts at position "
                "p·stride - padding.",
            ),
            OVERWRITTEN: overwriting(dw_by, LAST_OUTPUT_OF_TAP, 2, images=(ALL, LAST)),
            "Only the first image contributes.":
                given(dw, dy=lambda dy: dy[:1], x=lambda x: x[:1]),
            IMAGES_AVERAGED: lambda dy, x, **options: dw(dy / len(x), x, **options),
            "The positions are averaged. Their gradients add up.":
                lambda dy, **options: dw(dy / dy[0, ..., 0].size, **options),
            "The numbers of dy are averaged. Their gradients add up.":
                lambda dy, **options: dw(dy / dy[..., 0].size, **options),
            "The inputs and the outputs are exchanged.":
                lambda **given: dw(**given).swapaxes(2, 3),
            "The taps t and s are exchanged.": lambda **given: dw(**given).swapaxes(0, 1),
        },
        op=as_gradient(correlate, "w"),
        kinds={"w": "linear"},
    ),
]  # fmt: skip
