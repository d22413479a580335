"""Exercises of the chapter about convolution: the forward, and convolution as a matrix product."""

import numpy as np

from minidl import ops
from minidl.book.exercises.exercise import Exercise, as_forward, given, gradient_of
from minidl.proofs import Shape


def convolution_1d(x, w, padding):
    return ops.convolution(x, w, padding=padding)


def dx_1d(dy, w, x_shape, padding):
    return gradient_of(ops.convolution, "dx")(dy, w, x_shape, 1, padding, 1, 1)


def convolution_options(x, w, b, stride, padding, dilation, groups):
    options = {"stride": stride, "dilation": dilation, "groups": groups}
    return ops.convolution(x, w, b, padding=(padding,), **options)


def dx_options(dy, w, x_shape, stride, padding, dilation, groups):
    return gradient_of(ops.convolution, "dx")(dy, w, x_shape, stride, (padding,), dilation, groups)


def of_other_windows(**changes):
    """Return the convolution with other options, cut or filled up with zeros to the right length.

    changes: {option: function of all arguments that returns another value}.
    """

    def wrong(**given):
        out = convolution_options(**given).shape[1]
        options = {name: change(given) for name, change in changes.items()}
        y = convolution_options(**{**given, **options})[:, :out]
        return np.pad(y, ((0, 0), (0, out - y.shape[1]), (0, 0)))

    return wrong


def of_first_group(x, w, b, groups, **options):
    """All outputs read the channels of the first group."""
    x = np.concatenate([x[..., : w.shape[1]]] * groups, axis=-1)
    return convolution_options(x, w, b, groups=groups, **options)


def interleaved(x, w, b, groups, **options):
    """Channel c belongs to the group c % groups instead of c // (channels of a group)."""
    x = np.concatenate([x[..., g::groups] for g in range(groups)], axis=-1)
    return convolution_options(x, w, b, groups=groups, **options)


def flipped(w):
    return w[::-1]


PLAIN = {"stride": 1, "padding": (0, 0), "dilation": 1, "groups": 1}
TWO = {"x": Shape((1, 8, 2)), "w": Shape((2, 2, 2)), "b": Shape((2,))}

EXERCISES = [
    Exercise(
        name="convolution-1d",
        chapter="convolution",
        title="A convolution in one dimension",
        task="""\
(N, L, C), (T, C, K) -> (N, L + 2·padding - T + 1, K)

x contains N signals of length L with C channels. It is padded with zeros, `padding` positions
before and as many after. The kernel w has T taps, C inputs and K outputs:

    y[n,o,k] = Σ_t Σ_c x[n, o + t - padding, c] w[t,c,k]

As everywhere in deep learning, the kernel is not flipped. Return y.""",
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
            "The kernel is flipped: tap t reads the padded position o + t.":
                given(convolution_1d, w=flipped),
            "The padding is all behind the input. It is there on both sides.":
                lambda x, w, padding: convolution_1d(x, w, ((0, 2 * padding),)),
            "The padding is all before the input. It is there on both sides.":
                lambda x, w, padding: convolution_1d(x, w, ((2 * padding, 0),)),
            "The padding is ignored.": given(convolution_1d, padding=lambda padding: 0),
            "Only the first input channel is read. The sum runs over all of them.":
                lambda x, w, padding: convolution_1d(x[..., :1], w[:, :1], padding),
            "The padding repeats the border. It is 0.":
                lambda x, w, padding: convolution_1d(
                    np.pad(x, ((0, 0), (padding, padding), (0, 0)), "edge"), w, 0
                ),
        },
        op=as_forward(dx=dx_1d),
        kinds={"x": "linear"},
    ),
    Exercise(
        name="convolution-options",
        chapter="convolution",
        title="A convolution with stride, padding, dilation and groups",
        task="""\
(N, L, C), (T, C / groups, K), (K,) -> (N, P, K)

x contains N signals of length L with C channels. padding = (before, after) is the number of zeros
before and after each signal. P = (L + before + after - dilation·(T - 1) - 1) // stride + 1.

    y[n,o,k] = b[k] + Σ_t Σ_c x[n, o·stride + t·dilation - before, c] w[t,c,k]

The channels of x and of y are divided into `groups` groups of neighbours. The channels of y in a
group read the channels of x in the same group only, and c counts these. Return y.""",
        hint="""\
Through tap t, the outputs read the padded positions t·dilation, t·dilation + stride, ...: a slice
with a step. Handle each group as a convolution of its own.""",
        right=convolution_options,
        returns=("y",),
        example={
            "x": np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 4, 1),
            "w": np.array([10.0, 1.0]).reshape(2, 1, 1), "b": np.array([100.0]), **PLAIN,
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
            "The kernel is flipped: tap t reads the padded position o·stride + t·dilation.":
                given(convolution_options, w=flipped),
            "The stride is ignored.": of_other_windows(stride=lambda given: 1),
            "The dilation is ignored.": of_other_windows(dilation=lambda given: 1),
            "The stride is used as the dilation as well.":
                of_other_windows(dilation=lambda given: given["stride"] * given["dilation"]),
            "The padding before and after are exchanged.":
                of_other_windows(padding=lambda given: given["padding"][::-1]),
            "The padding before is one position too long.":
                of_other_windows(padding=lambda given: (
                    (given["padding"][0] + 1, given["padding"][1] - 1) if given["padding"][1]
                    else given["padding"]
                )),
            "The padding is only behind the input.":
                of_other_windows(padding=lambda given: (0, sum(given["padding"]))),
            "All groups read the channels of the first one.": of_first_group,
            "The groups do not consist of neighbouring channels.": interleaved,
            "The bias is missing.": given(convolution_options, b=np.zeros_like),
        },
        op=as_forward(dx=dx_options),
        kinds={"x": "linear"},
    ),
]  # fmt: skip
