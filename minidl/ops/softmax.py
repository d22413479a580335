"""Softmax turns numbers into probabilities, row by row. Its logarithm and the logarithm of its
denominator are ops of their own, which no overflow can spoil.

A row lies along an axis or several axes. i, j and k are places in it. The largest x of each row is
subtracted before the exponential, so that none overflows. This does not change the results. Raises
ShapeError if an axis has no numbers, and ArgumentError if x is no array or has no such axis.

Cost: one exponential and about four operations per number of x. The same for the gradient, which
for softmax has no exponential.
"""

from minidl.autograd import differentiable
from minidl.backend import array_module
from minidl.ops.masks import masked
from minidl.ops.reductions import axes_of, must_not_be_empty, spread
from minidl.typing import Axes, Operand, PerAxis, Result


def softmax(x: Operand, axis: PerAxis = -1) -> Result:
    """y[i] = e^x[i] / Σ_j e^x[j]

    y has the shape of x. axis: of a row, or several axes, over all of which the sum runs.

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


def log_softmax(x: Operand, axis: PerAxis = -1) -> Result:
    """y[i] = x[i] - ln Σ_j e^x[j]

    The logarithm of softmax. It is finite where softmax rounds to 0. y has the shape of x. axis: as
    for `softmax`.

    Source: Goodfellow, Bengio, Courville 2016, "Deep Learning", section 6.2.2.3.

    >>> log_softmax(np.array([0., -1000.]))
    array([    0., -1000.])
    """
    xp, axes = array_module(x), axes_of(axis, x.ndim)
    z = x - x.real.max(axis=axes, keepdims=True)
    return z - xp.log(xp.exp(z).sum(axis=axes, keepdims=True))


def log_softmax_dx(dy, y, axis):
    """∂y[i]/∂x[j] = [i = j] - e^y[j],      dx[j] = dy[j] - e^y[j] Σ_i dy[i]

    ln Σ_k e^x[k] has the derivative e^x[j] / Σ_k e^x[k] = e^y[j].
    """
    return dy - array_module(y).exp(y) * dy.sum(axis=axis, keepdims=True)


log_softmax = differentiable(log_softmax, dx=log_softmax_dx, check=must_have_rows)


def logsumexp(x: Operand, axis: Axes = None, keepdims: bool = False) -> Result:
    """y = ln Σ_j e^x[j]

    A smooth form of the largest x, for which it is also called the soft maximum. axis, keepdims: as
    for `sum`. y has the shape of x without the axes of the row.

    Source: Blanchard, Higham, Higham 2021, "Accurately computing the log-sum-exp and softmax
    functions".

    >>> logsumexp(np.array([[0., -1000.], [1000., 0.]]), axis=1)
    array([   0., 1000.])
    """
    xp, axes = array_module(x), axes_of(axis, x.ndim)
    largest = x.real.max(axis=axes, keepdims=True)
    largest = masked(largest, xp.isfinite(largest))  # ∞ - ∞ would be NaN
    y = largest + xp.log(xp.exp(x - largest).sum(axis=axes, keepdims=True))
    return y if keepdims else y.squeeze(axis=axes)


def logsumexp_dx(dy, x, y, axis, keepdims):
    """∂y/∂x[j] = e^x[j] / Σ_k e^x[k] = e^(x[j] - y)

    The slopes of a row are its softmax.
    """
    dy, y = (spread(row, x.shape, axis, keepdims) for row in (dy, y))
    return dy * array_module(x).exp(x - y)


def must_have_numbers(x, axis=None, keepdims=False):
    """Raise ShapeError if an axis of logsumexp has no numbers."""
    must_not_be_empty("logsumexp", x, axis, "each axis needs at least one number")


logsumexp = differentiable(logsumexp, dx=logsumexp_dx, check=must_have_numbers)
