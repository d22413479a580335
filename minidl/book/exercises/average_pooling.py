"""Exercises of the chapter about pooling: average-pooling."""

import numpy as np

from minidl import ops
from minidl.book.exercises.exercise import Exercise, as_gradient, gradient_of
from minidl.book.exercises.pooling import square
from minidl.book.exercises.reading import read_by, reading_errors, right
from minidl.book.exercises.sentences import IMAGES_AVERAGED
from minidl.ops.pooling import windows_of
from minidl.proofs import Shape


def avg_pool(x, window, stride, padding):
    return ops.avg_pool(x, window, stride=stride, padding=padding, count_padding=False)


def avg_pool_dx(dy, x_shape, window, stride, padding):
    options = {"stride": stride, "padding": padding, "ceil": False, "count_padding": False}
    return gradient_of(ops.avg_pool, "dx")(dy, x_shape, window, **options)


def padding_counted(dy, x_shape, window, stride, padding):
    return gradient_of(ops.avg_pool, "dx")(dy, x_shape, window, stride, padding, False, True)


def avg_pool_dx_by(*rules, count=lambda rows, columns, window: rows * columns):
    """Return a gradient of average-pooling whose windows read other positions.

    count: (rows, columns, window) -> n(p,q), from the numbers of rows and columns within x.
    """

    def wrong(dy, x_shape, window, stride, padding):
        along = square(x_shape[1:3], window, stride, padding)
        reads = read_by(rules or (right, right), along)
        rows, columns = (each.sum(axis=(1, 2)) for each in reads)
        n = np.broadcast_to(count(rows[:, None], columns, window), dy.shape[1:3])
        return np.einsum("npqc,pti,qsj->nijc", dy / np.maximum(n, 1)[..., None], *reads)

    return wrong


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
            **reading_errors(
                avg_pool_dx_by, ["stride", "padding"], 2, flip="", taps="", border="", front="",
                padding="dx is shifted by the padding: subtract `padding` from the position.",
            ),
            "n(p,q) is wrong: it is the number of rows times the number of columns.": (
                avg_pool_dx_by(count=lambda rows, columns, window: rows),
                avg_pool_dx_by(count=lambda rows, columns, window: columns),
                avg_pool_dx_by(count=lambda rows, columns, window: rows + columns),
                avg_pool_dx_by(count=lambda rows, columns, window: window),
            ),
            IMAGES_AVERAGED: lambda dy, **options: avg_pool_dx(dy / len(dy), **options),
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
