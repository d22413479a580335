"""Arithmetic works element by element.

y has the shape of x, or that to which a and b broadcast. Raises ShapeError if they do not, and
ArgumentError if x is not an array, or if a or b is neither an array nor a number.

Broadcasting repeats an input along an axis, and each repetition contributes to the gradient. The
gradient with respect to a broadcast input is therefore the sum over the axes along which the input
was repeated. `unbroadcast` computes this sum. It is the adjoint of broadcasting.

The slopes of divide, and of power with an exponent below 1, can be infinite. Where dy is 0, their
gradients are 0, so that an element that a later op masks does not give NaN.

Cost: one operation per number of y, and at most six per number of dy for a gradient.

Source: NIST's Digital Library of Mathematical Functions, sections 1.4(iii) (rules of
differentiation) and 4.2(iv) (powers).
"""

from minidl.autograd import differentiable
from minidl.backend import array_module
from minidl.errors import ShapeError
from minidl.ops.masks import masked
from minidl.shapes import can_broadcast
from minidl.typing import Operand, Result


def unbroadcast(dy, shape):
    """Return dy, summed over the axes along which broadcasting repeats an array of this shape.

    >>> unbroadcast(np.ones((2, 3)), (3,))
    array([2., 2., 2.])
    """
    if dy.shape == shape:
        return dy
    added = dy.ndim - len(shape)
    repeated = [i for i, n in enumerate(shape, start=added) if n == 1 and dy.shape[i] != 1]
    return dy.sum(axis=(*range(added), *repeated), keepdims=True).reshape(shape)


def must_broadcast(a, b):
    """Raise ShapeError if the shapes of a and b do not broadcast."""
    a_shape, b_shape = (getattr(x, "shape", ()) for x in (a, b))
    if not can_broadcast(a_shape, b_shape):
        raise ShapeError(
            f"shapes {a_shape} and {b_shape} do not broadcast; from the last axis on, lengths must "
            "be equal or 1"
        )


def add(a: Operand, b: Operand) -> Result:
    """y = a + b

    >>> add(np.array([1., 2.]), 10.)
    array([11., 12.])
    """
    return a + b


def add_da(dy, a_shape):
    """∂y/∂a = 1"""
    return unbroadcast(dy, a_shape)


def add_db(dy, b_shape):
    """∂y/∂b = 1"""
    return unbroadcast(dy, b_shape)


add = differentiable(add, da=add_da, db=add_db, check=must_broadcast)


def subtract(a: Operand, b: Operand) -> Result:
    """y = a - b

    >>> subtract(np.array([1., 2.]), np.array([3., 3.]))
    array([-2., -1.])
    """
    return a - b


def subtract_da(dy, a_shape):
    """∂y/∂a = 1"""
    return unbroadcast(dy, a_shape)


def subtract_db(dy, b_shape):
    """∂y/∂b = -1"""
    return unbroadcast(-dy, b_shape)


subtract = differentiable(subtract, da=subtract_da, db=subtract_db, check=must_broadcast)


def multiply(a: Operand, b: Operand) -> Result:
    """y = a·b

    >>> multiply(np.array([1., 2.]), np.array([3., 4.]))
    array([3., 8.])
    """
    return a * b


def multiply_da(dy, b, a_shape):
    """∂y/∂a = b"""
    return unbroadcast(dy * b, a_shape)


def multiply_db(dy, a, b_shape):
    """∂y/∂b = a"""
    return unbroadcast(dy * a, b_shape)


multiply = differentiable(multiply, da=multiply_da, db=multiply_db, check=must_broadcast)


def divide(a: Operand, b: Operand) -> Result:
    """y = a / b

    >>> divide(np.array([1., 6.]), 2.)
    array([0.5, 3. ])
    """
    return a / b


def divide_da(dy, b, a_shape):
    """∂y/∂a = 1 / b"""
    return unbroadcast(masked(dy / b, dy != 0), a_shape)


def divide_db(dy, y, b, b_shape):
    """∂y/∂b = -a / b² = -y / b"""
    return unbroadcast(masked(-dy * y / b, dy != 0), b_shape)


divide = differentiable(divide, da=divide_da, db=divide_db, check=must_broadcast)


def negative(x: Operand) -> Result:
    """y = -x

    >>> negative(np.array([1., -2.]))
    array([-1.,  2.])
    """
    return -x


def negative_dx(dy):
    """∂y/∂x = -1"""
    return -dy


negative = differentiable(negative, dx=negative_dx)


def power(x: Operand, exponent: Operand) -> Result:
    """y = x^exponent

    The inputs are arrays or numbers. y is NaN where x < 0 and the exponent is not whole.

    >>> power(np.array([1., 2., 3.]), 2), power(2., np.array([1., 2., 3.]))
    (array([1., 4., 9.]), array([2., 4., 8.]))
    """
    return x**exponent


def power_dx(dy, x, exponent, x_shape):
    """∂y/∂x = exponent·x^(exponent - 1), which is 0 for the exponent 0"""
    is_bounded = isinstance(exponent, (int, float)) and exponent >= 1
    dx = dy * (exponent * x ** (exponent - 1 + (exponent == 0)))  # not 0·0^-1, which is NaN
    return unbroadcast(dx if is_bounded else masked(dx, (exponent != 0) & (dy != 0)), x_shape)


def power_dexponent(dy, x, y, exponent_shape):
    """y = e^(exponent·ln x), so ∂y/∂exponent = y ln x, which is 0 where x is 0"""
    xp = array_module(y)
    x = xp.asarray(x, y.dtype)
    slope = y * xp.log(x + (x == 0))  # not 0·(-∞), which would be NaN
    return unbroadcast(masked(dy * slope, dy != 0), exponent_shape)


def must_fit(x, exponent):
    """Raise ShapeError if the shapes do not broadcast."""
    must_broadcast(x, exponent)


power = differentiable(power, dx=power_dx, dexponent=power_dexponent, check=must_fit)
