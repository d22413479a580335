"""These ops choose between numbers at the same place: maximum, minimum.

y has the shape to which the inputs broadcast. Raises ShapeError if they do not, and ArgumentError
if an input is neither an array nor a number.

Each number of y is a copy of one number, whose gradient is dy. The gradients of the others are 0. A
tie of maximum and minimum sends the whole gradient to a. Where a or b is NaN, both slopes of
maximum and minimum are 1.

Cost: at most two comparisons per number of y, and at most three operations per number of dy for a
gradient.

Source: NIST's Digital Library of Mathematical Functions, section 1.4(iii) (rules of
differentiation).
"""

from minidl.autograd import differentiable
from minidl.backend import array_module
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
