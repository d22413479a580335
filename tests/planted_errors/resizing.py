"""Errors planted in adaptive pooling and upsampling."""

import functools
from unittest.mock import patch

import numpy as np

from minidl import ops, textbook
from minidl.ops import adaptive_pooling, upsampling
from minidl.ops.adaptive_pooling import bins, spatial_axes
from tests.planted_errors.plant import FORWARD, GRADIENT, TIE, Plant, wrong

# ---- adaptive pooling ----------------------------------------------------------------------------


def with_bins(op, bin_of):
    """Return the forward of an adaptive pooling by other bins."""
    other_bins = patch.object(adaptive_pooling, "bin_of", bin_of)
    return wrong(op, functools.wraps(op.forward)(textbook()(other_bins(op.forward))))


def rounded_down(o, L, S):
    """The bins do not overlap, and the last positions are in none."""
    return slice(o * L // S, max(o * L // S + 1, (o + 1) * (L // S)))


def without_overlap(o, L, S):
    return slice(o * L // S, max(o * L // S + 1, (o + 1) * L // S))


def mean_of_as_many(dy, x_shape, size):
    """Each sum is divided by the same number."""
    dx = np.zeros(x_shape, dy.dtype)
    largest = max(dx[bin][0, ..., 0].size for _, bin in bins(x_shape, size))
    for o, bin in bins(x_shape, size):
        dx[bin] += np.expand_dims(dy[o], spatial_axes(x_shape)) / largest
    return dx


def overwritten(dy, x, size):
    """A position that is the maximum of two bins keeps the dy of the last one."""
    dx = np.zeros_like(x)
    for o, bin in bins(x.shape, size):
        one = ops.max.gradients["dx"](dy[o], x[bin], spatial_axes(x.shape), False)
        dx[bin] = np.where(one != 0, one, dx[bin])
    return dx


def to_all_of_a_tie(dy, x, size):
    dx = np.zeros_like(x)
    for o, bin in bins(x.shape, size):
        axes = spatial_axes(x.shape)
        dx[bin] += np.expand_dims(dy[o], axes) * (x[bin] == x[bin].max(axes, keepdims=True))
    return dx


ADAPTIVE = [
    Plant("the last positions left out", "adaptive_avg_pool",
          with_bins(ops.adaptive_avg_pool, rounded_down), FORWARD),
    Plant("bins that never overlap", "adaptive_max_pool",
          with_bins(ops.adaptive_max_pool, without_overlap), FORWARD),
    Plant("divided by the largest count", "adaptive_avg_pool",
          wrong(ops.adaptive_avg_pool, dx=mean_of_as_many), GRADIENT),
    Plant("dx of a shared maximum overwritten", "adaptive_max_pool",
          wrong(ops.adaptive_max_pool, dx=overwritten), GRADIENT),
    Plant("dy to all of a tie", "adaptive_max_pool",
          wrong(ops.adaptive_max_pool, dx=to_all_of_a_tie), TIE),
]  # fmt: skip


# ---- upsampling ----------------------------------------------------------------------------------


upsample = ops.upsample.forward


@functools.wraps(upsample)
def corners_swapped(x, factor=None, *, size=None, method="nearest", align_corners=False):
    swapped = not align_corners and method in ("linear", "cubic")
    return upsample(x, factor, size=size, method=method, align_corners=swapped)


@functools.wraps(upsample)
def of_the_rounded_size(x, factor=None, *, size=None, **options):
    size = size or [S for _, S, _ in upsampling.axes_of(x.shape, factor, None)]
    return upsample(x, size=size, **options)


def with_terms(change):
    """Return upsampling with other terms. change: function of (terms, L) -> terms"""

    def terms_of(xp, L, S, f, method, align_corners, right=upsampling.terms_of):
        return change(right(xp, L, S, f, method, align_corners), L)

    other = patch.object(upsampling, "terms_of", terms_of)
    return wrong(ops.upsample, functools.wraps(upsample)(textbook()(other(upsample))))


def without_the_border(terms, L):
    """Pixels beyond the border count as 0."""
    return [
        (q, K * (np.diff(q, append=L) != 0) if number == 0 and len(terms) > 1 else K)
        for number, (q, K) in enumerate(terms)
    ]


def turned(terms, L):
    return [(L - 1 - q, K) for q, K in terms]


@functools.wraps(ops.upsample.gradients["dx"])
def dx_overwritten(dy, x_shape, factor, size, method, align_corners):
    """A pixel gets the dy of the last output that reads it."""
    for axis, (L, S, f) in enumerate(upsampling.axes_of(x_shape, factor, size), start=1):
        dx = np.zeros((*dy.shape[:axis], L, *dy.shape[axis + 1 :]))
        for q, K in upsampling.terms_of(np, L, S, f, method, align_corners):
            dx[(*(slice(None),) * axis, q)] = upsampling.beside(K, axis, dy) * dy
        dy = dx
    return dy


UPSAMPLINGS = [
    Plant("corners and edges swapped", "upsample", wrong(ops.upsample, corners_swapped), FORWARD),
    Plant("a factor taken for the rounded size", "upsample",
          wrong(ops.upsample, of_the_rounded_size), FORWARD),
    Plant("pixels beyond the border left out", "upsample", with_terms(without_the_border), FORWARD),
    Plant("the picture turned round", "upsample", with_terms(turned), FORWARD),
    Plant("dx overwritten", "upsample", wrong(ops.upsample, dx=dx_overwritten), GRADIENT),
]  # fmt: skip
