"""Variance and standard deviation reduce axes.

y has the shape of x without the reduced axes. With keepdims, y keeps them with length 1. In the
formulas, the numbers x[k] of one y are those along the reduced axes, n is their count, and μ their
mean. c: correction. c = 0 gives the mean squared deviation of the numbers themselves, and c = 1 the
estimate for the larger population that they are a sample of.

x is floating-point. Raises ShapeError if n is not larger than c, and ArgumentError if x has no such
axis or is not floating-point.

Cost: about four operations per number of x, and as many for the gradient.

Source: NIST's Digital Library of Mathematical Functions, section 1.2(iv) (means); Knuth 1998, "The
Art of Computer Programming", volume 2, section 4.2.2 (variance and standard deviation).
"""

from math import prod

from minidl.autograd import differentiable
from minidl.backend import array_module, must_be_floating
from minidl.errors import ShapeError
from minidl.ops.reductions import axes_of, spread
from minidl.typing import Axes, Operand, Result


def var(x: Operand, axis: Axes = None, keepdims: bool = False, *, correction: float = 0) -> Result:
    """y = Σ_k (x[k] - μ)² / (n - c)

    axis, keepdims: as for `sum`. correction: c, NumPy's ddof.

    >>> var(np.array([1., 3.])), var(np.array([1., 3.]), correction=1)
    (np.float64(1.0), np.float64(2.0))
    """
    return mean_square(x, axis, keepdims, correction)


def var_dx(dy, x, axis, keepdims, correction):
    """∂y/∂x[k] = 2 (x[k] - μ) / (n - c)

    The derivative through μ is -2 Σ_i (x[i] - μ) / (n - c) · 1/n. It is 0, because the deviations
    add up to 0.
    """
    axes = axes_of(axis, x.ndim)
    dy = dy * (2 / (count(x.shape, axes) - correction))
    return spread(dy, x.shape, axis, keepdims) * deviations(x, axes)


def must_have_enough(x, axis=None, keepdims=False, *, correction=0):
    """Raise ShapeError unless there are more numbers than the correction."""
    must_be_floating("x", x)
    axes = axes_of(axis, x.ndim)
    n = count(x.shape, axes)
    if not n > correction:
        raise ShapeError(
            f"the variance of n = {n} numbers (shape {x.shape} over axes {axes}) with a correction "
            f"of {correction} is undefined; wanted a correction below n"
        )


var = differentiable(var, dx=var_dx, check=must_have_enough)


def std(x: Operand, axis: Axes = None, keepdims: bool = False, *, correction: float = 0) -> Result:
    """y = √(Σ_k (x[k] - μ)² / (n - c))

    axis, keepdims, correction: as for `var`.

    >>> std(np.array([[1., 3.], [5., 5.]]), axis=1)
    array([1., 0.])
    """
    return array_module(x).sqrt(mean_square(x, axis, keepdims, correction))


def std_dx(dy, x, y, axis, keepdims, correction):
    """∂y/∂x[k] = (x[k] - μ) / ((n - c) y)

    This is the derivative of the variance, divided by 2 y. Where all numbers are equal, y is 0 and
    the gradient is 0.
    """
    where = array_module(y).where
    dy = where(y != 0, dy / where(y != 0, 2 * y, 1), 0)
    return var_dx(dy, x, axis, keepdims, correction)


std = differentiable(std, dx=std_dx, check=must_have_enough)


def mean_square(x, axis, keepdims, correction):
    """Return the sum of the squared deviations, divided by n - c."""
    axes = axes_of(axis, x.ndim)
    squares = deviations(x, axes) ** 2
    return squares.sum(axis=axes, keepdims=keepdims) / (count(x.shape, axes) - correction)


def deviations(x, axes):
    """Return x - μ, in the shape of x."""
    return x - x.mean(axis=axes, keepdims=True)


def count(shape, axes):
    """Return n, the count of the numbers of one y."""
    return prod(shape[i] for i in axes)
