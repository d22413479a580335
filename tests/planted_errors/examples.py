"""Errors planted in the normalizations of single examples, and in embedding."""

import numpy as np

from minidl import ops
from minidl.ops.embedding import rows_added
from minidl.ops.example_normalization import group_moments, grouped, normalized, normalized_dx
from minidl.ops.local_response import sums_of_squares, window_sums
from minidl.ops.normalization import scaled
from tests.planted_errors.plant import FORWARD, GRADIENT, SHAPE, Plant, wrong

# ---- group and layer normalization ---------------------------------------------------------------


def over(axes):
    """Return a group normalization with the moments along these axes of
    (N, positions, groups, C / groups)."""

    def forward(x, gamma=None, beta=None, *, groups, epsilon=1e-5, given=None):
        numbers = grouped(x, groups)
        moments = numbers.mean(axis=axes, keepdims=True), numbers.var(axis=axes, keepdims=True)
        x_hat, _ = normalized(numbers, (), moments, epsilon)
        return scaled(x_hat.reshape(x.shape), gamma, beta)

    return wrong(ops.group_norm, forward)


def interleaved_groups(x, gamma=None, beta=None, *, groups, epsilon=1e-5, given=None):
    shuffled = np.swapaxes(x.reshape(*x.shape[:-1], -1, groups), -1, -2).reshape(x.shape)
    y = ops.group_norm.forward(shuffled, groups=groups, epsilon=epsilon)
    y = np.swapaxes(y.reshape(*x.shape[:-1], groups, -1), -1, -2).reshape(x.shape)
    return scaled(y, gamma, beta)


def group_dx(dx_of_group):
    """Return a group normalization with dx = dx_of_group(dx̂, x̂, root)."""

    def dx(dy, x, gamma, groups, epsilon):
        moments = group_moments(x, groups)
        x_hat, root = normalized(grouped(x, groups), (1, 3), moments, epsilon)
        return dx_of_group(grouped(scaled(dy, gamma), groups), x_hat, root).reshape(x.shape)

    return wrong(ops.group_norm, dx=dx)


def without_the_mean(dx_hat, x_hat, root):
    along = (dx_hat * x_hat).mean(axis=(1, 3), keepdims=True)
    return (dx_hat - x_hat * along) / root


def without_the_variance(dx_hat, x_hat, root):
    return (dx_hat - dx_hat.mean(axis=(1, 3), keepdims=True)) / root


def gamma_after_the_sums(dy, x, gamma, groups, epsilon, given):
    return scaled(ops.group_norm.gradients["dx"](dy, x, None, groups, epsilon, given), gamma)


def dgamma_of_x(dy, x):
    return (dy * x).sum(axis=tuple(range(x.ndim - 1)))


def dbeta_of_the_batch_axis(dy):
    return dy.sum(axis=0)


def unbiased_layer_norm(x, gamma=None, beta=None, axes=1, epsilon=1e-5):
    last = tuple(range(-axes, 0))
    moments = x.mean(axis=last), x.var(axis=last, ddof=1)
    return scaled(normalized(x, last, moments, epsilon)[0], gamma, beta)


def last_axis_only(x, gamma=None, beta=None, axes=1, epsilon=1e-5):
    return scaled(ops.layer_norm.forward(x, None, None, 1, epsilon), gamma, beta)


def layer_dx_along_the_last_axis(dy, x, gamma, axes, epsilon):
    last = tuple(range(-axes, 0))
    moments = x.mean(axis=last), x.var(axis=last)
    x_hat, root = normalized(x, last, moments, epsilon)
    return normalized_dx(scaled(dy, gamma), x_hat, root, -1)


def moments_as_constants(dy, x, gamma, axes, epsilon):
    deviation = np.sqrt(x.var(axis=tuple(range(-axes, 0)), keepdims=True) + epsilon)
    return scaled(dy, gamma) / deviation


# ---- local response normalization, embedding -----------------------------------------------------


def response(sums):
    """Return a local response normalization that divides by a power of sums(x, size, alpha, k)."""

    def forward(x, size, alpha=1e-4, beta=0.75, k=1.0):
        return x * sums(x, size, alpha, k) ** -beta

    return wrong(ops.local_response_norm, forward)


def alpha_not_divided(x, size, alpha, k):
    return sums_of_squares(x, size, alpha * size, k)


def window_one_channel_late(x, size, alpha, k):
    return k + alpha / size * window_sums(x * x, (size - 1) // 2, size // 2)


def divided_by_the_channels_inside(x, size, alpha, k):
    counts = window_sums(np.ones(x.shape), size // 2, (size - 1) // 2)
    return k + alpha * window_sums(x * x, size // 2, (size - 1) // 2) / counts


def response_dx(before_after):
    """Return a gradient that adds over the windows from before_after(size)."""

    def dx(dy, x, size, alpha, beta, k):
        s = sums_of_squares(x, size, alpha, k)
        sums = window_sums(dy * x * s ** (-beta - 1), *before_after(size))
        return dy * s**-beta - 2 * alpha * beta / size * x * sums

    return wrong(ops.local_response_norm, dx=dx)


def only_the_direct_term(dy, x, size, alpha, beta, k):
    return dy * sums_of_squares(x, size, alpha, k) ** -beta


def the_last_of_equal_indices(dy, indices, w_shape, padding):
    dw = np.zeros(w_shape)
    dw[indices] = dy
    if padding is not None:
        dw[padding] = 0
    return dw


def padding_gets_a_gradient(dy, indices, w_shape):
    return rows_added(dy, indices, w_shape)


def padding_is_not_zero(w, indices, padding=None):
    return w[indices]


EXAMPLES = [
    Plant("moments over the batch too", "group_norm", over((0, 1, 3)), FORWARD),
    Plant("moments of each position", "group_norm", over((3,)), FORWARD),
    Plant("moments of all groups", "group_norm", over((1, 2, 3)), FORWARD),
    Plant("every G-th channel as a group", "group_norm",
          wrong(ops.group_norm, interleaved_groups), FORWARD),
    Plant("mean dx̂ left out of dx", "group_norm", group_dx(without_the_mean), GRADIENT),
    Plant("x̂ mean dx̂x̂ left out of dx", "group_norm", group_dx(without_the_variance), GRADIENT),
    Plant("γ applied after the sums", "group_norm",
          wrong(ops.group_norm, dx=gamma_after_the_sums), GRADIENT),
    Plant("dγ of x instead of x̂", "group_norm", wrong(ops.group_norm, dgamma=dgamma_of_x),
          GRADIENT),
    Plant("dβ sums over the batch only", "group_norm",
          wrong(ops.group_norm, dbeta=dbeta_of_the_batch_axis), SHAPE),
    Plant("variance over M - 1", "layer_norm", wrong(ops.layer_norm, unbiased_layer_norm), FORWARD),
    Plant("the last axis only", "layer_norm", wrong(ops.layer_norm, last_axis_only), FORWARD),
    Plant("means along the last axis only", "layer_norm",
          wrong(ops.layer_norm, dx=layer_dx_along_the_last_axis), GRADIENT),
    Plant("moments as constants", "layer_norm", wrong(ops.layer_norm, dx=moments_as_constants),
          GRADIENT),
    Plant("α instead of α/n", "local_response_norm", response(alpha_not_divided), FORWARD),
    Plant("an even window begins one channel late", "local_response_norm",
          response(window_one_channel_late), FORWARD),
    Plant("border divided by the channels inside", "local_response_norm",
          response(divided_by_the_channels_inside), FORWARD),
    Plant("the window of the forward in the gradient", "local_response_norm",
          response_dx(lambda size: (size // 2, (size - 1) // 2)), GRADIENT),
    Plant("neighbours forgotten in the gradient", "local_response_norm",
          response_dx(lambda size: (0, 0)), GRADIENT),
    Plant("only the direct term", "local_response_norm",
          wrong(ops.local_response_norm, dx=only_the_direct_term), GRADIENT),
    Plant("equal indices overwrite", "embedding",
          wrong(ops.embedding, dw=the_last_of_equal_indices), GRADIENT),
    Plant("padding has a gradient", "embedding", wrong(ops.embedding, dw=padding_gets_a_gradient),
          GRADIENT),
    Plant("padding is not 0", "embedding", wrong(ops.embedding, padding_is_not_zero), FORWARD),
]  # fmt: skip
