"""Errors planted in convolution, and in its algorithms."""

import functools
from unittest.mock import patch

import numpy as np

from minidl import ops
from minidl.autograd import differentiable
from minidl.engine import convolution_relu
from minidl.engine.convolution import runs, tiles, winograd
from minidl.proofs.table import by_algorithm
from minidl.shapes import windows_onto, windows_over
from tests import checks
from tests.planted_errors.plant import FORWARD, GRADIENT, SHAPE, Plant, wrong

# ---- convolution ---------------------------------------------------------------------------------


conv = ops.convolution.forward
conv_dx, conv_dw = (ops.convolution.gradients[name] for name in ("dx", "dw"))


def with_geometry(change):
    """Return a convolution of another geometry, with its output cut to the right shape.

    change: Windows -> options of the convolution that are changed.
    """

    def forward(x, w, b=None, *, stride=1, padding=0, dilation=1, groups=1):
        windows = windows_over(x.shape[1:-1], w.shape[:-2], stride, padding, dilation)
        right = {"stride": stride, "padding": windows.padding, "dilation": dilation}
        y = conv(x, w, b, groups=groups, **{**right, **change(windows)})
        return y[(slice(None), *map(slice, windows.out))]

    def unused(dy):
        raise AssertionError("only the forward of this plant is called")

    return differentiable(forward, dx=unused, dw=unused, db=unused)


def later_padding(windows):
    return {"padding": tuple((b + 1, a - 1) if a else (b, a) for b, a in windows.padding)}


def swapped_padding(windows):
    return {"padding": tuple((a, b) for b, a in windows.padding)}


def flipped_dx(dy, w, x_shape, stride, padding, dilation, groups):
    flipped = w[(slice(None, None, -1),) * (w.ndim - 2)]
    return conv_dx(dy, flipped, x_shape, stride, padding, dilation, groups)


def cropped_dx(dy, w, x_shape, stride, padding, dilation, groups):
    dx = conv_dx(dy, w, x_shape, stride, padding, dilation, groups)
    windows = windows_over(x_shape[1:-1], w.shape[:-2], stride, padding, dilation)
    ends = [
        (o - 1) * s + r - before
        for o, s, r, (before, _) in zip(
            windows.out, windows.stride, windows.reach, windows.padding, strict=True
        )
    ]
    return dx[(slice(None), *map(slice, ends))]


def mixed_groups_dx(dy, w, x_shape, stride, padding, dilation, groups):
    mixed = w.reshape(*w.shape[:-1], -1, groups).swapaxes(-1, -2).reshape(w.shape)
    return conv_dx(dy, mixed, x_shape, stride, padding, dilation, groups)


def overwriting_dx(dy, w, x_shape, stride, padding, dilation, groups):
    windows = windows_over(x_shape[1:-1], w.shape[:-2], stride, padding, dilation)
    if groups > 1:
        return conv_dx(dy, w, x_shape, stride, padding, dilation, groups)
    padded = np.zeros((len(dy), *windows.padded, x_shape[-1]), dy.dtype)
    for tap in windows.taps:
        padded[windows.under(tap)] = dy @ w[tap].T
    return windows.unpad(padded)


def greedy_dx(dy, x, w, stride, padding, dilation, groups):
    return conv_dx(dy, w, x.shape, stride, padding, dilation, groups)


def first_image_dw(dy, x, w_shape, stride, padding, dilation, groups):
    return conv_dw(dy[:1], x[:1], w_shape, stride, padding, dilation, groups)


def first_image_db(dy):
    return dy.sum(axis=tuple(range(1, dy.ndim - 1)))[0]


def convolution(**errors):
    return wrong(ops.convolution, **errors)


CONVOLUTIONS = [
    Plant("kernel flipped in dx", "convolution", convolution(dx=flipped_dx), GRADIENT),
    Plant("stride ignored", "convolution", with_geometry(lambda windows: {"stride": 1}), FORWARD),
    Plant("dilation ignored", "convolution", with_geometry(lambda windows: {"dilation": 1}),
          FORWARD),
    Plant("padding off by one", "convolution", with_geometry(later_padding), FORWARD),
    Plant("padding before and after swapped", "convolution", with_geometry(swapped_padding),
          FORWARD),
    Plant("leftovers dropped from dx", "convolution", convolution(dx=cropped_dx), SHAPE),
    Plant("groups mixed up", "convolution", convolution(dx=mixed_groups_dx), GRADIENT),
    Plant("overlaps overwritten in dx", "convolution", convolution(dx=overwriting_dx), GRADIENT),
    Plant("batch not summed in dw", "convolution", convolution(dw=first_image_dw), GRADIENT),
    Plant("bias gradient sums the wrong axes", "convolution", convolution(db=first_image_db),
          GRADIENT),
    Plant("x kept for dx", "convolution", convolution(dx=greedy_dx),
          checks.nothing_is_kept_that_no_wanted_gradient_reads),
]  # fmt: skip


# ---- transposed convolution ----------------------------------------------------------------------


transposed = ops.transposed_convolution.forward
transposed_dx, transposed_dw = (ops.transposed_convolution.gradients[name] for name in ("dx", "dw"))


def flipped(w):
    return w[(slice(None, None, -1),) * (w.ndim - 2)]


@functools.wraps(transposed)
def of_flipped_kernel(x, w, b=None, **options):
    return transposed(x, flipped(w), b, **options)


@functools.wraps(transposed_dx)
def dx_of_flipped_kernel(dy, w, *geometry, **options):
    return transposed_dx(dy, flipped(w), *geometry, **options)


@functools.wraps(transposed)
def with_output_padding_before(x, w, b=None, *, output_padding=0, **options):
    y = transposed(x, w, b, output_padding=output_padding, **options)
    return np.roll(y, output_padding, range(1, y.ndim - 1))


@functools.wraps(transposed)
def of_mixed_groups(x, w, b=None, *, groups=1, **options):
    mixed = w.reshape(*w.shape[:-1], groups, -1).swapaxes(-1, -2).reshape(w.shape)
    return transposed(x, mixed, b, groups=groups, **options)


@functools.wraps(transposed)
def without_stride(x, w, b=None, *, padding=0, output_padding=0, stride=1, **options):
    """Leave the outputs at the end, which the stride would have moved others to, as the bias."""
    geometry = stride, padding, output_padding, options.get("dilation", 1)
    windows = windows_onto(x.shape[1:-1], w.shape[:-2], *geometry)
    close, y = transposed(x, w, b, **options), np.empty((len(x), *windows.extent, len(b)))
    y[...] = b
    for_y = close[
        (
            slice(None),
            *(slice(p, p + n) for p, n in zip(windows.before, windows.extent, strict=True)),
        )
    ]
    y[tuple(map(slice, for_y.shape))] = for_y
    return y


@functools.wraps(transposed_dw)
def dw_of_the_first_image(dy, x, *geometry, **options):
    return transposed_dw(dy[:1], x[:1], *geometry, **options)


def wrong_transposed(forward=None, **errors):
    return wrong(ops.transposed_convolution, forward, **errors)


TRANSPOSED = [
    Plant("kernel flipped", "transposed_convolution", wrong_transposed(of_flipped_kernel), FORWARD),
    Plant("kernel flipped in dx", "transposed_convolution",
          wrong_transposed(dx=dx_of_flipped_kernel), GRADIENT),
    Plant("output padding on the wrong side", "transposed_convolution",
          wrong_transposed(with_output_padding_before), FORWARD),
    Plant("groups mixed up", "transposed_convolution", wrong_transposed(of_mixed_groups), FORWARD),
    Plant("stride ignored", "transposed_convolution", wrong_transposed(without_stride), FORWARD),
    Plant("batch not summed in dw", "transposed_convolution",
          wrong_transposed(dw=dw_of_the_first_image), GRADIENT),
]  # fmt: skip


# ---- convolution by Winograd's F(4, 3) -----------------------------------------------------------


def by_winograd(forward=None, **gradients):
    return by_algorithm("winograd", wrong(ops.convolution, forward, **gradients))


def with_sign(matrix, i, j):
    changed = matrix.copy()
    changed[i, j] *= -1
    return changed


def tiles_too_far_apart(V, count, taken):
    starts = (tiles.TILE + 1) * np.arange(count)
    return V[:, :, np.minimum(starts[:, None] + np.arange(taken), V.shape[2] - 1)]


def without_the_last_tap(matrix):
    return matrix * [1, 1, 0]


wrong_matrix_b = patch.multiple(winograd, B=with_sign(winograd.B, 2, 3))(conv)
wrong_matrix_a = patch.multiple(winograd, A=with_sign(winograd.A, 4, 3))(conv)
wrong_matrix_g = patch.multiple(winograd, G=without_the_last_tap(winograd.G))(conv_dw)
wrong_tiles = patch.multiple(tiles, _windows=tiles_too_far_apart)(conv)

WINOGRADS = [
    Plant("wrong sign in B", "convolution[winograd]", by_winograd(wrong_matrix_b), FORWARD),
    Plant("wrong sign in A", "convolution[winograd]", by_winograd(wrong_matrix_a), FORWARD),
    Plant("tap missing in G", "convolution[winograd]", by_winograd(dw=wrong_matrix_g), GRADIENT),
    Plant("tiles overlap by one", "convolution[winograd]", by_winograd(wrong_tiles), FORWARD),
    Plant("kernel flipped in dx", "convolution[winograd]", by_winograd(dx=flipped_dx), GRADIENT),
]  # fmt: skip


# ---- convolution by runs -------------------------------------------------------------------------


def by_runs(forward=None, **gradients):
    return by_algorithm("runs", wrong(ops.convolution, forward, **gradients))


def blocks_in_reversed_order(w, stride, right=runs._kernels_of_blocks):
    V, outputs = right(w, stride), w.shape[-1]
    return V.reshape(*V.shape[:-2], -1, outputs, V.shape[-1])[..., ::-1, :, :].reshape(V.shape)


def rows_of_the_first_tap(windows, tap, right=runs._meeting):
    return right(windows, (0,) * len(tap))


wrong_blocks = patch.multiple(runs, _kernels_of_blocks=blocks_in_reversed_order)(conv_dx)
wrong_rows = patch.multiple(runs, _meeting=rows_of_the_first_tap)(conv)
flipped_winograd_runs = by_algorithm("winograd_runs", wrong(ops.convolution, dx=flipped_dx))

RUNS = [
    Plant("blocks of dx in reversed order", "convolution[runs]", by_runs(dx=wrong_blocks),
          GRADIENT),
    Plant("all taps read the first one's rows", "convolution[runs]", by_runs(wrong_rows), FORWARD),
    Plant("kernel flipped in dx", "convolution[winograd_runs]", flipped_winograd_runs, GRADIENT),
]  # fmt: skip


# ---- convolution and ReLU in one -----------------------------------------------------------------


@functools.wraps(conv)
def bias_after_relu(x, w, b=None, **options):
    return np.maximum(conv(x, w, **options), 0) + b


def dx_where_dy_is_positive(dy, w, x_shape, stride, padding, dilation, groups):
    return conv_dx(np.maximum(dy, 0), w, x_shape, stride, padding, dilation, groups)


def dx_where_y_is_not_positive(dy, y, w, x_shape, stride, padding, dilation, groups):
    return conv_dx(dy * (y <= 0), w, x_shape, stride, padding, dilation, groups)


def rectified(forward=None, **gradients):
    return wrong(convolution_relu, forward, **gradients)


RECTIFIED = [
    Plant("bias added after the ReLU", "convolution_relu", rectified(bias_after_relu), FORWARD),
    Plant("mask missing in dx", "convolution_relu", rectified(dx=conv_dx), GRADIENT),
    Plant("mask missing in dw", "convolution_relu", rectified(dw=conv_dw), GRADIENT),
    Plant("mask missing in db", "convolution_relu", rectified(db=ops.convolution.gradients["db"]),
          GRADIENT),
    Plant("mask from dy instead of y", "convolution_relu", rectified(dx=dx_where_dy_is_positive),
          GRADIENT),
    Plant("mask of the wrong side", "convolution_relu", rectified(dx=dx_where_y_is_not_positive),
          GRADIENT),
]  # fmt: skip
