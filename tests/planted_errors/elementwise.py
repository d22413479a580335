"""Errors planted in element-wise ops, reductions, moves and resampling."""

import numpy as np

from minidl import ops
from minidl.ops.arithmetic import unbroadcast
from tests import checks
from tests.planted_errors.plant import FORWARD, GRADIENT, SHAPE, TIE, Plant, wrong

# ---- element by element, reductions, moves -------------------------------------------------------


def relu_in_place(x):
    return np.maximum(x, 0, out=x) if x.ndim else np.maximum(x, 0)


def tanh_dx_in_place(dy, y):
    dy *= 1 - y * y
    return dy


def half_precision(x):
    return np.exp(x.astype(np.float16) if x.dtype == np.float32 else x).astype(x.dtype)


def stride_blind(x):
    """Read the numbers in the order of their places in memory."""
    return -x.ravel("K").reshape(x.shape)


def accumulating():
    """Return a gradient that adds to the result of its last call."""
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


def float64_of_float32(x):
    return np.maximum(x, np.zeros(1)).reshape(x.shape)


def leaky_slope_swapped(dy, x, slope):
    return np.where(x > 0, slope * dy, dy)


def tie_to_b_as_well(dy, a, b, b_shape):
    return unbroadcast(dy * (a <= b), b_shape)


def db_with_plus(dy, b_shape):
    return unbroadcast(dy, b_shape)


def dy_not_used(dy):
    return dy * 0 - 1


def float64_dx(dy, y):
    return dy * y * np.ones(1)[0]


def forward_transpose(dy, axes):
    return dy.transpose(axes)


READ_ONLY = checks.inputs_are_only_read

SIMPLE = [
    Plant("input overwritten", "relu", wrong(ops.relu, relu_in_place), READ_ONLY),
    Plant("dy overwritten", "tanh", wrong(ops.tanh, dx=tanh_dx_in_place), READ_ONLY),
    Plant("gradient adds up over calls", "exp", wrong(ops.exp, dx=accumulating()),
          checks.backward_twice_gives_the_same_bytes),
    Plant("float64 out of float32", "relu", wrong(ops.relu, float64_of_float32), SHAPE),
    Plant("float64 gradient of float32", "exp", wrong(ops.exp, dx=float64_dx), SHAPE),
    Plant("half precision inside", "exp", wrong(ops.exp, half_precision),
          checks.float32_is_near_float64),
    Plant("cotangent not used", "negative", wrong(ops.negative, dx=dy_not_used),
          checks.a_zero_cotangent_gives_exact_zeros),
    Plant("strides ignored", "negative", wrong(ops.negative, stride_blind),
          checks.strides_do_not_matter),
    Plant("slope 1 at 0", "relu", wrong(ops.relu, dx=lambda dy, y: dy * (y >= 0)), GRADIENT),
    Plant("leaky slope on the wrong side", "leaky_relu",
          wrong(ops.leaky_relu, dx=leaky_slope_swapped), GRADIENT),
    Plant("sigmoid y instead of y (1 - y)", "sigmoid", wrong(ops.sigmoid, dx=lambda dy, y: dy * y),
          GRADIENT),
    Plant("softmax without its sum", "softmax", wrong(ops.softmax, dx=lambda dy, y, axis: dy * y),
          GRADIENT),
    Plant("unbroadcast missing", "add", wrong(ops.add, db=lambda dy: dy), SHAPE),
    Plant("minus missing", "subtract", wrong(ops.subtract, db=db_with_plus), GRADIENT),
    Plant("dy to both of a tie", "maximum", wrong(ops.maximum, db=tie_to_b_as_well), TIE),
    Plant("mean divided by the wrong n", "mean", wrong(ops.mean, dx=mean_by_first_axis), GRADIENT),
    Plant("matmul's batch not summed", "matmul", wrong(ops.matmul, db=first_batch_db), GRADIENT),
    Plant("permutation not inverted", "transpose", wrong(ops.transpose, dx=forward_transpose),
          SHAPE),
    Plant("repeated index not added up", "index", wrong(ops.index, dx=overwriting_index), GRADIENT),
]  # fmt: skip


# ---- resampling ----------------------------------------------------------------------------------


def wrapping_resample(x, rows, columns):
    return ops.resample.forward(x, rows % x.shape[1], columns % x.shape[2])


def nearest_resample(x, rows, columns):
    return ops.resample.forward(x, np.rint(rows), np.rint(columns))


def forward_as_dx(dy, rows, columns, x_shape):
    """Wrong only where y has as many pixels as x."""
    right = ops.resample.gradients["dx"](dy, rows, columns, x_shape)
    return ops.resample.forward(dy, rows, columns) if dy.shape == x_shape else right


def last_term_dx(dy, rows, columns, x_shape):
    """A pixel that is read several times keeps the last term only."""
    dx, last = np.zeros(x_shape, dy.dtype), [length - 1 for length in x_shape[1:3]]
    for n, i, j in np.ndindex(rows.shape):
        r, s = np.clip([rows[n, i, j], columns[n, i, j]], 0, last)
        for p, q in np.ndindex(x_shape[1:3]):
            if abs(r - p) < 1 and abs(s - q) < 1:
                dx[n, p, q] = (1 - abs(r - p)) * (1 - abs(s - q)) * dy[n, i, j]
    return dx


RESAMPLINGS = [
    Plant("border wrapped around", "resample", wrong(ops.resample, wrapping_resample), FORWARD),
    Plant("nearest pixel only", "resample", wrong(ops.resample, nearest_resample), FORWARD),
    Plant("forward instead of its adjoint", "resample", wrong(ops.resample, dx=forward_as_dx),
          GRADIENT),
    Plant("terms overwritten in dx", "resample", wrong(ops.resample, dx=last_term_dx), GRADIENT),
]  # fmt: skip
