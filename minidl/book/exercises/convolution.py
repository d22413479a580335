"""Exercises of the chapter about convolution: the forward."""

import numpy as np

from minidl import ops
from minidl.book.exercises.exercise import Exercise, as_forward, given, gradient_of
from minidl.book.exercises.groups import (
    FIRST_GROUP,
    GROUPS_INTERLEAVED,
    INTERLEAVED,
    whole_kernel,
)
from minidl.book.exercises.reading import (
    LAST_TAP_OF_OUTPUT,
    Axis,
    overwriting,
    reading_errors,
    right,
    summed,
    where,
)
from minidl.book.exercises.sentences import OVERWRITTEN
from minidl.proofs import Shape

ALL, LAST = slice(None), slice(-1, None)
AVERAGED = (
    "The sum is divided by T, the number of taps. The products add up; they are not averaged."
)


def convolution_1d(x, w, padding):
    return ops.convolution(x, w, padding=padding)


def dx_1d(dy, w, x_shape, padding):
    return gradient_of(ops.convolution, "dx")(dy, w, x_shape, 1, padding, 1, 1)


def by_1d(rule, channels=ALL):
    """Return the convolution whose outputs read other positions, or some of the channels."""

    def wrong(x, w, padding):
        outputs = x.shape[1] + 2 * padding - len(w) + 1
        axis = Axis(outputs, len(w), x.shape[1], before=padding, after=padding)
        return summed("y", [rule(axis)], x=x[..., channels], w=w[:, channels])

    return wrong


def convolution_options(x, w, b, stride, padding, dilation, groups):
    options = {"stride": stride, "dilation": dilation, "groups": groups}
    return ops.convolution(x, w, b, padding=(padding,), **options)


def dx_options(dy, w, x_shape, stride, padding, dilation, groups):
    return gradient_of(ops.convolution, "dx")(dy, w, x_shape, stride, (padding,), dilation, groups)


def once(reads, w):
    return 1


def never(reads, w):
    return 0


def where_nothing_is_read(reads, w):
    return taps_inside(reads, w) == 0


def taps_inside(reads, w):
    """(P, 1): the number of taps of each output that are not in the padding"""
    return reads.sum(axis=(1, 2))[:, None]


def every_tap(reads, w):
    return len(w)


def every_term(reads, w):
    return len(w) * w.shape[1]


def terms_inside(reads, w):
    return taps_inside(reads, w) * w.shape[1]


def by_options(rule=right, grouping=None, inputs=ALL, biases=once):
    """Return the convolution with an error.

    rule: of the positions. grouping: options of `whole_kernel`. inputs: those of each group that
    count. biases: (reads, w) -> how often the bias is added to each output.
    """

    def wrong(x, w, b, stride, padding, dilation, groups):
        L, T, (before, after) = x.shape[1], len(w), padding
        outputs = (L + before + after - dilation * (T - 1) - 1) // stride + 1
        reads = rule(Axis(outputs, T, L, stride, before, after, dilation))
        used = np.zeros(w.shape)
        used[:, inputs] = w[:, inputs]
        y = summed("y", [reads], x=x, w=whole_kernel(used, groups, **(grouping or {})))
        return y + b * biases(reads, w)

    return wrong


TEXT_OF_GROUPS = """\
With C input and K output channels, group g reads the input channels g·C/groups to
(g+1)·C/groups - 1, and computes the output channels g·K/groups to (g+1)·K/groups - 1."""
PLAIN = {"stride": 1, "padding": (0, 0), "dilation": 1, "groups": 1}
TWO = {"x": Shape((1, 8, 2)), "w": Shape((2, 2, 2)), "b": Shape((2,))}

EXERCISES = [
    Exercise(
        name="convolution-1d",
        chapter="convolution",
        title="A convolution in one dimension",
        task="""\
(N, L, C), (T, C, K) -> (N, P, K)

There are N signals of length L, C input channels, T taps, P output positions and K output channels.

x is padded with zeros, `padding` positions before each signal and as many after. Output o reads
position i of x through tap t of the kernel w:

    y[n,o,k] = Σ_t Σ_c x[n,i,c] w[t,c,k]
    i = o + t - padding

Therefore P = L + 2·padding - T + 1. As everywhere in deep learning, the kernel is not flipped.
Return y.""",
        hint="""\
Pad x first. Then loop over the taps t: the positions that all outputs read through tap t are one
slice of the padded x.""",
        right=convolution_1d,
        returns=("y",),
        example={
            "x": np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 4, 1),
            "w": np.array([10.0, 1.0]).reshape(2, 1, 1), "padding": 0,
        },
        cases={
            "one channel": {"x": Shape((1, 5, 1)), "w": Shape((3, 1, 1)), "padding": 0},
            "2 inputs and 3 outputs": {"x": Shape((1, 5, 2)), "w": Shape((3, 2, 3)), "padding": 0},
            "padding 1": {"x": Shape((1, 4, 1)), "w": Shape((3, 1, 1)), "padding": 1},
            "an even kernel with padding 2": {
                "x": Shape((1, 4, 1)), "w": Shape((4, 1, 1)), "padding": 2,
            },
            "2 signals with all of this": {
                "x": Shape((2, 6, 3)), "w": Shape((3, 3, 2)), "padding": 2,
            },
        },
        wrong={
            **reading_errors(
                by_1d, ["padding"],
                flip="The kernel is flipped. Tap t has to read the padded position o + t.",
                padding="The padding is only behind the input. It is there on both sides.",
                front="The padding is only in front of the input. It is there on both sides.",
            ),
            "The padding is ignored.": given(convolution_1d, padding=lambda padding: 0),
            OVERWRITTEN: overwriting(by_1d, LAST_TAP_OF_OUTPUT, channels=(ALL, LAST)),
            AVERAGED: given(convolution_1d, w=lambda w: w / len(w)),
            "Only the first input channel is read. The sum runs over all of them.":
                lambda x, w, padding: convolution_1d(x[..., :1], w[:, :1], padding),
        },
        op=as_forward(dx=dx_1d),
        kinds={"x": "linear"},
    ),
    Exercise(
        name="convolution-options",
        chapter="convolution",
        title="A convolution with stride, padding, dilation and groups",
        task=f"""\
(N, L, C), (T, C / groups, K), (K,) -> (N, P, K)

There are N signals of length L, C input channels, T taps, P output positions and K output channels.

`padding` is the pair `(before, after)`: the numbers of zeros before and after each signal. Output o
reads position i of x through tap t of the kernel w:

    y[n,o,k] = b[k] + Σ_t Σ_c x[n,i,c] w[t,c,k]
    i = o·stride + t·dilation - before

Therefore `P = (L + before + after - dilation*(T - 1) - 1) // stride + 1`.

{TEXT_OF_GROUPS}
c is the index within the group: c = 0 is the first input channel of the group of k. Return y.""",
        hint="""\
Through tap t, the outputs read the padded positions t·dilation, t·dilation + stride, ...: a slice
with a step. Handle each group as a convolution of its own.""",
        right=convolution_options,
        returns=("y",),
        example={
            "x": np.array([[1.0, 5.0], [2.0, 6.0], [3.0, 7.0]]).reshape(1, 3, 2),
            "w": np.array([[10.0, 20.0], [1.0, 2.0]]).reshape(2, 1, 2),
            "b": np.array([100.0, 1000.0]), **PLAIN, "groups": 2,
        },
        cases={
            "no option": {**TWO, **PLAIN},
            "stride 2": {**TWO, **PLAIN, "stride": 2},
            "dilation 2": {**TWO, **PLAIN, "dilation": 2},
            "padding (2, 0)": {**TWO, **PLAIN, "padding": (2, 0)},
            "padding (1, 2)": {**TWO, **PLAIN, "padding": (1, 2)},
            "2 groups": {
                "x": Shape((1, 5, 4)), "w": Shape((2, 2, 6)), "b": Shape((6,)), **PLAIN,
                "groups": 2,
            },
            "all options": {
                "x": Shape((2, 9, 4)), "w": Shape((3, 2, 2)), "b": Shape((2,)), "stride": 2,
                "padding": (1, 2), "dilation": 2, "groups": 2,
            },
        },
        wrong={
            **reading_errors(
                by_options, ["stride", "padding", "dilation"],
                flip="The kernel is flipped. Tap t has to read the padded position "
                "o·stride + t·dilation.",
                padding="The padding is only behind the input.",
            ),
            "The padding before and after are exchanged.":
                by_options(where(before=lambda axis: axis.after)),
            "The padding before is one position too long.":
                by_options(where(before=lambda axis: axis.before + (axis.after > 0))),
            OVERWRITTEN: overwriting(
                by_options, LAST_TAP_OF_OUTPUT, inputs=(ALL, LAST),
                biases=(once, where_nothing_is_read, never),
            ),
            "All groups read the channels of the first one.": by_options(grouping=FIRST_GROUP),
            GROUPS_INTERLEAVED: tuple(by_options(grouping=each) for each in INTERLEAVED),
            "The bias is missing.": by_options(biases=never),
            "The bias is added more than once.": tuple(
                by_options(biases=lambda reads, w, often=often, more=more: often(reads, w) + more)
                for often in (every_tap, taps_inside, every_term, terms_inside) for more in (0, 1)
            ),
            AVERAGED: given(convolution_options, w=lambda w: w / len(w)),
        },
        op=as_forward(dx=dx_options),
        kinds={"x": "linear"},
    ),
]  # fmt: skip
