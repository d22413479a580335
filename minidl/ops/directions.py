"""These ops compute directions of vectors, and the cosine of the angle between two vectors.

A vector of zeros has no direction. Here its normalized vector and its gradient are 0.

Cost: about six operations per number of a vector, and as many for each gradient.

Source: Schroff, Kalenichenko, Philbin 2015, "FaceNet" (vectors of unit length); Salton, Wong, Yang
1975, "A Vector Space Model for Automatic Indexing" (the cosine).
"""

from minidl.autograd import differentiable
from minidl.backend import array_module, must_be_floating
from minidl.errors import ShapeError
from minidl.ops.reductions import axes_of
from minidl.typing import Axes, Operand, Result


def l2_normalize(x: Operand, axis: Axes = -1) -> Result:
    """y[i] = x[i] / |x|,      |x| = √(Σ_k x[k]²)

    axis: an axis, several, or None for all. i, k: positions along them. x and y have the same
    shape. Raises ArgumentError if x is not floating-point or has no such axis.

    >>> l2_normalize(np.array([[3., 4.], [0., 0.]]))
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    return over_length(x, x, axis)


def l2_normalize_dx(dy, x, y, axis):
    """With ∂|x|/∂x[k] = x[k] / |x| = y[k],

        ∂y[i]/∂x[k] = ([i = k] - y[i] y[k]) / |x|,      so      dx = (dy - y Σ_i y[i] dy[i]) / |x|

    The factor dy - y Σ_i y[i] dy[i] is dy without its part along y. That part does not count
    because a move along y changes only the length of x.
    """
    along = (y * dy).sum(axis=axes_of(axis, x.ndim), keepdims=True)
    return over_length(dy - y * along, x, axis)


def must_be_vectors(x, axis=-1):
    """Raise ArgumentError if x is not floating-point."""
    must_be_floating("x", x)


l2_normalize = differentiable(l2_normalize, dx=l2_normalize_dx, check=must_be_vectors)


def cosine_similarity(a: Operand, b: Operand) -> Result:
    """(..., D), (..., D) -> (...)

    y = Σ_k â[k] b̂[k],      â = a / |a|,  b̂ = b / |b|

    y is the cosine of the angle between a and b, or 0 if a or b is 0. Rounding errors may make |y|
    exceed 1, so clip y before an arccos. Raises ShapeError if the shapes differ, and ArgumentError
    for integers.

    >>> cosine_similarity(np.array([[3., 4.], [1., 0.]]), np.array([[6., 8.], [0., 2.]]))
    array([1., 0.])
    """
    return (l2_normalize(a) * l2_normalize(b)).sum(axis=-1)


def cosine_similarity_gradients(dy, y, a, b, wanted):
    """(...) -> (..., D), (..., D)

    y is linear in â, so dâ = dy b̂ and Σ_k â[k] dâ[k] = dy y. By the gradient of the normalization,

        da = (dâ - â Σ_k â[k] dâ[k]) / |a| = dy (b̂ - y â) / |a|,      db = dy (â - y b̂) / |b|
    """
    dy, y = dy[..., None], y[..., None]
    unit_a, unit_b = l2_normalize(a), l2_normalize(b)
    gradients = {
        "a": lambda: over_length(dy * (unit_b - y * unit_a), a),
        "b": lambda: over_length(dy * (unit_a - y * unit_b), b),
    }
    return {name: gradients[name]() for name in wanted}


def must_be_pairs(a, b):
    """Raise an error if a and b are not floating-point vectors of one shape."""
    must_be_floating("a", a)
    must_be_floating("b", b)
    if a.shape != b.shape or not a.ndim:
        raise ShapeError(
            f"cosine_similarity of {a.shape} and {b.shape}; wanted the same shape (..., D) twice"
        )


cosine_similarity = differentiable(
    cosine_similarity, joint={("a", "b"): cosine_similarity_gradients}, check=must_be_pairs
)


def square_length(d):
    """(..., D) -> (...): |d|² as Σ d·d, which is analytic, for the proof by complex steps"""
    return (d * d).sum(axis=-1)


def root(squares):
    """Return √squares. Where squares are 0 the result is the constant 0, so that the proof by
    complex steps finds the slope 0 there. A NaN stays NaN."""
    xp = array_module(squares)
    return xp.where(squares.real <= 0, 0, xp.sqrt(squares))


def inverse(length):
    """Return 1 / length, and 0 where the length is 0. A NaN stays NaN."""
    xp = array_module(length)
    is_zero = length.real <= 0
    return xp.where(is_zero, 0, 1 / xp.where(is_zero, 1, length))


def over_length(numbers, x, axis: Axes = -1):
    """Return numbers / |x|, and 0 where |x| is 0.

    The length is computed as |x| = m |x / m|, m = max |x[i]|. The squares of x / m cannot overflow.
    One of them is 1, so those that underflow do not change the sum.
    """
    if not x.size:
        return numbers
    xp, axes = array_module(x), axes_of(axis, x.ndim)
    m = abs(x.real).max(axis=axes, keepdims=True)
    m = xp.where(m > 0, m, 1)
    u = x / m
    return numbers / m * inverse(root((u * u).sum(axis=axes, keepdims=True)))
