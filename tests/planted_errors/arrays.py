"""Errors planted in ops that select, join, repeat, reduce or contract arrays."""

from itertools import pairwise

import numpy as np

from minidl import ops
from minidl.autograd import differentiable
from minidl.ops.arithmetic import unbroadcast
from minidl.ops.einsum import einsum_of, einsum_of_doperands
from minidl.ops.reductions import spread
from minidl.ops.statistics import count, deviations
from tests.planted_errors.plant import FORWARD, GRADIENT, TIE, Plant, wrong

# ---- functions of numbers, selection -------------------------------------------------------------


def power_dexponent_without_ln(dy, x, y, exponent_shape):
    return unbroadcast(dy * y * x, exponent_shape)


def unreduced_exponent(dy, x, number):
    return dy * number * x**number


def expm1_without_1(dy, y):
    return dy * y


def log1p_without_1(dy, x):
    return dy / x


def min_before_max(x, min=None, max=None):
    return np.maximum(np.minimum(x, max), min)


def clip_dx_everywhere(dy, x):
    return unbroadcast(dy, x.shape)


def clip_dmin_also_above_max(dy, x, min, min_shape):
    return unbroadcast(dy * (x < min), min_shape)


def where_da_everywhere(dy, a_shape):
    return unbroadcast(dy, a_shape)


# ---- reductions ----------------------------------------------------------------------------------


def prod_dx_by_division(dy, x, axis, keepdims):
    with np.errstate(all="ignore"):
        y = np.asarray(ops.prod.forward(x, axis, keepdims))
        return spread(dy * y, x.shape, axis, keepdims) / x


def min_dx_to_all(dy, x, axis, keepdims):
    """A tie sends the gradient to each of the smallest numbers."""
    y = np.asarray(ops.min.forward(x, axis, keepdims))
    return spread(dy, x.shape, axis, keepdims) * (x == spread(y, x.shape, axis, keepdims))


def var_without_correction(x, axis=None, keepdims=False, *, correction=0):
    return x.var(axis=axis, keepdims=keepdims)


def std_dx_of_var(dy, x, axis, keepdims, correction):
    return ops.var.gradients["dx"](dy, x, axis, keepdims, correction)


def var_dx_without_mean(dy, x, axis, keepdims, correction):
    axes = tuple(range(x.ndim)) if axis is None else np.atleast_1d(axis) % x.ndim
    dy = 2 * dy / (count(x.shape, axes) - correction)
    return spread(dy, x.shape, axis, keepdims) * (deviations(x, tuple(axes)) + 0.1)


def cumsum_dx_from_the_front(dy, x_shape, axis):
    return dy.cumsum(axis=axis).reshape(x_shape)


def exponentials_only(dy, x, axis, keepdims):
    return spread(dy, x.shape, axis, keepdims) * np.exp(x)


def log_softmax_dx_without_exp(dy, y, axis):
    return dy - y * dy.sum(axis=axis, keepdims=True)


# ---- joining, repetition, shapes -----------------------------------------------------------------


def stack_darrays_of_first(dy, axis, which):
    return dy[(slice(None),) * (axis % dy.ndim) + (0, ...)]


def overlapping_parts(x, sections, axis):
    """Each part ends with the first number of the next."""
    parts = ops.split(x, sections, axis)
    longer = [ops.concatenate([a, b], axis) for a, b in pairwise(parts)]
    return ops.concatenate([*longer, parts[-1]][::-1], axis)


def repeat_as_tile(x, repeats, axis=None):
    if isinstance(repeats, int) and axis is None:
        return np.tile(x.ravel(), repeats)
    return x.repeat(repeats, axis=axis)


def repeat_dx_of_the_mean(dy, x_shape, repeats, axis):
    several = repeats if isinstance(repeats, list) else [repeats]
    return ops.repeat.gradients["dx"](dy, x_shape, repeats, axis) / max(1, *several, 1)


def tile_dx_of_neighbours(dy, x_shape, counts):
    """Adds up dy as if the copies of a number were neighbours."""
    if isinstance(counts, int) and len(x_shape) == 1:
        return dy.reshape(-1, counts).sum(axis=1)
    return ops.tile.gradients["dx"](dy, x_shape, counts)


def flatten_dx_in_column_major_order(dy, x_shape):
    return dy.reshape(x_shape, order="F")


def squeeze_all(x, axis=None):
    """Drops all axes of length 1, also if one is named."""
    return x.squeeze()


def expand_dims_by_places_in_x(x, axis):
    """Counts a negative axis from the end of x instead of y."""
    return np.expand_dims(x, axis if np.ndim(axis) or axis >= 0 else axis % x.ndim)


# ---- einsum --------------------------------------------------------------------------------------


def whole_matrix_for_a_diagonal(dy, others, operands_shape, subscripts, which):
    """The gradient of a diagonal, repeated along the rows instead of on a diagonal."""
    if subscripts != "ii->i":
        return einsum_of_doperands(dy, others, operands_shape, subscripts, which)
    return np.broadcast_to(dy, operands_shape[which])


def einsum_of_one(a, subscripts):
    op = differentiable(einsum_of, doperands=whole_matrix_for_a_diagonal)
    return op([a], subscripts)


def without_the_sum_over_copies(dy, others, operands_shape, subscripts, which):
    """An operand that is repeated along an axis of length 1 gets the mean of its gradients."""
    right = einsum_of_doperands(dy, others, operands_shape, subscripts, which)
    return right / 2 if subscripts == "...i,...i->..." and which else right


def einsum_of_two(a, b, subscripts):
    op = differentiable(einsum_of, doperands=without_the_sum_over_copies)
    return op([a, b], subscripts)


def letters_in_order_of_appearance(a, b, subscripts):
    return ops.einsum(subscripts if "->" in subscripts else f"{subscripts}->ki", a, b)


ARRAYS = [
    Plant("ln missing", "power", wrong(ops.power, dexponent=power_dexponent_without_ln), GRADIENT),
    Plant("1 not subtracted", "power[number]",
          differentiable(lambda x, number: x**number, dx=unreduced_exponent), GRADIENT),
    Plant("slope e^x - 1", "expm1", wrong(ops.expm1, dx=expm1_without_1), GRADIENT),
    Plant("slope 1 / x", "log1p", wrong(ops.log1p, dx=log1p_without_1), GRADIENT),
    Plant("slope of the cosine", "sin", wrong(ops.sin, dx=lambda dy, x: -dy * np.sin(x)), GRADIENT),
    Plant("minus missing", "cos", wrong(ops.cos, dx=lambda dy, x: dy * np.sin(x)), GRADIENT),
    Plant("min wins over max", "clip", wrong(ops.clip, min_before_max), FORWARD),
    Plant("slope 1 outside the bounds", "clip", wrong(ops.clip, dx=clip_dx_everywhere), GRADIENT),
    Plant("min of the wrong order", "clip", wrong(ops.clip, dmin=clip_dmin_also_above_max),
          GRADIENT),
    Plant("one bound ignored", "clip[numbers]",
          lambda x, bounds: ops.minimum(x, bounds[1]) if bounds[1] is not None else x, FORWARD),
    Plant("condition ignored", "where", wrong(ops.where, da=where_da_everywhere), GRADIENT),
    Plant("choices exchanged", "where",
          wrong(ops.where, lambda condition, a, b: np.where(condition, b, a)), FORWARD),
    Plant("division by a zero", "prod[zero]", wrong(ops.prod, dx=prod_dx_by_division), GRADIENT),
    Plant("dy to each smallest number", "min", wrong(ops.min, dx=min_dx_to_all), TIE),
    Plant("correction ignored", "var", wrong(ops.var, var_without_correction), FORWARD),
    Plant("mean not subtracted", "var", wrong(ops.var, dx=var_dx_without_mean), GRADIENT),
    Plant("the slope of the variance", "std", wrong(ops.std, dx=std_dx_of_var), GRADIENT),
    Plant("summed from the front", "cumsum", wrong(ops.cumsum, dx=cumsum_dx_from_the_front),
          GRADIENT),
    Plant("not divided by the sum", "logsumexp", wrong(ops.logsumexp, dx=exponentials_only),
          GRADIENT),
    Plant("y instead of e^y", "log_softmax", wrong(ops.log_softmax, dx=log_softmax_dx_without_exp),
          GRADIENT),
    Plant("dy of the first array", "stack",
          lambda a, b, axis: wrong(ops.stack, darrays=stack_darrays_of_first)([a, b], axis),
          GRADIENT),
    Plant("parts overlap", "split", overlapping_parts, FORWARD),
    Plant("copies in the order of tile", "repeat", wrong(ops.repeat, repeat_as_tile), FORWARD),
    Plant("mean of the copies", "repeat", wrong(ops.repeat, dx=repeat_dx_of_the_mean), GRADIENT),
    Plant("copies in the order of repeat", "tile", wrong(ops.tile, dx=tile_dx_of_neighbours),
          GRADIENT),
    Plant("column-major", "flatten", wrong(ops.flatten, dx=flatten_dx_in_column_major_order),
          GRADIENT),
    Plant("other axes dropped too", "squeeze", wrong(ops.squeeze, squeeze_all), FORWARD),
    Plant("places in x", "expand_dims", wrong(ops.expand_dims, expand_dims_by_places_in_x),
          FORWARD),
    Plant("rows for a diagonal", "einsum[one]", einsum_of_one, GRADIENT),
    Plant("mean over repetitions", "einsum", einsum_of_two, GRADIENT),
    Plant("result in order of appearance", "einsum", letters_in_order_of_appearance, FORWARD),
]  # fmt: skip
