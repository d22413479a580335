"""These ops choose between numbers at the same place: maximum, minimum, clip, where.

y has the shape to which the inputs broadcast. Raises ShapeError if they do not, and ArgumentError
if an input is neither an array nor a number.

Each number of y is a copy of one number, whose gradient is dy. The gradients of the others are 0. A
tie of maximum and minimum sends the whole gradient to a, and a tie of clip to x. Where a or b is
NaN, both slopes of maximum and minimum are 1. Where x is NaN, its slope in clip is 1.

Cost: at most two comparisons per number of y, and at most four operations per number of dy for a
gradient.

Source: NIST's Digital Library of Mathematical Functions, section 1.4(iii) (rules of
differentiation).
"""

from math import inf

from minidl.autograd import differentiable
from minidl.backend import array_module, is_array
from minidl.errors import ArgumentError
from minidl.ops.arithmetic import must_broadcast, unbroadcast
from minidl.ops.masks import masked
from minidl.typing import Operand, Result


def maximum(a: Operand, b: Operand) -> Result:
    """y = max(a, b)

    >>> maximum(np.array([1., 5.]), 3.)
    array([3., 5.])
    """
    return array_module(a, b).maximum(a, b)


def maximum_da(dy, a, b, a_shape):
    """∂y/∂a = 1 where a ≥ b, and 0 elsewhere"""
    return unbroadcast(masked(dy, ~(a < b)), a_shape)


def maximum_db(dy, a, b, b_shape):
    """∂y/∂b = 1 where b > a, and 0 elsewhere"""
    return unbroadcast(masked(dy, ~(a >= b)), b_shape)


maximum = differentiable(maximum, da=maximum_da, db=maximum_db, check=must_broadcast)


def minimum(a: Operand, b: Operand) -> Result:
    """y = min(a, b)

    >>> minimum(np.array([1., 5.]), 3.)
    array([1., 3.])
    """
    return array_module(a, b).minimum(a, b)


def minimum_da(dy, a, b, a_shape):
    """∂y/∂a = 1 where a ≤ b, and 0 elsewhere"""
    return unbroadcast(masked(dy, ~(a > b)), a_shape)


def minimum_db(dy, a, b, b_shape):
    """∂y/∂b = 1 where b < a, and 0 elsewhere"""
    return unbroadcast(masked(dy, ~(a <= b)), b_shape)


minimum = differentiable(minimum, da=minimum_da, db=minimum_db, check=must_broadcast)


def clip(x: Operand, min: Operand = None, max: Operand = None) -> Result:
    """y = min where x < min, max where x > max, and x elsewhere

    min, max: the bounds, arrays or numbers. None is no bound. Where min > max, y = max. Raises
    ArgumentError if both are None.

    >>> clip(np.array([-1., 2., 5.]), 0, 3)
    array([0., 2., 3.])
    """
    return array_module(x, min, max).clip(x, min, max)


def clip_dx(dy, x, min, max):
    """∂y/∂x = 1 where min ≤ x ≤ max, and 0 elsewhere"""
    low, high = limits(min, max)
    return unbroadcast(masked(dy, ~((x < low) | (x > high))), x.shape)


def clip_dmin(dy, x, min, max, min_shape):
    """∂y/∂min = 1 where x < min ≤ max, and 0 elsewhere"""
    low, high = limits(min, max)
    return unbroadcast(masked(dy, (x < low) & ~(low > high)), min_shape)


def clip_dmax(dy, x, min, max, max_shape):
    """∂y/∂max = 1 where x > max or min > max, and 0 elsewhere"""
    low, high = limits(min, max)
    return unbroadcast(masked(dy, (x > high) | (low > high)), max_shape)


def limits(min, max):
    """Return the bounds, with an infinity in place of None."""
    return -inf if min is None else min, inf if max is None else max


def must_be_bounds(x, min=None, max=None):
    """Raise ArgumentError if there is no bound, and ShapeError if the shapes do not broadcast."""
    if min is None and max is None:
        raise ArgumentError("clip has no bound and would change nothing; give min, max, or both")
    for a, b in ((x, min), (x, max), (min, max)):
        must_broadcast(a, b)


clip = differentiable(clip, dx=clip_dx, dmin=clip_dmin, dmax=clip_dmax, check=must_be_bounds)


def where(condition: Operand, a: Operand, b: Operand) -> Result:
    """y = a where the condition is True, and b elsewhere

    condition: an array of bools, such as x > 0. It broadcasts with a and b, and has no gradient.
    Raises ArgumentError if it is anything else.

    >>> where(np.array([True, False]), np.array([1., 2.]), 0.)
    array([1., 0.])
    """
    return array_module(condition, a, b).where(condition, a, b)


def where_da(dy, condition, a_shape):
    """∂y/∂a = 1 where the condition is True, and 0 elsewhere"""
    return unbroadcast(masked(dy, condition), a_shape)


def where_db(dy, condition, b_shape):
    """∂y/∂b = 0 where the condition is True, and 1 elsewhere"""
    return unbroadcast(masked(dy, ~condition), b_shape)


def must_be_a_choice(condition, a, b):
    """Raise ArgumentError unless the condition is an array of bools, and ShapeError if the shapes
    do not broadcast."""
    if not is_array(condition) or condition.dtype.kind != "b":
        found = condition.dtype if is_array(condition) else type(condition).__name__
        raise ArgumentError(
            f"the condition of where is of type {found}; wanted an array of bools, such as x > 0"
        )
    for first, second in ((condition, a), (condition, b), (a, b)):
        must_broadcast(first, second)


where = differentiable(where, da=where_da, db=where_db, check=must_be_a_choice)
