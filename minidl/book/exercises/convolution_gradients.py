"""Exercises of the chapter about convolution: the gradients."""

import numpy as np

from minidl import ops
from minidl.book.exercises.exercise import Exercise, as_gradient, given, gradient_of
from minidl.proofs import Shape


def correlate(x, w, stride, padding):
    return ops.convolution(x, w, stride=stride, padding=padding)


def dx(dy, w, x_shape, stride, padding):
    return gradient_of(ops.convolution, "dx")(dy, w, x_shape, stride, padding, 1, 1)


def dw(dy, x, w_shape, stride, padding):
    return gradient_of(ops.convolution, "dw")(dy, x, w_shape, stride, padding, 1, 1)


def db(dy):
    return gradient_of(ops.convolution, "db")(dy)


def places(dy, w_shape, step, before, lengths):
    """Yield (p, q, t, s, i, j): output (p, q) reads position (i, j) through tap (t, s)."""
    for p, q, t, s in np.ndindex(*dy.shape[1:3], *w_shape[:2]):
        i, j = p * step + t - before, q * step + s - before
        if 0 <= i < lengths[0] and 0 <= j < lengths[1]:
            yield p, q, t, s, i, j


def scattered(step=None, before=None, adds=True, order=iter):
    """Return a dx with another stride or padding, or one that assigns instead of adding.

    step, before: functions of the stride and of the padding. order: in which the windows assign. A
    loop over the taps assigns in the reversed order.
    """

    def wrong(dy, w, x_shape, stride, padding):
        step_, before_ = (step or int)(stride), (before or int)(padding)
        gradient = np.zeros(x_shape)
        for p, q, t, s, i, j in order([*places(dy, w.shape, step_, before_, x_shape[1:3])]):
            gradient[:, i, j] = dy[:, p, q] @ w[t, s].T + adds * gradient[:, i, j]
        return gradient

    return wrong


def gathered(step=None, before=None):
    """Return a dw with another stride or padding."""

    def wrong(dy, x, w_shape, stride, padding):
        step_, before_ = (step or int)(stride), (before or int)(padding)
        gradient = np.zeros(w_shape)
        for p, q, t, s, i, j in places(dy, w_shape, step_, before_, x.shape[1:3]):
            gradient[t, s] += x[:, i, j].T @ dy[:, p, q]
        return gradient

    return wrong


def with_padding(dy, w, x_shape, stride, padding):
    N, H, W, C = x_shape
    return dx(dy, w, (N, H + 2 * padding, W + 2 * padding, C), stride, 0)


def cut_at_the_end(dy, w, x_shape, stride, padding):
    _, H, W, _ = x_shape
    return with_padding(dy, w, x_shape, stride, padding)[:, :H, :W]


def without_leftovers(dy, w, x_shape, stride, padding):
    """Only the positions that the windows reach, as if the size of x followed from that of dy."""
    reached = [
        min(L, (n - 1) * stride + T - padding)
        for L, n, T in zip(x_shape[1:3], dy.shape[1:3], w.shape[:2], strict=True)
    ]
    return dx(dy, w, x_shape, stride, padding)[:, : reached[0], : reached[1]]


EXERCISES = [
    Exercise(
        name="convolution-db",
        chapter="convolution",
        title="The gradient of the bias",
        task="""\
(N, P, Q, K) -> (K,)

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
            "The sum over the positions is missing.": lambda dy: dy.sum(axis=0),
            "The sum over the images is missing.": lambda dy: dy.sum(axis=(1, 2)),
            "Only the first image is summed.": lambda dy: dy[0].sum(axis=(0, 1)),
            "The sum runs over the channels too.": lambda dy: dy.sum(),
        },
        op=as_gradient(lambda y, b: y + b, "b"),
        kinds={"b": "linear"},
    ),
    Exercise(
        name="convolution-dx",
        chapter="convolution",
        title="The gradient of a convolution with respect to its input",
        task="""\
(N, P, Q, K) -> (N, H, W, C)

The forward is a convolution of x (N, H, W, C) with the kernel w (T, S, C, K). x is padded with
zeros, `padding` positions on each side of H and of W. The kernel moves in steps of `stride`:

    y[n,p,q,k] = Σ_t Σ_s Σ_c x[n, p·stride + t - padding, q·stride + s - padding, c] w[t,s,c,k]

dy (N, P, Q, K) is the gradient of a loss with respect to y. Return dx (N, H, W, C), the gradient
with respect to x. x_shape is (N, H, W, C). The stride may leave positions at the end of x that no
window reads. Their gradient is 0.""",
        hint="""\
Begin with zeros in the shape of the padded x. Loop over the taps (t, s). The outputs read one slice
of the padded x through this tap, with a step. Add dy times the transposed w[t, s] to this slice. At
the end, cut the padding off.""",
        right=dx,
        returns=("dx",),
        example={
            "dy": np.array([1.0, 2.0]).reshape(1, 1, 2, 1),
            "w": np.array([10.0, 1.0]).reshape(1, 2, 1, 1), "x_shape": (1, 1, 3, 1), "stride": 1,
            "padding": 0,
        },
        cases={
            "one channel, stride 1, no padding": {
                "x": Shape((1, 3, 4, 1)), "w": Shape((2, 3, 1, 1)), "stride": 1, "padding": 0,
            },
            "2 inputs and 2 outputs": {
                "x": Shape((1, 3, 3, 2)), "w": Shape((2, 2, 2, 2)), "stride": 1, "padding": 0,
            },
            "2 images, 3 inputs and 2 outputs": {
                "x": Shape((2, 3, 3, 3)), "w": Shape((2, 2, 3, 2)), "stride": 1, "padding": 0,
            },
            "padding 1": {
                "x": Shape((1, 3, 3, 1)), "w": Shape((3, 3, 1, 1)), "stride": 1, "padding": 1,
            },
            "stride 2": {
                "x": Shape((1, 4, 6, 1)), "w": Shape((2, 2, 1, 1)), "stride": 2, "padding": 0,
            },
            "stride 2 and overlapping windows": {
                "x": Shape((1, 5, 5, 1)), "w": Shape((3, 3, 1, 1)), "stride": 2, "padding": 0,
            },
            "stride 2 with positions left over": {
                "x": Shape((1, 6, 6, 1)), "w": Shape((3, 3, 1, 1)), "stride": 2, "padding": 0,
            },
            "stride 2, padding 1, 2 images, 2 inputs and 3 outputs": {
                "x": Shape((2, 4, 5, 2)), "w": Shape((3, 3, 2, 3)), "stride": 2, "padding": 1,
            },
        },
        wrong={
            "The kernel is flipped: dy[p] w[t] belongs to the padded position p·stride + t.":
                given(dx, w=lambda w: w[::-1, ::-1]),
            "The stride is forgotten: output p began to read at p·stride - padding.":
                scattered(step=lambda stride: 1),
            "The padding is not removed.": with_padding,
            "The padding is removed at the end only. It is there on both sides.": cut_at_the_end,
            "The padding is off by one.": scattered(before=lambda padding: padding + 1),
            "Overlapping windows overwrite each other. Their contributions add up.":
                scattered(adds=False),
            "The taps overwrite each other. Their contributions add up.":
                scattered(adds=False, order=reversed),
            "The kernel's channels are not transposed: dx = dy w[t,s]ᵀ.":
                given(dx, w=lambda w: w.swapaxes(2, 3)),
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
        task="""\
(N, P, Q, K) -> (T, S, C, K)

The forward is that of the exercise convolution-dx:

    y[n,p,q,k] = Σ_t Σ_s Σ_c x[n, p·stride + t - padding, q·stride + s - padding, c] w[t,s,c,k]

dy (N, P, Q, K) is the gradient of a loss with respect to y. Return dw (T, S, C, K), the gradient
with respect to the kernel w. w_shape is (T, S, C, K).""",
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
            "one channel, stride 1, no padding": {
                "x": Shape((1, 3, 4, 1)), "w": Shape((2, 3, 1, 1)), "stride": 1, "padding": 0,
            },
            "2 inputs and 2 outputs": {
                "x": Shape((1, 3, 3, 2)), "w": Shape((2, 2, 2, 2)), "stride": 1, "padding": 0,
            },
            "2 images, 3 inputs and 2 outputs": {
                "x": Shape((2, 3, 3, 3)), "w": Shape((2, 2, 3, 2)), "stride": 1, "padding": 0,
            },
            "padding 1": {
                "x": Shape((1, 3, 3, 1)), "w": Shape((3, 3, 1, 1)), "stride": 1, "padding": 1,
            },
            "stride 2": {
                "x": Shape((1, 5, 6, 1)), "w": Shape((3, 2, 1, 1)), "stride": 2, "padding": 0,
            },
            "stride 2, padding 1, 2 images, 2 inputs and 3 outputs": {
                "x": Shape((2, 4, 5, 2)), "w": Shape((3, 3, 2, 3)), "stride": 2, "padding": 1,
            },
        },
        wrong={
            "The kernel is flipped: tap t reads the padded position p·stride + t.":
                lambda **given: dw(**given)[::-1, ::-1],
            "The stride is forgotten: output p begins to read at p·stride - padding.":
                gathered(step=lambda stride: 1),
            "The padding is forgotten: output p begins to read at p·stride - padding.":
                gathered(before=lambda padding: 0),
            "Only the first image contributes.":
                given(dw, dy=lambda dy: dy[:1], x=lambda x: x[:1]),
            "The images are averaged. Their gradients add up.":
                lambda dy, x, **options: dw(dy / len(x), x, **options),
            "The inputs and the outputs are exchanged.":
                lambda **given: dw(**given).swapaxes(2, 3),
        },
        op=as_gradient(correlate, "w"),
        kinds={"w": "linear"},
    ),
]  # fmt: skip
