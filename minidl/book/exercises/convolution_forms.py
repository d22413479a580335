"""Exercises of the chapter about convolution: as a matrix product, and with groups."""

from math import prod

import numpy as np

from minidl import ops
from minidl.book.exercises.convolution import TEXT_OF_GROUPS
from minidl.book.exercises.exercise import Exercise, as_forward, as_gradient, given, gradient_of
from minidl.book.exercises.groups import (
    FIRST_GROUP,
    GROUPS_INTERLEAVED,
    INTERLEAVED,
    whole_kernel,
)
from minidl.book.exercises.reading import (
    LAST_FOR_POSITION,
    Axis,
    axes,
    overwriting,
    read_by,
    reading_errors,
    right,
    summed,
)
from minidl.book.exercises.sentences import OVERWRITTEN
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


def columns_by(*rules, rows=(0, 1, 2), columns=(0, 1, 2)):
    """Return an im2col for other positions, or whose rows (N, P, Q) or columns (T, S, C) have their
    axes in another order."""

    def wrong(x, window, stride, padding):
        outputs = windows_over(x.shape[1:-1], window, stride, padding).out
        along = axes(outputs, window, x.shape[1:-1], stride, padding)
        windows = summed("windows", read_by(rules, along), x=x)
        windows = windows.transpose(*rows, *(3 + i for i in columns))
        return windows.reshape(-1, prod(window) * x.shape[-1])

    return wrong


def rearranged(**orders):
    return columns_by(right, right, **orders)


def padded_everywhere(images):
    """Return an im2col with np.pad(x, padding). images: the number of them that have rows."""

    def wrong(x, window, stride, padding):
        around = (padding, padding)
        padded = np.pad(x, (around, (0, 0), (0, 0), around))
        return im2col(padded[: images(x, padded)], window, stride, padding)

    return wrong


def correlate_groups(x, w, dilation, groups):
    return ops.convolution(x, w, dilation=dilation, groups=groups)


def groups_dx(dy, w, x_shape, dilation, groups):
    return gradient_of(ops.convolution, "dx")(dy, w, x_shape, 1, 0, dilation, groups)


def groups_dx_by(rule=right, grouping=None, last_output=False):
    """Return a dx for other positions or groups.

    grouping: options of `whole_kernel`. last_output: whether only the last of each group counts.
    """

    def wrong(dy, w, x_shape, dilation, groups):
        size = w.shape[-1] // groups
        counts = np.arange(w.shape[-1]) % size == size - 1 if last_output else 1
        axis = Axis(dy.shape[1], len(w), x_shape[1], dilation=dilation)
        kernel = whole_kernel(w * counts, groups, **(grouping or {}))
        return summed("x", [rule(axis)], y=dy, w=kernel)

    return wrong


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

There are N images of height H and width W, C channels, T and S taps along H and W, and P and Q
output positions along them.

`window` is the pair `(T, S)`, the size of a kernel. x is padded with zeros: `padding` rows above
and below, and `padding` columns left and right. The kernel moves in steps of `stride`. Therefore
`P = (H + 2*padding - T) // stride + 1`, and Q likewise with W and S.

Return the matrix that has one row for each image and position of the kernel. The row contains the
numbers that the kernel reads there:

    columns[(n,p,q), (t,s,c)] = x[n,i,j,c]
    i = p·stride + t - padding
    j = q·stride + s - padding

In (n,p,q), q varies fastest, and in (t,s,c), c varies fastest. The convolution with a kernel w is
then the matrix product `columns @ w.reshape(T*S*C, K)`.""",
        hint="""\
Make an array (N, P, Q, T, S, C) first. Fill it tap by tap, with a slice of the padded x. Then
reshape it.""",
        right=im2col,
        returns=("columns",),
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
            **reading_errors(
                columns_by, ["stride", "padding"], 2,
                flip="The kernel is flipped. The first tap has to read the first number of a "
                "window.",
                padding="The padding is only behind the input.",
            ),
            "In each row, the taps vary fastest. The channels have to.":
                rearranged(columns=(2, 0, 1)),
            "In each row, t and s are exchanged.": rearranged(columns=(1, 0, 2)),
            "The rows are in the wrong order: p varies fastest. q has to.":
                rearranged(rows=(0, 2, 1)),
            "The rows are in the wrong order: n varies fastest. q has to.":
                rearranged(rows=(1, 2, 0)),
            "This is the transposed matrix.": lambda **options: im2col(**options).T,
            "The stride is ignored, also in P and Q.": given(im2col, stride=lambda stride: 1),
            "The padding is ignored.": given(im2col, padding=lambda padding: 0),
            "The images and the channels are padded too.": (
                padded_everywhere(lambda x, padded: len(x)),
                padded_everywhere(lambda x, padded: len(padded)),
            ),
            "Only the first channel is read. The row contains all of them.":
                given(im2col, x=lambda x: x[..., :1]),
        },
        op=as_forward(dx=im2col_dx),
        kinds={"x": "linear"},
    ),
    Exercise(
        name="convolution-groups-dx",
        chapter="convolution",
        title="The gradient of a convolution with groups and dilation",
        task=f"""\
(N, P, K) -> (N, L, C)

There are N signals of length L, C input channels, T taps, P output positions and K output channels.

The forward is a convolution of x (N, L, C) with the kernel w (T, C / groups, K), without stride and
padding. P = L - dilation·(T - 1). Output o reads position i of x through tap t:

    y[n,o,k] = Σ_t Σ_c x[n,i,c] w[t,c,k]
    i = o + t·dilation

{TEXT_OF_GROUPS}
k runs over all K; c is the index within the group of k.

dy (N, P, K) is the gradient of a loss with respect to y. Return dx (N, L, C). `x_shape` is
(N, L, C).""",
        hint="""\
Handle each group as a convolution of its own, with the slices of dy, w and dx that belong to it.
w[:, :, k] with the k of group g belongs to it.""",
        right=groups_dx,
        returns=("dx",),
        example={
            "dy": np.array([[1.0, 3.0], [2.0, 4.0]]).reshape(1, 2, 2),
            "w": np.array([[10.0, 20.0], [1.0, 2.0]]).reshape(2, 1, 2), "x_shape": (1, 3, 2),
            "dilation": 1, "groups": 2,
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
            **reading_errors(
                groups_dx_by, ["dilation"],
                flip="The kernel is flipped. dy[o] w[t] has to be added at position "
                "o + t·dilation.",
                dilation="The dilation is ignored. dy[o] w[t] has to be added at position "
                "o + t·dilation.",
            ),
            OVERWRITTEN: overwriting(groups_dx_by, LAST_FOR_POSITION, last_output=(False, True)),
            "All groups go to the channels of the first one.": groups_dx_by(grouping=FIRST_GROUP),
            GROUPS_INTERLEAVED: (
                *(groups_dx_by(grouping=each) for each in INTERLEAVED),
                lambda w, groups, **others: groups_dx(w=mixed(w, groups), groups=groups, **others),
            ),
            "The groups are averaged. Each has channels of its own.":
                lambda dy, groups, **others: groups_dx(dy / groups, groups=groups, **others),
            "All groups read the kernel of the first one.":
                lambda w, groups, **others: groups_dx(
                    w=np.concatenate([w[..., : w.shape[-1] // groups]] * groups, axis=-1),
                    groups=groups, **others,
                ),
        },
        op=as_gradient(correlate_groups, "x"),
        kinds={"x": "linear"},
    ),
]  # fmt: skip
