"""Elementary functions work element by element.

y has the shape of x. Raises ArgumentError if x is not an array.

The slopes of exp, log, sqrt, expm1 and log1p can be infinite. Where dy is 0, their gradients are 0,
so that an element that a later op masks does not give NaN.

Cost: one operation per number of y, and at most three per number of dy for a gradient.

Source: NIST's Digital Library of Mathematical Functions, sections 4.2 (exponential, logarithm and
powers), 4.7 (their derivatives), and 4.20 (derivatives of sine and cosine).
"""

from minidl.autograd import differentiable
from minidl.backend import array_module
from minidl.ops.masks import masked
from minidl.typing import Operand, Result


def exp(x: Operand) -> Result:
    """y = e^x

    >>> exp(np.array([0., -1000.]))
    array([1., 0.])
    """
    return array_module(x).exp(x)


def exp_dx(dy, y):
    """∂y/∂x = e^x = y"""
    return masked(dy * y, dy != 0)


exp = differentiable(exp, dx=exp_dx)


def log(x: Operand) -> Result:
    """y = ln x where x > 0, -∞ at x = 0, and NaN elsewhere

    >>> log(np.array([1., np.inf]))
    array([ 0., inf])
    """
    return array_module(x).log(x)


def log_dx(dy, x):
    """∂y/∂x = 1 / x"""
    return masked(dy / x, dy != 0)


log = differentiable(log, dx=log_dx)


def expm1(x: Operand) -> Result:
    """y = e^x - 1

    All digits of y are right, also where x is so small that e^x rounds to 1.

    >>> expm1(np.array([0., 1e-20]))
    array([0.e+00, 1.e-20])
    """
    return array_module(x).expm1(x)


def expm1_dx(dy, y):
    """∂y/∂x = e^x = y + 1"""
    return masked(dy * (y + 1), dy != 0)


expm1 = differentiable(expm1, dx=expm1_dx)


def log1p(x: Operand) -> Result:
    """y = ln (1 + x) where x > -1, -∞ at x = -1, and NaN elsewhere

    All digits of y are right, also where x is so small that 1 + x rounds to 1.

    >>> log1p(np.array([0., 1e-20]))
    array([0.e+00, 1.e-20])
    """
    return array_module(x).log1p(x)


def log1p_dx(dy, x):
    """∂y/∂x = 1 / (1 + x)"""
    return masked(dy / (1 + x), dy != 0)


log1p = differentiable(log1p, dx=log1p_dx)


def sqrt(x: Operand) -> Result:
    """y = √x where x ≥ 0, and NaN elsewhere

    >>> sqrt(np.array([4., 9.]))
    array([2., 3.])
    """
    return array_module(x).sqrt(x)


def sqrt_dx(dy, y):
    """y² = x, so 2 y ∂y/∂x = 1 and ∂y/∂x = 1 / (2 y)

    At 0, where the slope is infinite, the gradient is 0. The distance of equal points needs this.
    """
    where = array_module(y).where
    return where(y != 0, dy / where(y != 0, 2 * y, 1), 0)


sqrt = differentiable(sqrt, dx=sqrt_dx)


def absolute(x: Operand) -> Result:
    """y = |x|

    >>> absolute(np.array([-2., 3.]))
    array([2., 3.])
    """
    return abs(x)


def absolute_dx(dy, x):
    """∂y/∂x = sign x, which is 0 at the kink x = 0"""
    return masked(dy, x != 0) * array_module(x).sign(x)


absolute = differentiable(absolute, dx=absolute_dx)


def sin(x: Operand) -> Result:
    """y = sin x, of an angle in radians

    >>> sin(np.array([0., np.pi / 2]))
    array([0., 1.])
    """
    return array_module(x).sin(x)


def sin_dx(dy, x):
    """∂y/∂x = cos x"""
    return dy * array_module(x).cos(x)


sin = differentiable(sin, dx=sin_dx)


def cos(x: Operand) -> Result:
    """y = cos x, of an angle in radians

    >>> cos(np.array([0., np.pi]))
    array([ 1., -1.])
    """
    return array_module(x).cos(x)


def cos_dx(dy, x):
    """∂y/∂x = -sin x"""
    return -dy * array_module(x).sin(x)


cos = differentiable(cos, dx=cos_dx)
