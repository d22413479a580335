"""Elementary functions work element by element.

y has the shape of x. Raises ArgumentError if x is not an array.

The slopes of exp, log and sqrt can be infinite. Where dy is 0, the gradients of exp and log are 0,
so that an element that a later op masks does not give NaN.

Cost: one operation per number of y, and at most three per number of dy for a gradient.

Source: NIST's Digital Library of Mathematical Functions, sections 4.2 (exponential, logarithm and
powers) and 4.7 (their derivatives).
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
