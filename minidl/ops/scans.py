"""A cumulative sum adds up all numbers up to each place.

Cost: one addition per number of x, and per number of dy for the gradient.

Source: Blelloch 1990, "Prefix Sums and Their Applications".
"""

from minidl.autograd import differentiable
from minidl.backend import array_module
from minidl.ops.reductions import must_be_one_axis
from minidl.typing import Operand, Result


def cumsum(x: Operand, axis: int | None = None) -> Result:
    """(...) -> (...), the same shape

    y[i] = Σ_{k: k ≤ i} x[k]

    axis: along which i and k are places. None adds up all numbers in row-major order, and y has one
    axis. Raises ArgumentError if x has no such axis.

    >>> cumsum(np.array([1., 2., 3.]))
    array([1., 3., 6.])
    """
    return x.cumsum(axis=axis)


def cumsum_dx(dy, x_shape, axis):
    """dx[k] = Σ_{i: i ≥ k} dy[i]

    x[k] is a term of y[k] and of all y after it. The code adds up dy from its end.
    """
    flip = array_module(dy).flip
    axis = 0 if axis is None else axis
    return flip(flip(dy, axis).cumsum(axis=axis), axis).reshape(x_shape)


cumsum = differentiable(cumsum, dx=cumsum_dx, check=must_be_one_axis)
