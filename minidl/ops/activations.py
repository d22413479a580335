"""The nonlinear functions between layers, element by element (softmax: row by row)."""

from minidl.autograd import differentiable
from minidl.backend import array_module
from minidl.errors import ShapeError
from minidl.ops.half import summed_in_float32
from minidl.ops.masks import masked
from minidl.ops.reductions import axes_of


def relu(x):
    """y = max(x, 0)

    >>> relu(np.array([-1., 0., 2.]))
    array([0., 0., 2.])
    """
    return array_module(x).maximum(x, 0)


def relu_dx(dy, y):
    """1 where x > 0, that is where y is not 0; else 0, at the kink too. A NaN passes dy on."""
    return masked(dy, y != 0)


relu = differentiable(relu, dx=relu_dx)


def leaky_relu(x, slope=0.01):
    """y = x where x > 0, else slope·x (Maas, Hannun, Ng 2013)

    >>> leaky_relu(np.array([-1., 2.]), slope=0.5)
    array([-0.5,  2. ])
    """
    xp = array_module(x)
    return xp.where(x > 0, x, slope * x) if slope else xp.maximum(x, 0)


def leaky_relu_dx(dy, x, slope):
    """1 where x > 0, else the slope, at the kink too"""
    return array_module(x).where(x > 0, dy, slope * dy) if slope else masked(dy, x > 0)


leaky_relu = differentiable(leaky_relu, dx=leaky_relu_dx)


def sigmoid(x):
    """y = 1 / (1 + e^-x), written with e^-|x| so that nothing overflows

    >>> sigmoid(np.array([0., -1000.]))
    array([0.5, 0. ])
    """
    xp = array_module(x)
    positive = x.real > 0  # of the real part, for the proof by complex steps
    e = xp.exp(xp.where(positive, -x, x))
    return xp.where(positive, 1, e) / (1 + e)


def sigmoid_dx(dy, y):
    """∂y/∂x = e^-x / (1 + e^-x)² = y (1 - y)"""
    return dy * (y * (1 - y))


sigmoid = differentiable(sigmoid, dx=sigmoid_dx)


def tanh(x):
    """y = (e^x - e^-x) / (e^x + e^-x)"""
    return array_module(x).tanh(x)


def tanh_dx(dy, y):
    """∂y/∂x = 1 - y²"""
    return dy * (1 - y * y)


tanh = differentiable(tanh, dx=tanh_dx)


@summed_in_float32
def softmax(x, axis=-1):
    """y[i] = e^x[i] / Σ_j e^x[j] along the axis

    The largest x of each row is taken off first: y stays the same, and no exponential overflows.

    >>> softmax(np.array([1000., 1000.]))
    array([0.5, 0.5])
    """
    xp, axis = array_module(x), axes_of(axis, x.ndim)
    if any(x.shape[i] == 0 for i in axis):
        raise ShapeError(
            f"softmax of shape {x.shape} over axes {axis}: each axis needs at least one number"
        )
    e = xp.exp(x - x.real.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


@summed_in_float32
def softmax_dx(dy, y, axis):
    """∂y[i]/∂x[j] = y[i] ([i = j] - y[j]), so  dx[j] = y[j] (dy[j] - Σ_i dy[i] y[i])"""
    return y * (dy - (dy * y).sum(axis=axis, keepdims=True))


softmax = differentiable(softmax, dx=softmax_dx)
