"""Element by element: + - * / and their kin, with broadcasting; and the operators of Tensor.

Broadcasting repeats an input along an axis; each repetition adds its part to the gradient. So the
gradient with respect to a broadcast input is summed over the axes along which it was repeated:
`unbroadcast`, the adjoint of broadcasting.

Where dy is 0, the gradient is 0, even if the slope is infinite: a later op has masked that element.
"""

from minidl.autograd import Tensor, differentiable
from minidl.backend import array_module
from minidl.errors import ArgumentError, ShapeError
from minidl.ops.half import summed_in_float32
from minidl.ops.masks import masked
from minidl.shapes import can_broadcast


@summed_in_float32
def unbroadcast(dy, shape):
    """Sum dy over the axes that broadcasting `shape` to dy.shape repeated.

    >>> unbroadcast(np.ones((2, 3)), (3,))
    array([2., 2., 2.])
    """
    if dy.shape == shape:
        return dy
    added = dy.ndim - len(shape)
    repeated = tuple(i for i, n in enumerate(shape, start=added) if n == 1 and dy.shape[i] != 1)
    return dy.sum(axis=(*range(added), *repeated), keepdims=True).reshape(shape)


def must_broadcast(a, b):
    """The library of both arrays, once their shapes are seen to broadcast."""
    xp = array_module(a, b)
    a_shape, b_shape = (getattr(x, "shape", ()) for x in (a, b))
    if not can_broadcast(a_shape, b_shape):
        raise ShapeError(
            f"shapes {a_shape} and {b_shape} do not broadcast; from the last axis on, lengths must be equal or 1"
        )
    return xp


def add(a, b):
    """y = a + b

    >>> add(np.array([1., 2.]), 10.)
    array([11., 12.])
    """
    must_broadcast(a, b)
    return a + b


def add_da(dy, a_shape):
    """∂y/∂a = 1"""
    return unbroadcast(dy, a_shape)


def add_db(dy, b_shape):
    """∂y/∂b = 1"""
    return unbroadcast(dy, b_shape)


add = differentiable(add, da=add_da, db=add_db)


def subtract(a, b):
    """y = a - b"""
    must_broadcast(a, b)
    return a - b


def subtract_da(dy, a_shape):
    """∂y/∂a = 1"""
    return unbroadcast(dy, a_shape)


def subtract_db(dy, b_shape):
    """∂y/∂b = -1"""
    return unbroadcast(-dy, b_shape)


subtract = differentiable(subtract, da=subtract_da, db=subtract_db)


def multiply(a, b):
    """y = a·b, element by element

    >>> multiply(np.array([1., 2.]), np.array([3., 4.]))
    array([3., 8.])
    """
    must_broadcast(a, b)
    return a * b


def multiply_da(dy, b, a_shape):
    """∂y/∂a = b"""
    return unbroadcast(dy * b, a_shape)


def multiply_db(dy, a, b_shape):
    """∂y/∂b = a"""
    return unbroadcast(dy * a, b_shape)


multiply = differentiable(multiply, da=multiply_da, db=multiply_db)


def divide(a, b):
    """y = a / b"""
    must_broadcast(a, b)
    return a / b


def divide_da(dy, b, a_shape):
    """∂y/∂a = 1 / b"""
    return unbroadcast(masked(dy / b, dy != 0), a_shape)


@summed_in_float32
def divide_db(dy, y, b, b_shape):
    """∂y/∂b = -a / b² = -y / b"""
    return unbroadcast(masked(-dy * y / b, dy != 0), b_shape)


divide = differentiable(divide, da=divide_da, db=divide_db)


def negative(x):
    """y = -x"""
    return -x


def negative_dx(dy):
    """∂y/∂x = -1"""
    return -dy


negative = differentiable(negative, dx=negative_dx)


def power(x, exponent):
    """y = x^exponent, the exponent a number

    >>> power(np.array([1., 2., 3.]), 2)
    array([1., 4., 9.])
    """
    if getattr(exponent, "shape", ()):
        raise ArgumentError(
            f"the exponent is an array of shape {exponent.shape}; wanted a number, or exp(b * log(x)) instead"
        )
    return x**exponent


def power_dx(dy, x, exponent):
    """∂y/∂x = exponent·x^(exponent - 1); a constant where the exponent is 0"""
    dx = dy * (exponent * x ** (exponent - 1)) if exponent else array_module(dy).zeros_like(dy)
    return masked(dx, dy != 0) if exponent < 1 else dx


power = differentiable(power, dx=power_dx)


def exp(x):
    """y = e^x"""
    return array_module(x).exp(x)


def exp_dx(dy, y):
    """∂y/∂x = e^x = y"""
    return masked(dy * y, dy != 0)


exp = differentiable(exp, dx=exp_dx)


def log(x):
    """y = ln x, for x > 0"""
    return array_module(x).log(x)


def log_dx(dy, x):
    """∂y/∂x = 1 / x"""
    return masked(dy / x, dy != 0)


log = differentiable(log, dx=log_dx)


def sqrt(x):
    """y = √x, for x ≥ 0"""
    return array_module(x).sqrt(x)


def sqrt_dx(dy, y):
    """y² = x, so 2y·∂y/∂x = 1; at 0, where the slope is infinite, the gradient is set to 0, as
    distances want it"""
    where = array_module(y).where
    return where(y != 0, dy / where(y != 0, 2 * y, 1), 0)


sqrt = differentiable(sqrt, dx=sqrt_dx)


def absolute(x):
    """y = |x|"""
    return abs(x)


def absolute_dx(dy, x):
    """∂y/∂x = sign x; 0 at the kink"""
    return masked(dy, x != 0) * array_module(x).sign(x)


absolute = differentiable(absolute, dx=absolute_dx)


def maximum(a, b):
    """y = max(a, b), element by element

    >>> maximum(np.array([1., 5.]), 3.)
    array([3., 5.])
    """
    return must_broadcast(a, b).maximum(a, b)


def maximum_da(dy, a, b, a_shape):
    """1 where a is the larger; a tie sends the whole gradient to a, a NaN to both"""
    return unbroadcast(masked(dy, ~(a < b)), a_shape)


def maximum_db(dy, a, b, b_shape):
    """1 where b is the larger, or where the larger is NaN"""
    return unbroadcast(masked(dy, ~(a >= b)), b_shape)


maximum = differentiable(maximum, da=maximum_da, db=maximum_db)


def minimum(a, b):
    """y = min(a, b), element by element"""
    return must_broadcast(a, b).minimum(a, b)


def minimum_da(dy, a, b, a_shape):
    """1 where a is the smaller; a tie sends the whole gradient to a, a NaN to both"""
    return unbroadcast(masked(dy, ~(a > b)), a_shape)


def minimum_db(dy, a, b, b_shape):
    """1 where b is the smaller, or where the smaller is NaN"""
    return unbroadcast(masked(dy, ~(a <= b)), b_shape)


minimum = differentiable(minimum, da=minimum_da, db=minimum_db)


Tensor.__add__, Tensor.__radd__ = add, lambda x, y: add(y, x)
Tensor.__sub__, Tensor.__rsub__ = subtract, lambda x, y: subtract(y, x)
Tensor.__mul__, Tensor.__rmul__ = multiply, lambda x, y: multiply(y, x)
Tensor.__truediv__, Tensor.__rtruediv__ = divide, lambda x, y: divide(y, x)
Tensor.__neg__, Tensor.__pow__, Tensor.__abs__ = negative, power, absolute
