"""Exercises of the chapter about pooling."""

import numpy as np

from minidl import ops
from minidl.book.exercises.exercise import Exercise, as_forward, as_gradient, given, gradient_of
from minidl.ops.pooling import windows_of
from minidl.proofs import Shape


def max_pool(x, window, stride, padding):
    return ops.max_pool(x, window, stride=stride, padding=padding)


def max_pool_backward(dy, x, y, window, stride, padding):
    return gradient_of(ops.max_pool, "dx")(dy, x, y, window, stride, padding, 1, False)


def of_padding(value):
    """Return a max-pooling with another number in the padding."""

    def wrong(x, window, stride, padding):
        p = (padding, padding)
        return max_pool(np.pad(x, ((0, 0), p, p, (0, 0)), constant_values=value), window, stride, 0)

    return wrong


def max_pool_dx(dy, x, window, stride):
    return max_pool_backward(dy, x, max_pool(x, window, stride, 0), window, stride, 0)


def shared(winners, adds=True, order=iter):
    """Return a gradient of max-pooling with another rule.

    winners: bools (taps, ...), which tap has the maximum -> the share of each tap. adds: whether
    the shares of overlapping windows are added. order: of the taps. A loop over the windows assigns
    in the reversed order.
    """

    def wrong(dy, x, window, stride):
        windows, y = (
            windows_of(x.shape, window, stride, 0, 1, False),
            max_pool(x, window, stride, 0),
        )
        taps, dx = [*windows.taps], np.zeros(x.shape)
        shares = winners(np.array([x[windows.under(t)] == y for t in taps]))
        for t, share in order([*zip(taps, shares, strict=True)]):
            under = windows.under(t)
            dx[under] = dy * share + dx[under] if adds else np.where(share > 0, dy, dx[under])
        return dx

    return wrong


def first(equal):
    return equal & (np.cumsum(equal, axis=0) == 1)


def last(equal):
    return first(equal[::-1])[::-1]


def avg_pool(x, window, stride, padding):
    return ops.avg_pool(x, window, stride=stride, padding=padding, count_padding=False)


def avg_pool_dx(dy, x_shape, window, stride, padding):
    options = {"stride": stride, "padding": padding, "ceil": False, "count_padding": False}
    return gradient_of(ops.avg_pool, "dx")(dy, x_shape, window, **options)


def padding_counted(dy, x_shape, window, stride, padding):
    return gradient_of(ops.avg_pool, "dx")(dy, x_shape, window, stride, padding, False, True)


def with_padding(dy, x_shape, window, stride, padding):
    """The padding is counted, and not removed."""
    N, H, W, C = x_shape
    padded = (N, H + 2 * padding, W + 2 * padding, C)
    return padding_counted(dy, padded, window, stride, 0)


def undivided(dy, x_shape, window, stride, padding):
    return padding_counted(dy, x_shape, window, stride, padding) * window**2


def overwritten(order):
    """Return a gradient of average-pooling that assigns instead of adding. order: of the taps."""

    def wrong(dy, x_shape, window, stride, padding):
        windows = windows_of(x_shape, window, stride, padding, 1, False)
        dx = np.zeros((x_shape[0], *windows.padded, x_shape[-1]))
        rows, columns = (np.array(taps) for taps in windows.taps_inside())
        for t in order([*windows.taps]):
            dx[windows.under(t)] = dy / (rows[:, None] * columns)[..., None]
        return windows.unpad(dx)

    return wrong


EXERCISES = [
    Exercise(
        name="max-pool",
        chapter="pooling",
        title="Max-pooling with padding",
        task="""\
(N, H, W, C) -> (N, P, Q, C)

A square window of `window` times `window` positions moves over x in steps of `stride`. x has
`padding` positions of padding on each side of H and of W. y is the largest number of each window:

    y[n,p,q,c] = max_t max_s x[n, p·stride + t - padding, q·stride + s - padding, c]

A position in the padding never has the maximum, whatever the numbers of x are. P and Q are as large
as windows fit. Return y.""",
        hint="""\
Which number is smaller than all others? np.full makes an array of it. np.maximum compares two
arrays number by number.""",
        right=max_pool,
        returns=("y",),
        example={
            "x": np.array([[1.0, 3.0], [2.0, 5.0]]).reshape(1, 2, 2, 1), "window": 2, "stride": 2,
            "padding": 0,
        },
        cases={
            "windows side by side": {
                "x": Shape((1, 4, 4, 1)), "window": 2, "stride": 2, "padding": 0,
            },
            "2 images with 3 channels": {
                "x": Shape((2, 2, 4, 3)), "window": 2, "stride": 2, "padding": 0,
            },
            "overlapping windows": {
                "x": Shape((1, 4, 4, 1)), "window": 3, "stride": 1, "padding": 0,
            },
            "positions left over": {
                "x": Shape((1, 5, 6, 1)), "window": 2, "stride": 3, "padding": 0,
            },
            "padding 1": {"x": Shape((1, 3, 4, 2)), "window": 2, "stride": 2, "padding": 1},
        },
        wrong={
            "The padding is 0, which exceeds negative numbers. It has to be minus infinity.":
                of_padding(0.0),
            "The padding is ignored.": given(max_pool, padding=lambda padding: 0),
            "The stride is ignored: the windows lie side by side.":
                lambda x, window, stride, padding: max_pool(x, window, window, padding),
            "The stride is ignored: the windows move by one position.":
                given(max_pool, stride=lambda stride: 1),
            "This is the minimum.": lambda x, window, stride, padding:
                -max_pool(-x, window, stride, padding),
            "This is the mean.": avg_pool,
        },
        op=as_forward(dx=max_pool_backward),
        kinds={"x": "piecewise linear"},
    ),
    Exercise(
        name="max-pool-dx",
        chapter="pooling",
        title="The gradient of max-pooling, with ties",
        task="""\
(N, P, Q, C) -> (N, H, W, C)

The forward is max-pooling of x (N, H, W, C) without padding. The window has `window` times `window`
positions and moves in steps of `stride`:

    y[n,p,q,c] = max_t max_s x[n, p·stride + t, q·stride + s, c]

dy (N, P, Q, C) is the gradient of a loss with respect to y. Return dx (N, H, W, C). y depends only
on the largest number of its window. If several numbers of a window are the largest, the first of
them in row-major order gets the whole gradient.""",
        hint="""\
Loop over the windows, and find the first maximum of each: argmax of the flattened window returns
it. Overlapping windows may have the same maximum.""",
        right=max_pool_dx,
        returns=("dx",),
        example={
            "dy": np.array([7.0]).reshape(1, 1, 1, 1),
            "x": np.array([[1.0, 3.0], [2.0, 5.0]]).reshape(1, 2, 2, 1), "window": 2, "stride": 2,
        },
        cases={
            "windows side by side": {"x": Shape((1, 4, 4, 1)), "window": 2, "stride": 2},
            "2 images with 3 channels": {"x": Shape((2, 2, 4, 3)), "window": 2, "stride": 2},
            "positions left over": {"x": Shape((1, 5, 6, 1)), "window": 2, "stride": 3},
            "overlapping windows": {"x": Shape((1, 5, 5, 1)), "window": 3, "stride": 1},
        },
        special={
            "a tie": {
                "dy": np.array([[1.0, 2.0]]).reshape(1, 1, 2, 1),
                "x": np.array([[3.0, 3.0, 0.0, 1.0], [1.0, 3.0, 4.0, 4.0]]).reshape(1, 2, 4, 1),
                "window": 2, "stride": 2,
            },
            "equal numbers": {
                "dy": np.arange(1.0, 5.0).reshape(1, 2, 2, 1), "x": np.zeros((1, 3, 3, 1)),
                "window": 2, "stride": 1,
            },
        },
        wrong={
            "A tie is counted twice: only the first maximum gets the gradient.":
                shared(lambda equal: equal),
            "A tie goes to the last maximum. The first one gets the gradient.": shared(last),
            "A tie is divided among all maxima. The first one gets the whole gradient.":
                shared(lambda equal: equal / equal.sum(axis=0)),
            "Overlapping windows overwrite each other. Their gradients add up.":
                shared(first, adds=False, order=reversed),
            "The taps overwrite each other. Their gradients add up.": shared(first, adds=False),
            "All numbers of a window share its gradient, as for the mean.":
                shared(lambda equal: np.full(equal.shape, 1 / len(equal))),
            "dy is multiplied by the maximum. The slope of the maximum is 1.":
                lambda dy, x, window, stride:
                    max_pool_dx(dy * max_pool(x, window, stride, 0), x, window, stride),
        },
        op=as_gradient(lambda x, window, stride: max_pool(x, window, stride, 0), "x"),
        kinds={"x": "piecewise linear"},
    ),
    Exercise(
        name="avg-pool-dx",
        chapter="pooling",
        title="The gradient of average-pooling that does not count the padding",
        task="""\
(N, P, Q, C) -> (N, H, W, C)

The forward is average-pooling of x (N, H, W, C). The window has `window` times `window` positions
and moves in steps of `stride`. x has `padding` positions of padding on each side of H and of W. y
is the mean of the numbers of x in a window. The padding is not counted:

    y[n,p,q,c] = 1/n(p,q) Σ_t Σ_s x[n, p·stride + t - padding, q·stride + s - padding, c]

n(p,q) is the number of positions of the window within x. dy (N, P, Q, C) is the gradient of a loss
with respect to y. Return dx (N, H, W, C). x_shape is (N, H, W, C).""",
        hint="""\
n(p,q) is the product of the number of rows and the number of columns of the window within x. Each x
in a window gets dy / n(p,q) from it.""",
        right=avg_pool_dx,
        returns=("dx",),
        example={
            "dy": np.array([8.0]).reshape(1, 1, 1, 1), "x_shape": (1, 2, 2, 1), "window": 2,
            "stride": 2, "padding": 0,
        },
        cases={
            "windows side by side": {
                "x": Shape((1, 4, 4, 1)), "window": 2, "stride": 2, "padding": 0,
            },
            "2 images with 3 channels": {
                "x": Shape((2, 2, 4, 3)), "window": 2, "stride": 2, "padding": 0,
            },
            "positions left over": {
                "x": Shape((1, 5, 6, 1)), "window": 2, "stride": 3, "padding": 0,
            },
            "overlapping windows": {
                "x": Shape((1, 4, 4, 1)), "window": 3, "stride": 1, "padding": 0,
            },
            "padding 1": {"x": Shape((1, 3, 4, 2)), "window": 2, "stride": 2, "padding": 1},
            "padding 1 and overlapping windows": {
                "x": Shape((1, 5, 5, 1)), "window": 3, "stride": 2, "padding": 1,
            },
        },
        wrong={
            "The padding is counted. At the border, n(p,q) is smaller than window².":
                padding_counted,
            "The division by n(p,q) is missing: this is the gradient of a sum.": undivided,
            "The padding is not removed.": with_padding,
            "Overlapping windows overwrite each other. Their gradients add up.":
                overwritten(reversed),
            "The taps overwrite each other. Their gradients add up.": overwritten(iter),
        },
        op=as_gradient(avg_pool, "x"),
        kinds={"x": "linear"},
    ),
]  # fmt: skip
