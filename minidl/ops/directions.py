"""Directions of vectors: what is left of them when their lengths do not count. A vector of zeros
has no direction: 0 stands in its place, and its gradient is 0, since no way out of the origin is
better than another."""

from minidl.autograd import differentiable
from minidl.backend import array_module, must_be_floating
from minidl.errors import ShapeError
from minidl.ops.half import summed_in_float32
from minidl.ops.reductions import axes_of


@summed_in_float32
def l2_normalize(x, axis=-1):
    """y = x / |x|,      |x| = √(Σ x²) along the axis

    >>> l2_normalize(np.array([[3., 4.], [0., 0.]]))
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    must_be_floating("x", x)
    return _over_length(x, x, axis)


@summed_in_float32
def l2_normalize_dx(dy, x, y, axis):
    """With ∂|x|/∂x[k] = x[k] / |x| = y[k],

        ∂y[i]/∂x[k] = ([i = k] - y[i] y[k]) / |x|,      so      dx = (dy - y Σ_i y[i] dy[i]) / |x|

    that is: dy, less its part along y, which would only make the vector longer.
    """
    along = (y * dy).sum(axis=axes_of(axis, x.ndim), keepdims=True)
    return _over_length(dy - y * along, x, axis)


l2_normalize = differentiable(l2_normalize, dx=l2_normalize_dx)


@summed_in_float32
def cosine_similarity(a, b):
    """(..., D), (..., D) -> (...)

    y = Σ_k â[k] b̂[k],      â = a / |a|,  b̂ = b / |b|:  the cosine of the angle between a and b, 0 where one of them is 0

    Rounding takes it past ±1 by a hair: clip it before an arccos.

    >>> cosine_similarity(np.array([[3., 4.], [1., 0.]]), np.array([[6., 8.], [0., 2.]]))
    array([1., 0.])
    """
    array_module(a, b)
    must_be_floating("a", a)
    must_be_floating("b", b)
    if a.shape != b.shape or not a.ndim:
        raise ShapeError(
            f"cosine_similarity of {a.shape} and {b.shape}; wanted the same shape (..., D) twice"
        )
    return (l2_normalize.forward(a) * l2_normalize.forward(b)).sum(axis=-1)


@summed_in_float32
def cosine_similarity_gradients(dy, y, a, b, wanted):
    """y is linear in â, so dâ = dy b̂; and on through the normalization, where Σ â dâ = dy y:

    da = dy (b̂ - y â) / |a|,      db = dy (â - y b̂) / |b|
    """
    dy, y, unit = (
        dy[..., None],
        y[..., None],
        {"a": l2_normalize.forward(a), "b": l2_normalize.forward(b)},
    )
    return {
        name: _over_length(dy * (unit[other] - y * unit[name]), x, -1)
        for name, x, other in (("a", a, "b"), ("b", b, "a"))
        if name in wanted
    }


cosine_similarity = differentiable(cosine_similarity, da_db=cosine_similarity_gradients)


def root(squares):
    """√squares; the constant 0 where squares are 0, so that the complex step gives the slope 0
    there; NaN for NaN"""
    xp = array_module(squares)
    return xp.where(squares.real <= 0, 0, xp.sqrt(squares))


def inverse(length):
    """1 / length; 0 where the length is 0; NaN for NaN"""
    xp = array_module(length)
    is_zero = length.real <= 0
    return xp.where(is_zero, 0, 1 / xp.where(is_zero, 1, length))


def _over_length(numbers, x, axis):
    """numbers / |x|, and 0 where that is 0, with |x| = m |x / m|, m the largest |x[i]|: of numbers
    up to 1 no square overflows, and none that counts vanishes"""
    if not x.size:
        return numbers
    xp, axes = array_module(x), axes_of(axis, x.ndim)
    m = abs(x.real).max(axis=axes, keepdims=True)
    m = xp.where(m > 0, m, 1)
    u = x / m
    return numbers / m * inverse(root((u * u).sum(axis=axes, keepdims=True)))
