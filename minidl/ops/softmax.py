"""Softmax turns numbers into probabilities, row by row.

x and y have the same shape. A row lies along an axis or several axes. Raises ShapeError if an axis
has no numbers, and ArgumentError if x is no array or has no such axis.

Cost: one exponential and about four operations per number of x, and at most four for the gradient.
"""

from minidl.autograd import differentiable
from minidl.backend import array_module
from minidl.ops.reductions import axes_of, must_not_be_empty
from minidl.typing import Operand, PerAxis, Result


def softmax(x: Operand, axis: PerAxis = -1) -> Result:
    """y[i] = e^x[i] / Σ_j e^x[j],      i, j: positions along the axis

    With several axes, the sum runs over all of them. The largest x of each row is subtracted first,
    so that no exponential overflows. This does not change y.

    Source: Bridle 1990, "Training Stochastic Model Recognition Algorithms as Networks can lead to
    Maximum Mutual Information Estimation of Parameters".

    >>> softmax(np.array([1000., 1000.]))
    array([0.5, 0.5])
    """
    axes = axes_of(axis, x.ndim)
    e = array_module(x).exp(x - x.real.max(axis=axes, keepdims=True))
    return e / e.sum(axis=axes, keepdims=True)


def softmax_dx(dy, y, axis):
    """∂y[i]/∂x[j] = y[i] ([i = j] - y[j]),      dx[j] = y[j] (dy[j] - Σ_i dy[i] y[i])

    ln y[i] = x[i] - ln Σ_k e^x[k] has the derivative [i = j] - y[j] with respect to x[j]. That of
    y[i] is y[i] times this. Multiplied by dy[i] and summed over i, it gives dx[j].
    """
    return y * (dy - (dy * y).sum(axis=axis, keepdims=True))


def must_have_rows(x, axis=-1):
    """Raise ShapeError if an axis of softmax has no numbers."""
    must_not_be_empty("softmax", x, axis, "each axis needs at least one number")


softmax = differentiable(softmax, dx=softmax_dx, check=must_have_rows)
