"""Exercises of the chapter about pooling: max-pooling."""

import numpy as np

from minidl import ops
from minidl.book.exercises.exercise import Exercise, as_forward, as_gradient, given, gradient_of
from minidl.book.exercises.reading import (
    LAST_TAP_OF_OUTPUT,
    axes,
    overwriting,
    read_by,
    reading_errors,
    right,
    summed,
    where,
)
from minidl.book.exercises.sentences import IMAGES_AVERAGED, UNUSED_DY
from minidl.ops.pooling import windows_of
from minidl.proofs import Shape
from minidl.shapes import windows_over


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


def square(lengths, window, stride, padding):
    """Return the axes of a square window."""
    outputs = windows_over(lengths, window, stride, padding).out
    return axes(outputs, (window, window), lengths, stride, padding)


def max_pool_by(*rules):
    """Return a max-pooling whose windows read other positions."""

    def wrong(x, window, stride, padding):
        along = square(x.shape[1:3], window, stride, padding)
        reads = read_by(rules, along)
        inside = np.einsum("pti,qsj->pqts", *reads)[..., None] > 0
        return np.where(inside, summed("windows", reads, x=x), -np.inf).max(axis=(3, 4))

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


def max_pool_dx_by(*rules, to=None, turned=False):
    """Return a gradient of max-pooling whose windows read other positions.

    to: the rule of the positions that get the gradient, if it is another. turned: whether the row
    and the column of the maximum are exchanged.
    """

    def wrong(dy, x, window, stride):
        along = square(x.shape[1:3], window, stride, 0)
        reads = read_by(rules or (right, right), along)
        windows = summed("windows", reads, x=x)
        taps = np.moveaxis(windows.reshape(*dy.shape[:3], window**2, -1), 3, 0)
        winners = np.moveaxis(first(taps == taps.max(axis=0)), 0, 3).reshape(windows.shape)
        winners = winners.swapaxes(3, 4) if turned else winners
        reached = [to(axis) for axis in along] if to else reads
        return np.einsum("npqc,npqtsc,pti,qsj->nijc", dy, winners.astype(float), *reached)

    return wrong


SIDE_BY_SIDE = where(stride=lambda axis: axis.taps)

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
            "padding 1": {"x": Shape((1, 4, 6, 2)), "window": 2, "stride": 2, "padding": 1},
            "padding 1 and overlapping windows": {
                "x": Shape((1, 5, 5, 1)), "window": 3, "stride": 2, "padding": 1,
            },
        },
        wrong={
            **reading_errors(
                max_pool_by, ["stride", "padding"], 2, flip="", taps="", border="",
                padding="The padding is only behind the input.",
            ),
            "The numbers overwrite each other. Keep the larger one, for example with np.maximum.":
                overwriting(max_pool_by, LAST_TAP_OF_OUTPUT, 2),
            "The padding is 0, which exceeds negative numbers. It has to be minus infinity.":
                of_padding(0.0),
            "The padding is ignored.": given(max_pool, padding=lambda padding: 0),
            "The stride is ignored: the windows lie side by side.": (
                lambda x, window, stride, padding: max_pool(x, window, window, padding),
                max_pool_by(SIDE_BY_SIDE, SIDE_BY_SIDE),
            ),
            "The stride is ignored, also in P and Q.": given(max_pool, stride=lambda stride: 1),
            "This is the minimum.": lambda x, window, stride, padding:
                -max_pool(-x, window, stride, padding),
            "This is the mean.": lambda x, window, stride, padding: ops.avg_pool(
                x, window, stride=stride, padding=padding, count_padding=False
            ),
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
            **reading_errors(max_pool_dx_by, ["stride"], 2, flip="", taps=""),
            "The stride is ignored: the windows lie side by side.":
                max_pool_dx_by(SIDE_BY_SIDE, SIDE_BY_SIDE),
            "The row and the column of the maximum are exchanged.": max_pool_dx_by(turned=True),
            "The place in the window is taken for the position. Add p·stride and q·stride.":
                max_pool_dx_by(to=where(stride=lambda axis: 0)),
            "The place of the largest absolute value gets the gradient.": given(max_pool_dx, x=abs),
            "The minimum gets the gradient.": given(max_pool_dx, x=np.negative),
            IMAGES_AVERAGED: lambda dy, **options: max_pool_dx(dy / len(dy), **options),
            UNUSED_DY: given(max_pool_dx, dy=np.ones_like),
            "dy is multiplied by the maximum. The slope of the maximum is 1.":
                lambda dy, x, window, stride:
                    max_pool_dx(dy * max_pool(x, window, stride, 0), x, window, stride),
        },
        op=as_gradient(lambda x, window, stride: max_pool(x, window, stride, 0), "x"),
        kinds={"x": "piecewise linear"},
    ),
]  # fmt: skip
