"""Smooth activations are near 0 or bounded for small x, near x for large x, and bend smoothly in
between, where relu has a kink.

x and y have the same shape. All functions work element by element, and raise ArgumentError if x is
not an array. In the code, x.real is x; only the proof by complex steps calls it with complex x.

Cost: at most ten operations per number of x, one of which is an exponential, and as many for the
gradient. gelu also computes erf, which costs 24 exponentials. The gradients of silu and gelu find
the probability by which x was multiplied as y / x.
"""

from math import pi, sqrt
from typing import Literal

from minidl.autograd import differentiable
from minidl.backend import array_module
from minidl.errors import ArgumentError, one_of
from minidl.ops.activations import sigmoid
from minidl.ops.error_function import erf
from minidl.typing import Operand, Result

APPROXIMATIONS = ("none", "tanh")


def softplus(x: Operand, beta: float = 1.0) -> Result:
    """y = ln(1 + e^(βx)) / β,      β: beta

    y is the integral of the sigmoid of βx. The larger β is, the nearer y is to max(x, 0). The code
    uses another form, which cannot overflow:

        y = max(x, 0) + ln(1 + e^-|βx|) / β

    PyTorch sets y = x where βx > 20, an error below 2.1·10^-9 / β. beta: above 0. Raises
    ArgumentError for others.

    Source: Dugas, Bengio, Bélisle, Nadeau, Garcia 2001, "Incorporating Second-Order Functional
    Knowledge for Better Option Pricing".

    >>> softplus(np.array([-1000., 0., 10.])).round(4)
    array([ 0.    ,  0.6931, 10.    ])
    """
    xp, positive = array_module(x), x.real > 0
    logarithm = xp.log1p(xp.exp(beta * xp.where(positive, -x, x)))
    return xp.where(positive, x, 0) + logarithm / beta


def softplus_dx(dy, x, beta):
    """∂y/∂x = e^(βx) / (1 + e^(βx)) = sigmoid(βx)"""
    return dy * sigmoid(beta * x)


def must_be_above_0(x, beta=1.0):
    """Raise ArgumentError unless β is above 0."""
    if not beta > 0:
        raise ArgumentError(f"beta of softplus is {beta}; wanted a number above 0")


softplus = differentiable(softplus, dx=softplus_dx, check=must_be_above_0)


def elu(x: Operand, alpha: float = 1.0) -> Result:
    """y = x where x > 0, and α (e^x - 1) elsewhere,      α: alpha

    For α = 1 the slope is continuous. y approaches -α for small x.

    Source: Clevert, Unterthiner, Hochreiter 2016, "Fast and Accurate Deep Network Learning by
    Exponential Linear Units (ELUs)".

    >>> elu(np.array([-1000., 0., 2.]))
    array([-1.,  0.,  2.])
    """
    xp, positive = array_module(x), x.real > 0
    return xp.where(positive, x, alpha * xp.expm1(xp.where(positive, 0, x)))


def elu_dx(dy, x, alpha):
    """∂y/∂x = 1 where x > 0, and α e^x elsewhere, also at x = 0"""
    xp = array_module(x)
    return xp.where(x > 0, dy, dy * (alpha * xp.exp(xp.minimum(x, 0))))


elu = differentiable(elu, dx=elu_dx)


def silu(x: Operand) -> Result:
    """y = x s(x),      s(x) = 1 / (1 + e^-x)

    s is the sigmoid. The function is also called swish.

    Source: Elfwing, Uchibe, Doya 2018, "Sigmoid-Weighted Linear Units for Neural Network Function
    Approximation in Reinforcement Learning".

    >>> silu(np.array([0., 1., 10.])).round(4)
    array([0.    , 0.7311, 9.9995])
    """
    return x * sigmoid(x)


def silu_dx(dy, x, y):
    """∂y/∂x = s + x s (1 - s) = s + y (1 - s), because s' = s (1 - s)

    s = y / x, or 1/2 for x = 0.
    """
    s = ratio(y, x)
    return dy * (s + y * (1 - s))


def ratio(y, x):
    """y / x, or 1/2 for x = 0"""
    xp = array_module(x)
    return xp.where(x == 0, 0.5, y / xp.where(x == 0, 1, x))


silu = differentiable(silu, dx=silu_dx)


def gelu(x: Operand, approximate: Literal["none", "tanh"] = "none") -> Result:
    """y = x Φ(x),      Φ(x): the probability that a standard normal number is below x

    approximate: one of

        "none"    Φ(x) = (1 + erf(x / √2)) / 2
        "tanh"    Φ(x) = (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2

    The second is an approximation, with an error of y below 0.0005. Raises ArgumentError for other
    words.

    Source: Hendrycks & Gimpel 2016, "Gaussian Error Linear Units (GELUs)".

    >>> gelu(np.array([-1., 0., 1.])).round(4), gelu(np.array([1.]), approximate="tanh").round(4)
    (array([-0.1587,  0.    ,  0.8413]), array([0.8412]))
    """
    return x * probability(x, approximate)


def gelu_dx(dy, x, y, approximate):
    """∂y/∂x = Φ(x) + x Φ'(x)

    Φ(x) = y / x, or 1/2 for x = 0. "none": Φ'(x) is the density of the normal distribution. "tanh":
    by the chain rule, with tanh' = 1 - tanh².

        "none"    Φ'(x) = e^(-x²/2) / √(2π)
        "tanh"    Φ'(x) = (1 - T²) √(2/π) (1 + 3·0.044715 x²) / 2,      T = tanh(..) = 2 Φ(x) - 1
    """
    P = ratio(y, x)
    if approximate == "tanh":
        T = 2 * P - 1
        density = (1 - T * T) * (sqrt(2 / pi) * (1 + 3 * 0.044715 * x * x) / 2)
    else:
        density = array_module(x).exp(-x * x / 2) / sqrt(2 * pi)
    return dy * (P + x * density)


def probability(x, approximate):
    """Φ(x), as gelu documents it"""
    if approximate == "tanh":
        return (1 + array_module(x).tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))) / 2
    return (1 + erf(x / sqrt(2))) / 2


def must_be_an_approximation(x, approximate="none"):
    """Raise ArgumentError for an unknown approximation."""
    one_of("approximate", approximate, APPROXIMATIONS)


gelu = differentiable(gelu, dx=gelu_dx, check=must_be_an_approximation)
