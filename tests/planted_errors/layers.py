"""Errors planted in pooling, batch normalization and dropout."""

import numpy as np

from minidl import ops
from minidl.engine import batch_norm_relu
from minidl.ops.pooling import windows_of
from tests.planted_errors.plant import FORWARD, GRADIENT, SHAPE, TIE, Plant, wrong

# ---- pooling -------------------------------------------------------------------------------------


def zero_padded_max(x, window, *, stride=None, padding=0, dilation=1, ceil=False):
    windows = windows_of(x.shape, window, stride, padding, dilation, ceil)
    padded = windows.pad(x, 0)
    return np.max([padded[windows.under(tap)] for tap in windows.taps], axis=0)


def max_dx(winners):
    """Return a gradient of max-pooling.

    winners: booleans by tap, true at all equal maxima -> booleans by tap, true where dy goes.
    """

    def dx(dy, x, y, window, stride, padding, dilation, ceil):
        windows = windows_of(x.shape, window, stride, padding, dilation, ceil)
        padded = windows.pad(x, -np.inf)
        dpadded = np.zeros_like(padded)
        equal = [padded[windows.under(tap)] == y for tap in windows.taps]
        for tap, wins in zip(windows.taps, winners(np.array(equal)), strict=True):
            dpadded[windows.under(tap)] += dy * wins
        return windows.unpad(dpadded)

    return dx


def all_of(equal):
    return equal


def last_of(equal):
    return equal & (np.cumsum(equal[::-1], axis=0)[::-1] == 1)


def average(count_of):
    """Return an average pooling that divides by count_of(windows, count_padding), a list of counts
    for each axis."""

    def forward(x, window, *, stride=None, padding=0, ceil=False, count_padding=True):
        windows = windows_of(x.shape, window, stride, padding, 1, ceil)
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
    Plant("dy to all of a tie", "max_pool", wrong(ops.max_pool, dx=max_dx(all_of)), TIE),
    Plant("dy to the last of a tie", "max_pool", wrong(ops.max_pool, dx=max_dx(last_of)), TIE),
    Plant("border average counts padding", "avg_pool", average(full_count_at_border), FORWARD),
    Plant("ceil average counts past the end", "avg_pool", average(full_count_at_ceil), FORWARD),
]


# ---- batch normalization, dropout ----------------------------------------------------------------


def normalization(root):
    """Return a batch normalization that divides by root(x, axes, epsilon)."""

    def forward(x, gamma, beta, given=None, epsilon=1e-5, fixed=False):
        axes = tuple(range(x.ndim - 1))
        return gamma * (x - x.mean(axes)) / root(x, axes, epsilon) + beta

    return wrong(ops.batch_norm, forward)


def norm_dx(part):
    """Return a batch normalization with dx = γ / √(σ² + ε) part(dy, x̂, axes)."""

    def dx(dy, x, gamma, epsilon):
        axes = tuple(range(x.ndim - 1))
        root = np.sqrt(x.var(axes) + epsilon)
        return gamma / root * part(dy, (x - x.mean(axes)) / root, axes)

    return wrong(ops.batch_norm, dx=dx)


def dx_without_gamma(dy, x, gamma, given, epsilon, fixed):
    return ops.batch_norm.gradients["dx"](dy, x, np.ones_like(gamma), given, epsilon, fixed)


def dx_without_epsilon(dy, x, gamma, given, fixed):
    return ops.batch_norm.gradients["dx"](dy, x, gamma, given, 0.0, fixed)


def dgamma_without_division(dy, x):
    axes = tuple(range(x.ndim - 1))
    return (dy * (x - x.mean(axes))).sum(axes)


def fixed_normalization(**gradients):
    op = wrong(ops.batch_norm, **gradients)
    return lambda x, gamma, beta, epsilon, mean, variance: op(
        x, gamma, beta, (mean, variance), epsilon, fixed=True
    )


def dx_of_moments_of_the_batch(dy, x, gamma, given, epsilon):
    return ops.batch_norm.gradients["dx"](dy, x, gamma, given, epsilon, False)


def dx_masked_too_late(dy, y, x, gamma, given, epsilon, fixed):
    return ops.batch_norm.gradients["dx"](dy, x, gamma, given, epsilon, fixed) * (y > 0)


def undivided_dropout(x, keep, seed):
    return ops.dropout.forward(x, keep, seed) * keep


def kept_and_dropped_swapped(x, keep, seed):
    return (x - ops.dropout.forward(x, keep, seed) * keep) / keep


def another_mask(dy, keep, seed):
    return ops.dropout.gradients["dx"](dy, keep, seed + 1)


def root_of_unbiased(x, axes, epsilon):
    return np.sqrt(x.var(axes, ddof=1) + epsilon)


def epsilon_outside_of_root(x, axes, epsilon):
    return x.std(axes) + epsilon


def without_dbeta(dy, xhat, axes):
    return dy - xhat * (dy * xhat).mean(axes)


def without_dgamma(dy, xhat, axes):
    return dy - dy.mean(axes)


def dbeta_of_the_batch_axis(dy):
    return dy.sum(axis=0)


unmasked_dbeta = ops.batch_norm.gradients["dbeta"]

NORMALIZATIONS = [
    Plant("variance over M - 1", "batch_norm", normalization(root_of_unbiased), FORWARD),
    Plant("ε outside of the root", "batch_norm", normalization(epsilon_outside_of_root), FORWARD),
    Plant("dβ/M left out of dx", "batch_norm", norm_dx(without_dbeta), GRADIENT),
    Plant("x̂ dγ/M left out of dx", "batch_norm", norm_dx(without_dgamma), GRADIENT),
    Plant("γ left out of dx", "batch_norm", wrong(ops.batch_norm, dx=dx_without_gamma), GRADIENT),
    Plant("ε left out of dx", "batch_norm", wrong(ops.batch_norm, dx=dx_without_epsilon), GRADIENT),
    Plant("dγ not divided by σ", "batch_norm",
          wrong(ops.batch_norm, dgamma=dgamma_without_division), GRADIENT),
    Plant("dβ sums over the batch only", "batch_norm",
          wrong(ops.batch_norm, dbeta=dbeta_of_the_batch_axis), SHAPE),
    Plant("fixed moments move with x", "batch_norm[fixed]",
          fixed_normalization(dx=dx_of_moments_of_the_batch), GRADIENT),
    Plant("mask missing in dβ", "batch_norm_relu", wrong(batch_norm_relu, dbeta=unmasked_dbeta),
          GRADIENT),
    Plant("mask after the gradient of the normalization", "batch_norm_relu",
          wrong(batch_norm_relu, dx=dx_masked_too_late), GRADIENT),
    Plant("dropout not divided by keep", "dropout", wrong(ops.dropout, undivided_dropout), FORWARD),
    Plant("kept and dropped swapped", "dropout", wrong(ops.dropout, kept_and_dropped_swapped),
          FORWARD),
    Plant("another mask in the gradient", "dropout", wrong(ops.dropout, dx=another_mask), GRADIENT),
]  # fmt: skip
