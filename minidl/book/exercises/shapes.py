"""Exercises of the chapter about arrays and shapes."""

import numpy as np

from minidl import ops
from minidl.book.exercises.exercise import Exercise, as_forward, given
from minidl.losses import gram
from minidl.proofs import Shape
from minidl.shapes import windows_over


def outputs(length, window, stride, padding, dilation):
    [out] = windows_over((length,), window, stride, padding, dilation).out
    return out


def steps(length, window, stride, padding, dilation):
    """How far the first window is from the end, in strides."""
    return (length + 2 * padding - dilation * (window - 1) - 1) / stride


def over(reach):
    """Return the number of positions of a window that covers reach(window, dilation) positions."""

    def wrong(length, window, stride, padding, dilation):
        return (length + 2 * padding - reach(window, dilation)) // stride + 1

    return wrong


def unroll(features):
    return gram.unroll(ops.transpose(features, (0, 2, 3, 1)))


def unroll_dfeatures(dy, features_shape):
    N, C, H, W = features_shape
    return ops.transpose(ops.reshape(dy, (N, H, W, C)), (0, 3, 1, 2))


def reordered(axes):
    """Return an unrolling that brings the axes into another order."""

    def wrong(features):
        N, C, H, W = features.shape
        return features.transpose(axes).reshape(N, H * W, C)

    return wrong


def to_rows(row, pixel=lambda h, w: (h, w)):
    """Return an unrolling in loops, with another row(h, w, H, W) of each pixel(h, w)."""

    def wrong(features):
        N, C, H, W = features.shape
        y = np.zeros((N, H * W, C))
        for h, w in np.ndindex(H, W):
            y[:, row(h, w, H, W)] = features[(..., *pixel(h, w))]
        return y

    return wrong


PLAIN = {"stride": 1, "padding": 0, "dilation": 1}

EXERCISES = [
    Exercise(
        name="window-outputs",
        chapter="shapes",
        title="The number of positions of a window",
        task="""\
A window of `window` taps moves over an axis of `length` positions in steps of `stride`. The axis
is padded with `padding` positions before and as many after. Neighbouring taps are `dilation`
positions apart. The window has to lie within the axis and its padding.

Return the number of positions that the window takes, an integer.""",
        hint="""\
Count the positions from the first tap to the last. How many steps can the first window make until
it reaches the end? There is one position more than there are steps.""",
        right=outputs,
        returns=("out",),
        example={"length": 6, "window": 3, **PLAIN},
        cases={
            "stride 1": {"length": 9, "window": 2, **PLAIN},
            "a window as long as the axis": {"length": 4, "window": 4, **PLAIN},
            "stride 2": {**PLAIN, "length": 9, "window": 3, "stride": 2},
            "stride 2 with a position left over": {**PLAIN, "length": 10, "window": 3, "stride": 2},
            "stride 3": {**PLAIN, "length": 10, "window": 3, "stride": 3},
            "padding 1": {**PLAIN, "length": 5, "window": 3, "padding": 1},
            "dilation 2": {**PLAIN, "length": 9, "window": 3, "dilation": 2},
            "stride 2, padding 3, dilation 3": {
                "length": 12, "window": 4, "stride": 2, "padding": 3, "dilation": 3,
            },
        },
        wrong={
            "The padding is counted once: it is there both before and after the axis.":
                lambda length, window, stride, padding, dilation:
                    outputs(length + padding, window, stride, 0, dilation),
            "The padding is ignored.": given(outputs, padding=lambda padding: 0),
            "The dilation is ignored: the taps reach over dilation·(window - 1) + 1 positions.":
                given(outputs, dilation=lambda dilation: 1),
            "The reach is wrong: a window covers dilation·(window - 1) + 1 positions.": (
                over(lambda window, dilation: dilation * (window - 1)),
                over(lambda window, dilation: dilation * window),
                over(lambda window, dilation: dilation * window + 1),
                over(lambda window, dilation: window - 1),
            ),
            "There is one position too many: there is one more than steps, and not two.":
                lambda **options: outputs(**options) + 1,
            "The stride is ignored.": given(outputs, stride=lambda stride: 1),
            "The steps are counted, and not the positions: there is one position more.":
                lambda **options: int(steps(**options)),
            "The number of steps is rounded up: the last window would reach past the end.":
                lambda **options: int(np.ceil(steps(**options))) + 1,
        },
    ),
    Exercise(
        name="unroll",
        chapter="shapes",
        title="A feature map as a matrix",
        task="""\
(N, C, H, W) -> (N, H·W, C)

Another program hands over features with the channels before the positions. Unroll them: the result
has one row for each position, which contains the channels of this position. The position (h, w) of
image n becomes row h·W + w:

    y[n, h·W + w, c] = features[n,c,h,w]""",
        hint="""\
A reshape keeps the order of the numbers in memory. Which order do the axes need before it?""",
        right=unroll,
        returns=("y",),
        example={"features": np.arange(8.0).reshape(1, 2, 2, 2)},
        cases={
            "one channel": {"features": Shape((1, 1, 2, 3))},
            "2 channels of 3x3 positions": {"features": Shape((1, 2, 3, 3))},
            "2 images, 3 channels of 2x4 positions": {"features": Shape((2, 3, 2, 4))},
        },
        wrong={
            "The array is reshaped without a transpose. This mixes positions and channels.":
                reordered((0, 1, 2, 3)),
            "The positions are in the wrong order: they have to follow each other along W first.":
                (
                    reordered((0, 3, 2, 1)), to_rows(lambda h, w, H, W: w * H + h),
                    to_rows(lambda h, w, H, W: h * W + w, lambda h, w: (w, h)),
                ),
            "The factor is wrong: the position (h, w) becomes row h·W + w, with the width W.": (
                to_rows(lambda h, w, H, W: h * H + w),
                to_rows(lambda h, w, H, W: h * (W - 1) + w),
            ),
            "The channels are still before the positions.":
                lambda features: features.reshape(*features.shape[:2], -1),
        },
        op=as_forward(dfeatures=unroll_dfeatures),
        kinds={"features": "linear"},
    ),
]  # fmt: skip
