"""Activations are the nonlinear functions between layers.

x and y have the same shape. All functions work element by element, and raise ArgumentError if x is
not an array. smooth_activations.py has those that bend smoothly where relu has a kink.

Cost: at most five operations per number of x, one of which may be an exponential, and at most four
for the gradient.
"""

from minidl.autograd import differentiable
from minidl.backend import array_module
from minidl.errors import ShapeError
from minidl.ops.arithmetic import unbroadcast
from minidl.ops.masks import masked
from minidl.shapes import broadcasts_to
from minidl.typing import Operand, Result


def relu(x: Operand) -> Result:
    """y = max(x, 0)

    Source: Nair & Hinton 2010, "Rectified Linear Units Improve Restricted Boltzmann Machines".

    >>> relu(np.array([-1., 0., 2.]))
    array([0., 0., 2.])
    """
    return array_module(x).maximum(x, 0)


def relu_dx(dy, y):
    """∂y/∂x = 1 where x > 0, and 0 elsewhere

    x > 0 is where y ≠ 0. At the kink x = 0 the slope is 0. Where y is NaN, dx = dy.
    """
    return masked(dy, y != 0)


relu = differentiable(relu, dx=relu_dx)


def leaky_relu(x: Operand, slope: float = 0.01) -> Result:
    """y = x where x > 0, and slope·x elsewhere

    Source: Maas, Hannun, Ng 2013, "Rectifier Nonlinearities Improve Neural Network Acoustic
    Models".

    >>> leaky_relu(np.array([-1., 2.]), slope=0.5)
    array([-0.5,  2. ])
    """
    xp = array_module(x)
    return xp.where(x > 0, x, slope * x) if slope else xp.maximum(x, 0)  # 0·(-∞) would be NaN


def leaky_relu_dx(dy, x, slope):
    """∂y/∂x = 1 where x > 0, and slope elsewhere, also at the kink x = 0"""
    return array_module(x).where(x > 0, dy, slope * dy) if slope else masked(dy, x > 0)


leaky_relu = differentiable(leaky_relu, dx=leaky_relu_dx)


def prelu(x: Operand, slope: Operand) -> Result:
    """(..., C), (C,) -> (..., C)

    y = max(x, 0) + slope·min(x, 0)

    It is leaky_relu with slopes that are learned, one for each channel. The slope has the shape
    (C,), or (1,) if all channels share it, or another one that broadcasts to the shape of x. Raises
    ShapeError for others.

    Source: He, Zhang, Ren, Sun 2015, "Delving Deep into Rectifiers", eq. 1.

    >>> prelu(np.array([[-1., -1.], [2., 2.]]), np.array([0.5, 0.25]))
    array([[-0.5 , -0.25],
           [ 2.  ,  2.  ]])
    """
    xp = array_module(x, slope)
    return xp.maximum(x, 0) + slope * xp.minimum(x, 0)


def prelu_dx(dy, x, slope):
    """∂y/∂x = 1 where x > 0, and slope elsewhere, also at the kink x = 0"""
    return array_module(x, slope).where(x > 0, dy, slope * dy)


def prelu_dslope(dy, x, slope_shape):
    """∂y/∂slope = min(x, 0), added up over all x with the same slope"""
    return unbroadcast(dy * array_module(x).minimum(x, 0), slope_shape)


def must_have_slopes(x, slope):
    """Raise ShapeError if the shape of the slopes does not broadcast to that of x."""
    x_shape, slope_shape = getattr(x, "shape", ()), getattr(slope, "shape", ())
    if not broadcasts_to(slope_shape, x_shape):
        raise ShapeError(
            f"prelu of x {x_shape} and slopes {slope_shape}; wanted one slope for each channel, "
            f"{x_shape[-1:]}, or one for all, (1,)"
        )


prelu = differentiable(prelu, dx=prelu_dx, dslope=prelu_dslope, check=must_have_slopes)


def sigmoid(x: Operand) -> Result:
    """y = 1 / (1 + e^-x)

    The code uses e^-|x|, which cannot overflow:

        y = 1 / (1 + e^-|x|) where x > 0, and e^-|x| / (1 + e^-|x|) elsewhere

    Source: Rumelhart, Hinton, Williams 1986, "Learning representations by back-propagating errors".

    >>> sigmoid(np.array([0., -1000.]))
    array([0.5, 0. ])
    """
    xp = array_module(x)
    positive = x.real > 0  # the real part, for the proof by complex steps
    e = xp.exp(xp.where(positive, -x, x))
    return xp.where(positive, 1, e) / (1 + e)


def sigmoid_dx(dy, y):
    """∂y/∂x = e^-x / (1 + e^-x)² = y (1 - y)"""
    return dy * (y * (1 - y))


sigmoid = differentiable(sigmoid, dx=sigmoid_dx)


def tanh(x: Operand) -> Result:
    """y = (e^x - e^-x) / (e^x + e^-x)

    Source: LeCun, Bottou, Orr, Müller 1998, "Efficient BackProp", section 4.4.

    >>> tanh(np.array([0., 1000.]))
    array([0., 1.])
    """
    return array_module(x).tanh(x)


def tanh_dx(dy, y):
    """∂y/∂x = ((e^x + e^-x)² - (e^x - e^-x)²) / (e^x + e^-x)² = 1 - y²

    The first equation is the quotient rule.
    """
    return dy * (1 - y * y)


tanh = differentiable(tanh, dx=tanh_dx)
