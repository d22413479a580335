"""Ops with one error each, as people make them. Every one of them must be caught by the check that
it names."""

import functools
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np

from minidl import losses, ops
from minidl.autograd import differentiable
from minidl.engine import batch_norm_relu, convolution_relu
from minidl.engine.convolution import runs, tiles, winograd
from minidl.ops.arithmetic import unbroadcast
from minidl.ops.directions import inverse
from minidl.ops.pooling import windows_of as pooling_windows
from minidl.proofs.table import by_algorithm
from minidl.shapes import windows_over
from tests import checks


class Plant(NamedTuple):
    """error: in words; row: the name of the table's row that it is planted in; op: the op with the
    error; caught_by: the check that must complain."""

    error: str
    row: str
    op: Any
    caught_by: Any


FORWARD, GRADIENT = checks.forward_equals_the_oracle, checks.gradients_are_proven
SHAPE = checks.shape_dtype_and_device_are_kept


def wrong(op, forward=None, **gradients):
    """The op with another forward, or other gradients."""
    return differentiable(forward or op.forward, **{**op.gradients, **gradients})


# ---- convolution
# ----------------------------------------------------------------------------------------------------

conv, conv_dx, conv_dw = (
    ops.convolution.forward,
    *(ops.convolution.gradients[name] for name in ("dx", "dw")),
)


def with_geometry(change):
    """A convolution that changes its geometry and cuts its output to the shape that was wanted."""

    def forward(x, w, b=None, *, stride=1, padding=0, dilation=1, groups=1):
        windows = windows_over(x.shape[1:-1], w.shape[:-2], stride, padding, dilation)
        asked = {"stride": stride, "padding": windows.padding, "dilation": dilation}
        y = conv(x, w, b, groups=groups, **{**asked, **change(windows)})
        return y[(slice(None), *map(slice, windows.out))]

    def frozen(dy):
        raise AssertionError("only the forward of this plant is asked")

    return differentiable(forward, dx=frozen, dw=frozen, db=frozen)


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
    read = [(o - 1) * s + d * (k - 1) + 1 - before for o, s, d, k, (before, _) in zip(
        windows.out, windows.stride, windows.dilation, windows.size, windows.padding, strict=True)]  # fmt: skip
    return dx[(slice(None), *map(slice, read))]


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
    Plant("dilation ignored", "convolution", with_geometry(lambda windows: {"dilation": 1}), FORWARD),
    Plant("padding off by one", "convolution", with_geometry(later_padding), FORWARD),
    Plant("padding before and after swapped", "convolution", with_geometry(swapped_padding), FORWARD),
    Plant("leftovers dropped from dx", "convolution", convolution(dx=cropped_dx), SHAPE),
    Plant("groups mixed up", "convolution", convolution(dx=mixed_groups_dx), GRADIENT),
    Plant("overlaps overwritten in dx", "convolution", convolution(dx=overwriting_dx), GRADIENT),
    Plant("batch not summed in dw", "convolution", convolution(dw=first_image_dw), GRADIENT),
    Plant("bias gradient sums the wrong axes", "convolution", convolution(db=first_image_db), GRADIENT),
    Plant(
        "x kept for dx", "convolution", convolution(dx=greedy_dx),
        checks.nothing_is_kept_that_no_wanted_gradient_reads,
    ),
]  # fmt: skip

# ---- convolution by Winograd's F(4, 3)
# ------------------------------------------------------------------------------


def by_winograd(forward=None, **gradients):
    return by_algorithm("winograd", wrong(ops.convolution, forward, **gradients))


def with_change(f, **change):
    """f, while something in winograd.py or tiles.py is another."""

    @functools.wraps(f)
    def changed(*args, **kwargs):
        with patch.multiple(tiles if "_windows" in change else winograd, **change):
            return f(*args, **kwargs)

    return changed


def with_sign(matrix, i, j):
    changed = matrix.copy()
    changed[i, j] *= -1
    return changed


def tiles_too_far_apart(V, count, taken):
    read = np.minimum(
        (tiles.TILE + 1) * np.arange(count)[:, None] + np.arange(taken), V.shape[2] - 1
    )
    return V[:, :, read]


def without_the_last_tap(matrix):
    return matrix * [1, 1, 0]


WINOGRADS = [
    Plant("wrong sign in B", "convolution[winograd]", by_winograd(with_change(conv, B=with_sign(winograd.B, 2, 3))), FORWARD),
    Plant("wrong sign in A", "convolution[winograd]", by_winograd(with_change(conv, A=with_sign(winograd.A, 4, 3))), FORWARD),
    Plant("a tap lost in G", "convolution[winograd]", by_winograd(dw=with_change(
        conv_dw, G=without_the_last_tap(winograd.G))), GRADIENT),
    Plant("tiles overlap by one instead of two", "convolution[winograd]", by_winograd(with_change(
        conv, _windows=tiles_too_far_apart)), FORWARD),
    Plant("kernel not turned in dx", "convolution[winograd]", by_winograd(dx=flipped_dx), GRADIENT),
]  # fmt: skip

# ---- convolution by runs
# --------------------------------------------------------------------------------------------


def by_runs(forward=None, **gradients):
    return by_algorithm("runs", wrong(ops.convolution, forward, **gradients))


def with_runs(f, **change):
    """f, while something in runs.py is another."""

    @functools.wraps(f)
    def changed(*args, **kwargs):
        with patch.multiple(runs, **change):
            return f(*args, **kwargs)

    return changed


def blocks_read_forwards(w, stride, right=runs._kernels_of_blocks):
    V, outputs = right(w, stride), w.shape[-1]
    return V.reshape(*V.shape[:-2], -1, outputs, V.shape[-1])[..., ::-1, :, :].reshape(V.shape)


def rows_through_the_first_tap(windows, tap, right=runs._meeting):
    return right(windows, (0,) * len(tap))


RUNS = [
    Plant("blocks of dx gather dy in the wrong order", "convolution[runs]", by_runs(dx=with_runs(
        conv_dx, _kernels_of_blocks=blocks_read_forwards)), GRADIENT),
    Plant("every tap reads the first one's rows", "convolution[runs]", by_runs(with_runs(
        conv, _meeting=rows_through_the_first_tap)), FORWARD),
    Plant("kernel not turned in dx", "convolution[winograd_runs]", by_algorithm(
        "winograd_runs", wrong(ops.convolution, dx=flipped_dx)), GRADIENT),
]  # fmt: skip

# ---- convolution and ReLU in one
# ------------------------------------------------------------------------------------


@functools.wraps(conv)
def bias_after_relu(x, w, b=None, **options):
    return np.maximum(conv(x, w, **options), 0) + b


def dx_where_dy_is_positive(dy, w, x_shape, stride, padding, dilation, groups):
    return conv_dx(np.maximum(dy, 0), w, x_shape, stride, padding, dilation, groups)


def dx_where_y_is_not(dy, y, w, x_shape, stride, padding, dilation, groups):
    return conv_dx(dy * (y <= 0), w, x_shape, stride, padding, dilation, groups)


def rectified(forward=None, **gradients):
    return wrong(convolution_relu, forward, **gradients)


RECTIFIED = [
    Plant("bias added after the ReLU", "convolution_relu", rectified(bias_after_relu), FORWARD),
    Plant("mask missing in dx", "convolution_relu", rectified(dx=conv_dx), GRADIENT),
    Plant("mask missing in dw", "convolution_relu", rectified(dw=conv_dw), GRADIENT),
    Plant("mask missing in db", "convolution_relu", rectified(db=ops.convolution.gradients["db"]), GRADIENT),
    Plant("mask from dy instead of y", "convolution_relu", rectified(dx=dx_where_dy_is_positive), GRADIENT),
    Plant("mask of the wrong side", "convolution_relu", rectified(dx=dx_where_y_is_not), GRADIENT),
]  # fmt: skip

# ---- pooling
# --------------------------------------------------------------------------------------------------------


def zero_padded_max(x, window, *, stride=None, padding=0, dilation=1, ceil=False):
    windows = pooling_windows(x.shape, window, stride, padding, dilation, ceil)
    padded = windows.pad(x, 0)
    return np.max([padded[windows.under(tap)] for tap in windows.taps], axis=0)


def max_dx(winners):
    """winners: (booleans by tap) -> booleans by tap: which of the equal maxima get the gradient."""

    def dx(dy, x, y, window, stride, padding, dilation, ceil):
        windows = pooling_windows(x.shape, window, stride, padding, dilation, ceil)
        padded = windows.pad(x, -np.inf)
        dpadded = np.zeros_like(padded)
        equal = [padded[windows.under(tap)] == y for tap in windows.taps]
        for tap, wins in zip(windows.taps, winners(np.array(equal)), strict=True):
            dpadded[windows.under(tap)] += dy * wins
        return windows.unpad(dpadded)

    return dx


def last_of(equal):
    return equal & (np.cumsum(equal[::-1], axis=0)[::-1] == 1)


def average(count_of):
    """An average pooling that divides by count_of(windows, count_padding), an array for each
    axis."""

    def forward(x, window, *, stride=None, padding=0, ceil=False, count_padding=True):
        windows = pooling_windows(x.shape, window, stride, padding, 1, ceil)
        padded = windows.pad(x)
        total = sum(padded[windows.under(tap)] for tap in windows.taps)
        for axis, along in enumerate(count_of(windows, count_padding), start=1):
            total = total / np.reshape(along, [-1 if i == axis else 1 for i in range(total.ndim)])
        return total

    return wrong(ops.avg_pool, forward)


def full_count_at_border(windows, count_padding):
    return windows.taps_inside(and_padding=True)


def full_count_at_ceil(windows, count_padding):
    full = [[size] * out for size, out in zip(windows.size, windows.out, strict=True)]
    return full if count_padding else windows.taps_inside()


POOLINGS = [
    Plant("zeros as max-pool padding", "max_pool", wrong(ops.max_pool, zero_padded_max), FORWARD),
    Plant(
        "doubled tie",
        "max_pool",
        wrong(ops.max_pool, dx=max_dx(lambda equal: equal)),
        checks.a_tie_goes_to_the_first,
    ),
    Plant(
        "tie to the last",
        "max_pool",
        wrong(ops.max_pool, dx=max_dx(last_of)),
        checks.a_tie_goes_to_the_first,
    ),
    Plant("border average counts the padding", "avg_pool", average(full_count_at_border), FORWARD),
    Plant("ceil average counts past the end", "avg_pool", average(full_count_at_ceil), FORWARD),
]

# ---- batch normalization, dropout
# -----------------------------------------------------------------------------------


def normalization(root):
    """A batch normalization that divides by root(x, axes, epsilon)."""

    def forward(x, gamma, beta, given=None, epsilon=1e-5, fixed=False):
        axes = tuple(range(x.ndim - 1))
        return gamma * (x - x.mean(axes)) / root(x, axes, epsilon) + beta

    return wrong(ops.batch_norm, forward)


def norm_dx(part):
    """γ / √(σ² + ε) part(dy, x̂, axes): some of the terms of dx"""

    def dx(dy, x, gamma, epsilon):
        axes = tuple(range(x.ndim - 1))
        root = np.sqrt(x.var(axes) + epsilon)
        return gamma / root * part(dy, (x - x.mean(axes)) / root, axes)

    return wrong(ops.batch_norm, dx=dx)


def dx_without_gamma(dy, x, gamma, given, epsilon, fixed):
    return ops.batch_norm.gradients["dx"](dy, x, np.ones_like(gamma), given, epsilon, fixed)


def dx_without_epsilon(dy, x, gamma, given, fixed):
    return ops.batch_norm.gradients["dx"](dy, x, gamma, given, 0.0, fixed)


def dgamma_off_the_mean_alone(dy, x):
    axes = tuple(range(x.ndim - 1))
    return (dy * (x - x.mean(axes))).sum(axes)


def fixed_normalization(**gradients):
    op = wrong(ops.batch_norm, **gradients)
    return lambda x, gamma, beta, epsilon, mean, variance: op(
        x, gamma, beta, (mean, variance), epsilon, fixed=True
    )


def dx_as_if_moved(dy, x, gamma, given, epsilon):
    return ops.batch_norm.gradients["dx"](dy, x, gamma, given, epsilon, False)


def dx_masked_too_late(dy, y, x, gamma, given, epsilon, fixed):
    return ops.batch_norm.gradients["dx"](dy, x, gamma, given, epsilon, fixed) * (y > 0)


def undivided_dropout(x, keep, seed):
    return ops.dropout.forward(x, keep, seed) * keep


def the_others_dropped(x, keep, seed):
    return (x - ops.dropout.forward(x, keep, seed) * keep) / keep


def another_mask(dy, keep, seed):
    return ops.dropout.gradients["dx"](dy, keep, seed + 1)


NORMALIZATIONS = [
    Plant("variance over M - 1", "batch_norm", normalization(lambda x, axes, epsilon: np.sqrt(x.var(axes, ddof=1) + epsilon)),
          FORWARD),
    Plant("ε beside the root", "batch_norm", normalization(lambda x, axes, epsilon: x.std(axes) + epsilon), FORWARD),
    Plant("dβ/M left out of dx", "batch_norm", norm_dx(lambda dy, xhat, axes: dy - xhat * (dy * xhat).mean(axes)), GRADIENT),
    Plant("x̂ dγ/M left out of dx", "batch_norm", norm_dx(lambda dy, xhat, axes: dy - dy.mean(axes)), GRADIENT),
    Plant("γ left out of dx", "batch_norm", wrong(ops.batch_norm, dx=dx_without_gamma), GRADIENT),
    Plant("ε left out of dx", "batch_norm", wrong(ops.batch_norm, dx=dx_without_epsilon), GRADIENT),
    Plant("dγ not divided by the spread", "batch_norm", wrong(ops.batch_norm, dgamma=dgamma_off_the_mean_alone), GRADIENT),
    Plant("dβ sums the batch alone", "batch_norm", wrong(ops.batch_norm, dbeta=lambda dy: dy.sum(axis=0)), SHAPE),
    Plant("fixed moments move with x", "batch_norm[fixed]", fixed_normalization(dx=dx_as_if_moved), GRADIENT),
    Plant("mask missing in dβ", "batch_norm_relu", wrong(batch_norm_relu, dbeta=ops.batch_norm.gradients["dbeta"]),
          GRADIENT),
    Plant("mask after the normalization's gradient", "batch_norm_relu", wrong(batch_norm_relu, dx=dx_masked_too_late),
          GRADIENT),
    Plant("dropout not divided by keep", "dropout", wrong(ops.dropout, undivided_dropout), FORWARD),
    Plant("kept and dropped swapped", "dropout", wrong(ops.dropout, the_others_dropped), FORWARD),
    Plant("another mask in the gradient", "dropout", wrong(ops.dropout, dx=another_mask), GRADIENT),
]  # fmt: skip

# ---- element by element, reductions, moves
# --------------------------------------------------------------------------


def relu_in_place(x):
    return np.maximum(x, 0, out=x) if x.ndim else np.maximum(x, 0)


def tanh_dx_in_place(dy, y):
    dy *= 1 - y * y
    return dy


def half_precision(x):
    return np.exp(x.astype(np.float16) if x.dtype == np.float32 else x).astype(x.dtype)


def stride_blind(x):
    """Reads the numbers in the order in which they lie in memory."""
    return -x.ravel("K").reshape(x.shape)


def accumulating():
    """A gradient that adds to what the last call left."""
    totals = {}

    def dx(dy, y):
        totals[dy.shape] = totals.get(dy.shape, 0) + dy * y
        return totals[dy.shape]

    return dx


def overwriting_index(dy, x_shape, key):
    dx = np.zeros(x_shape, dy.dtype)
    dx[key] = dy
    return dx


def mean_by_first_axis(dy, x_shape, axis, keepdims):
    y_size, size = np.size(dy), np.prod(x_shape)
    return ops.mean.gradients["dx"](dy, x_shape, axis, keepdims) * (size / y_size) / x_shape[0]


def first_batch_db(dy, a, b_shape):
    right = ops.matmul.gradients["db"](dy, a, b_shape)
    if dy.ndim > 2 and a.ndim > 1 and len(b_shape) == 2:
        first = (0,) * (dy.ndim - 2)
        return a[first[: a.ndim - 2]].T @ dy[first]
    return right


SIMPLE = [
    Plant("in-place write into an input", "relu", wrong(ops.relu, relu_in_place), checks.inputs_are_only_read),
    Plant("in-place write into dy", "tanh", wrong(ops.tanh, dx=tanh_dx_in_place), checks.inputs_are_only_read),
    Plant("gradient adds up over calls", "exp", wrong(ops.exp, dx=accumulating()), checks.backward_twice_gives_the_same_bytes),
    Plant("float64 out of float32", "relu", wrong(ops.relu, lambda x: np.maximum(x, np.zeros(1)).reshape(x.shape)), SHAPE),
    Plant("float64 gradient of float32", "exp", wrong(ops.exp, dx=lambda dy, y: dy * y * np.ones(1)[0]), SHAPE),
    Plant("half precision inside", "exp", wrong(ops.exp, half_precision), checks.float32_is_near_float64),
    Plant(
        "cotangent not used", "negative", wrong(ops.negative, dx=lambda dy: dy * 0 - 1),
        checks.a_zero_cotangent_gives_exact_zeros,
    ),
    Plant("strides taken for contiguous", "negative", wrong(ops.negative, stride_blind), checks.strides_do_not_matter),
    Plant("slope 1 below 0 as well", "relu", wrong(ops.relu, dx=lambda dy, y: dy * (y >= 0)), GRADIENT),
    Plant("leaky slope on the wrong side", "leaky_relu", wrong(ops.leaky_relu, dx=lambda dy, x, slope: np.where(
        x > 0, slope * dy, dy)), GRADIENT),
    Plant("sigmoid y instead of y (1 - y)", "sigmoid", wrong(ops.sigmoid, dx=lambda dy, y: dy * y), GRADIENT),
    Plant("softmax without its sum", "softmax", wrong(ops.softmax, dx=lambda dy, y, axis: dy * y), GRADIENT),
    Plant("unbroadcast missing", "add", wrong(ops.add, db=lambda dy: dy), SHAPE),
    Plant("minus missing", "subtract", wrong(ops.subtract, db=lambda dy, b_shape: unbroadcast(dy, b_shape)), GRADIENT),
    Plant("tie doubled", "maximum", wrong(ops.maximum, db=lambda dy, a, b, b_shape: unbroadcast(dy * (a <= b), b_shape)),
          checks.a_tie_goes_to_the_first),
    Plant("mean divided by the wrong n", "mean", wrong(ops.mean, dx=mean_by_first_axis), GRADIENT),
    Plant("matmul's batch not summed", "matmul", wrong(ops.matmul, db=first_batch_db), GRADIENT),
    Plant("permutation not inverted", "transpose", wrong(ops.transpose, dx=lambda dy, axes: dy.transpose(axes)), SHAPE),
    Plant("repeated index not added up", "index", wrong(ops.index, dx=overwriting_index), GRADIENT),
]  # fmt: skip

# ---- resampling
# -----------------------------------------------------------------------------------------------------


def wrapping_resample(x, rows, columns):
    return ops.resample.forward(x, rows % x.shape[1], columns % x.shape[2])


def nearest_resample(x, rows, columns):
    return ops.resample.forward(x, np.rint(rows), np.rint(columns))


def forward_in_place_of_its_adjoint(dy, rows, columns, x_shape):
    """Where y has as many pixels as x; else, what is right."""
    right = ops.resample.gradients["dx"](dy, rows, columns, x_shape)
    return ops.resample.forward(dy, rows, columns) if dy.shape == x_shape else right


def resample_dx_of_the_last(dy, rows, columns, x_shape):
    """A pixel that is read several times keeps the last share."""
    dx, last = np.zeros(x_shape, dy.dtype), [length - 1 for length in x_shape[1:3]]
    for n, i, j in np.ndindex(rows.shape):
        r, s = np.clip([rows[n, i, j], columns[n, i, j]], 0, last)
        for p, q in np.ndindex(x_shape[1:3]):
            if abs(r - p) < 1 and abs(s - q) < 1:
                dx[n, p, q] = (1 - abs(r - p)) * (1 - abs(s - q)) * dy[n, i, j]
    return dx


RESAMPLINGS = [
    Plant("border wrapped around", "resample", wrong(ops.resample, wrapping_resample), FORWARD),
    Plant("nearest pixel alone", "resample", wrong(ops.resample, nearest_resample), FORWARD),
    Plant(
        "read where to give back",
        "resample",
        wrong(ops.resample, dx=forward_in_place_of_its_adjoint),
        GRADIENT,
    ),
    Plant(
        "shares overwritten in dx",
        "resample",
        wrong(ops.resample, dx=resample_dx_of_the_last),
        GRADIENT,
    ),
]

# ---- losses
# ---------------------------------------------------------------------------------------------------------


def gram_dfeatures(dG, features, normalization):
    return losses.gram_matrix.gradients["dfeatures"](dG, features, normalization)


def untransposed_gram(dG, features, normalization):
    n, height, width, channels = features.shape
    Z = losses.gram.DIVISORS[normalization](height, width, channels)
    return (2 * features.reshape(n, -1, channels) @ (dG / Z)).reshape(features.shape)


def half_gram(dG, features, normalization):
    return gram_dfeatures(dG, features, normalization) / 2


def style_without_positions(dL, generated, style, normalization):
    M = generated.shape[1] * generated.shape[2]
    return losses.style_loss.gradients["dgenerated"](dL, generated, style, normalization) * M


def style_with_plus(dL, generated, style, normalization):
    return -losses.style_loss.gradients["dstyle"](dL, generated, style, normalization)


def fixed_border_variation(dL, image, normalization):
    right = losses.total_variation.gradients["dimage"](dL, image, normalization)
    right[..., -1, :, :] *= -1
    return right


def ungiven_variation(dL, image, normalization):
    """Each difference is added where it ends, and not taken off where it begins."""
    gradient = np.zeros_like(image)
    gradient[..., 1:, :, :] += 2 * (image[..., 1:, :, :] - image[..., :-1, :, :])
    gradient[..., :, 1:, :] += 2 * (image[..., :, 1:, :] - image[..., :, :-1, :])
    return dL * gradient


def entropy_of_the_next_class(logits, labels, reduction="mean"):
    return losses.softmax_cross_entropy.forward(logits, (labels + 1) % logits.shape[1], reduction)


def entropy_off_by_one(dL, logits, labels, reduction):
    return losses.softmax_cross_entropy.gradients["dlogits"](
        dL, logits, (labels + 1) % logits.shape[1], reduction
    )


def entropy_without_its_n(dL, logits, labels, reduction):
    return losses.softmax_cross_entropy.gradients["dlogits"](dL, logits, labels, "sum")


def probabilities_alone(dL, logits, labels, reduction):
    return dL * ops.softmax.forward(logits) / (len(logits) if reduction == "mean" else 1)


def wrong_sign_of_targets(dL, logits, targets, reduction):
    return losses.sigmoid_cross_entropy.gradients["dlogits"](dL, logits, -targets, reduction)


def plus_in_targets(dL, logits, reduction):
    return -losses.sigmoid_cross_entropy.gradients["dtargets"](dL, logits, reduction)


def energy_of_squares(a, b, same, q=5.0):
    squares = ((a - b) ** 2).sum(axis=1)
    return np.where(same, 2 / q * squares, 2 * q * np.exp(-2.77 / q * squares)).mean()


def energy_of_labels_for_different(a, b, same, q=5.0):
    return losses.siamese_energy_loss.forward(a, b, 1 - same.astype(int), q)


def slope_without_the_root(dL, a, b, same, q):
    d = a - b
    slope = np.where(same, 4 / q, -5.54 * np.exp(-2.77 / q * np.linalg.norm(d, axis=1)))
    return dL * slope[:, None] * d / len(d)


def both_to_the_same_side(dL, a, b, same, q):
    return losses.siamese_energy_loss.gradients["da"](dL, a, b, same, q)


def pull_from_beyond_the_margin(a, b, same, margin=1.0):
    E = np.linalg.norm(a - b, axis=1)
    return np.where(same, E**2, (margin - E) ** 2).mean() / 2


def push_beyond_the_margin(dL, a, b, same, margin):
    d = a - b
    slope = np.where(same, 1, 1 - margin / np.linalg.norm(d, axis=1))
    return dL * slope[:, None] * d / len(d)


def pairs_summed(dL, a, b, same, margin):
    return losses.contrastive_loss.gradients["da"](dL, a, b, same, margin) * len(a)


VARIATION = "total_variation[sum_squares]"
ENTROPY, BINARY = "softmax_cross_entropy", "sigmoid_cross_entropy"
ENERGY, CONTRASTIVE = "siamese_energy_loss", "contrastive_loss"

LOSSES = [
    Plant("missing transpose", "gram_matrix", wrong(losses.gram_matrix, dfeatures=untransposed_gram), GRADIENT),
    Plant("factor 2 missing", "gram_matrix", wrong(losses.gram_matrix, dfeatures=half_gram), GRADIENT),
    Plant("1/M missing in the gradient", "style_loss", wrong(losses.style_loss, dgenerated=style_without_positions), GRADIENT),
    Plant("sign of the border", VARIATION, wrong(losses.total_variation, dimage=fixed_border_variation), GRADIENT),
    Plant("one neighbour forgotten", VARIATION, wrong(losses.total_variation, dimage=ungiven_variation), GRADIENT),
    Plant("minus missing in the style's gradient", "style_loss", wrong(losses.style_loss, dstyle=style_with_plus), GRADIENT),
    Plant("label off by one", ENTROPY, wrong(losses.softmax_cross_entropy, entropy_of_the_next_class), FORWARD),
    Plant("gradient's label off by one", ENTROPY, wrong(losses.softmax_cross_entropy, dlogits=entropy_off_by_one), GRADIENT),
    Plant("1/N missing in the gradient", ENTROPY, wrong(losses.softmax_cross_entropy, dlogits=entropy_without_its_n), GRADIENT),
    Plant("p instead of p - 1", ENTROPY, wrong(losses.softmax_cross_entropy, dlogits=probabilities_alone), GRADIENT),
    Plant("p + t instead of p - t", BINARY, wrong(losses.sigmoid_cross_entropy, dlogits=wrong_sign_of_targets), GRADIENT),
    Plant("minus missing for t", BINARY, wrong(losses.sigmoid_cross_entropy, dtargets=plus_in_targets), GRADIENT),
    Plant("E² instead of E", ENERGY, wrong(losses.siamese_energy_loss, energy_of_squares), FORWARD),
    Plant("same and different swapped", ENERGY, wrong(losses.siamese_energy_loss, energy_of_labels_for_different), FORWARD),
    Plant("root forgotten in the gradient", ENERGY, wrong(losses.siamese_energy_loss, da=slope_without_the_root), GRADIENT),
    Plant("minus missing for b", ENERGY, wrong(losses.siamese_energy_loss, db=both_to_the_same_side), GRADIENT),
    Plant("hinge missing", CONTRASTIVE, wrong(losses.contrastive_loss, pull_from_beyond_the_margin), FORWARD),
    Plant("hinge missing in the gradient", CONTRASTIVE, wrong(losses.contrastive_loss, da=push_beyond_the_margin), GRADIENT),
    Plant("pairs summed, not averaged", CONTRASTIVE, wrong(losses.contrastive_loss, da=pairs_summed), GRADIENT),
]  # fmt: skip

# ---- distances
# ------------------------------------------------------------------------------------------------------


def lengths(x, axis=-1):
    return np.sqrt((x * x).sum(axis=axis, keepdims=True))


@np.errstate(all="ignore")
def division_by_no_length(x, axis=-1):
    return x / lengths(x, axis)


def length_taken_for_constant(dy, x, axis):
    return dy * inverse(lengths(x, axis))


def cosine_of_lengths_that_move(dy, a, b):
    return dy[..., None] * ops.l2_normalize.forward(b) * inverse(lengths(a))


def by_the_gram_matrix(a, b=None, squared=False):
    """|a|² + |b|² - 2 a·b, of which equal points leave rounding."""
    b = a if b is None else b
    s = lengths(a) ** 2 + lengths(b).T ** 2 - 2 * a @ b.T
    return s if squared else np.sqrt(abs(s))


def rows_alone(dy, y, a, b, squared):
    """Of one set each pair as i, j and not as j, i"""
    return ops.pairwise_distances.gradients["da"](dy, y, a, a, squared)


def both_sets_alike(dy, y, a, b, squared):
    return -ops.pairwise_distances.gradients["db"](dy, y, a, b, squared)


def root_without_its_slope(dy, y, a, b, squared):
    return ops.pairwise_distances.gradients["da"](dy, y, a, b, True)


@np.errstate(all="ignore")
def slope_of_no_distance(dy, y, a, b, squared):
    """Divides by distances of 0."""
    W = 2 * dy if squared else dy / y
    return (W[..., None] * (a[:, None] - b)).sum(axis=1)


def quotient_without_its_divisor(dy, a, b, a_shape):
    return unbroadcast(dy * (2 * (a - b) * inverse(a + b)), a_shape)


@np.errstate(all="ignore")
def nothing_by_nothing(dy, a, b, a_shape):
    return unbroadcast(dy * ((a - b) * (a + 3 * b) / (a + b) ** 2), a_shape)


def triplets_without_a_hinge(
    anchor, positive, negative, margin=0.2, reduction="sum", squared=True, soft=False
):
    return (
        losses.triplet_loss.forward(anchor, positive, negative, margin + 1e3, "mean", squared, soft)
        - 1e3
    )


def triplets_swapped(
    anchor, positive, negative, margin=0.2, reduction="sum", squared=True, soft=False
):
    return losses.triplet_loss.forward(anchor, negative, positive, margin, reduction, squared, soft)


def active_ones_not_counted(
    anchor, positive, negative, margin=0.2, reduction="sum", squared=True, soft=False
):
    reduction = reduction.removesuffix("_active")
    return losses.triplet_loss.forward(anchor, positive, negative, margin, reduction, squared, soft)


def triplet_gradient(name, **other):
    """The right one, but of other options."""

    def gradient(dL, anchor, positive, negative, margin, reduction, squared, soft):
        given = {"margin": margin, "reduction": reduction, "squared": squared, "soft": soft}
        given |= {option: change(given[option]) for option, change in other.items()}
        return losses.triplet_loss.gradients[f"d{name}"](dL, anchor, positive, negative, **given)

    return gradient


def positive_forgotten(dL, anchor, positive, negative, margin, reduction, squared, soft):
    """Only the negative pushes the anchor."""
    return -losses.triplet_loss.gradients["dnegative"](
        dL, anchor, positive, negative, margin, reduction, squared, soft
    )


COSINE, PAIRWISE, TRIPLET = "cosine_similarity", "pairwise_distances", "triplet_loss"

DISTANCES = [
    Plant("a vector of zeros divided by its length", "l2_normalize", wrong(ops.l2_normalize, division_by_no_length), FORWARD),
    Plant("the length taken for a constant", "l2_normalize", wrong(ops.l2_normalize, dx=length_taken_for_constant), GRADIENT),
    Plant("a's length taken for a constant", COSINE, wrong(ops.cosine_similarity, da=cosine_of_lengths_that_move), GRADIENT),
    Plant(
        "equal points by the Gram matrix", f"{PAIRWISE}[duplicates]", wrong(ops.pairwise_distances, by_the_gram_matrix), FORWARD
    ),
    Plant("each pair once", f"{PAIRWISE}[one-set]", wrong(ops.pairwise_distances, da=rows_alone), GRADIENT),
    Plant("minus missing for b", PAIRWISE, wrong(ops.pairwise_distances, db=both_sets_alike), GRADIENT),
    Plant("root forgotten in the gradient", PAIRWISE, wrong(ops.pairwise_distances, da=root_without_its_slope), GRADIENT),
    Plant(
        "slope of a distance of 0", f"{PAIRWISE}[duplicates]", wrong(ops.pairwise_distances, da=slope_of_no_distance), GRADIENT
    ),
    Plant("divisor taken for a constant", "chi_square", wrong(ops.chi_square, da=quotient_without_its_divisor), GRADIENT),
    Plant("0/0 in the gradient", "chi_square", wrong(ops.chi_square, da=nothing_by_nothing), GRADIENT),
    Plant("hinge missing", TRIPLET, wrong(losses.triplet_loss, triplets_without_a_hinge), FORWARD),
    Plant("positive and negative swapped", TRIPLET, wrong(losses.triplet_loss, triplets_swapped), FORWARD),
    Plant("all triplets counted", TRIPLET, wrong(losses.triplet_loss, active_ones_not_counted), FORWARD),
    Plant(
        "hinge missing in the gradient", TRIPLET,
        wrong(losses.triplet_loss, dnegative=triplet_gradient("negative", margin=lambda margin: 1e3)), GRADIENT,
    ),
    Plant(
        "triplets summed, not averaged", TRIPLET,
        wrong(losses.triplet_loss, dpositive=triplet_gradient("positive", reduction=lambda reduction: "sum")), GRADIENT,
    ),
    Plant(
        "soft form with a hinge's gradient", TRIPLET,
        wrong(losses.triplet_loss, danchor=triplet_gradient("anchor", soft=lambda soft: False)), GRADIENT,
    ),
    Plant(
        "squares' gradient for roots", f"{TRIPLET}[duplicates]",
        wrong(losses.triplet_loss, danchor=triplet_gradient("anchor", squared=lambda squared: True)), GRADIENT,
    ),
    Plant("the positive does not pull", TRIPLET, wrong(losses.triplet_loss, danchor=positive_forgotten), GRADIENT),
]  # fmt: skip

PLANTS = [
    *CONVOLUTIONS,
    *WINOGRADS,
    *RUNS,
    *RECTIFIED,
    *POOLINGS,
    *NORMALIZATIONS,
    *SIMPLE,
    *RESAMPLINGS,
    *LOSSES,
    *DISTANCES,
]
