"""These ops compute the distances between all points of one set or of two sets, and the terms of
the chi-square distance of histograms.

Source: Hermans, Beyer, Leibe 2017, "In Defense of the Triplet Loss for Person Re-Identification"
(all distances of a batch); Taigman, Yang, Ranzato, Wolf 2014, "DeepFace" (chi-square).
"""

from minidl.autograd import differentiable
from minidl.backend import array_module, device_of, must_be_floating
from minidl.errors import ArgumentError, ShapeError
from minidl.ops.arithmetic import must_broadcast, unbroadcast
from minidl.ops.directions import inverse, root, square_length
from minidl.typing import Operand, Result


def pairwise_distances(a: Operand, b: Operand = None, squared: bool = False) -> Result:
    """(N, D), (M, D) -> (N, M), or (N, D) -> (N, N) for one set of points

    y[i,j] = √s[i,j], or s[i,j] if `squared`,      s[i,j] = Σ_k (a[i,k] - b[j,k])²

    For one set of points, b is None in the call and a in the formula. The differences are computed
    before they are squared, so that the distance of equal points is exactly 0. The formula
    |a|² + |b|² - 2 a·b would need only a matrix product, but for two near points its terms cancel
    and leave rounding errors: the result may be negative, and its root may be much too large.

    Cost: N·M·D subtractions and multiply-adds, and as many again for each gradient. Raises
    ShapeError if the points differ in D, and ArgumentError for integers.

    >>> pairwise_distances(np.array([[0., 0.], [3., 4.]]))
    array([[0., 5.],
           [5., 0.]])
    """
    s = square_length(a[:, None] - (a if b is None else b))
    return s if squared else root(s)


def pairwise_distances_gradients(dy, y, a, b, squared, wanted):
    """(N, M) -> (N, D), (M, D)

    By ∂s[i,j]/∂a[i] = 2 (a[i] - b[j]) = -∂s[i,j]/∂b[j] and ∂√s = ∂s / (2 √s),

        da[i] = Σ_j W[i,j] (a[i] - b[j]),      db[j] = -Σ_i W[i,j] (a[i] - b[j])

    with W[i,j] = 2 dy[i,j] if `squared`, and otherwise W[i,j] = dy[i,j] / y[i,j]. If two points are
    equal, the root has a kink, and the gradient there is 0.

    In one set, a[i] is in y[i,j] and in y[j,i]. The sum of both gradients is da with W + Wᵀ in
    place of W.
    """
    terms = weights(dy, y, b, squared)[..., None] * (a[:, None] - (a if b is None else b))
    gradients = {"a": lambda: terms.sum(axis=1), "b": lambda: -terms.sum(axis=0)}
    return {name: gradients[name]() for name in wanted}


def weights(dy, y, b, squared):
    """(N, M) -> (N, M): W of the derivation in `pairwise_distances_gradients`"""
    W = 2 * dy if squared else dy * inverse(y)
    return W + W.T if b is None else W


def must_be_points(a, b=None, squared=False):
    """Raise an error if a and b are not floating-point points with the same number of
    coordinates."""
    must_be_floating("a", a)
    b = a if b is None else b
    must_be_floating("b", b)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ShapeError(
            f"pairwise_distances of {a.shape} and {b.shape}; wanted points (N, D) and (M, D)"
        )


pairwise_distances = differentiable(
    pairwise_distances, joint={("a", "b"): pairwise_distances_gradients}, check=must_be_points
)


def chi_square(a: Operand, b: Operand) -> Result:
    """y = (a - b)² / (a + b), and 0 where a and b are 0

    y has the shape to which a and b broadcast. Their numbers are at least 0, like the counts of a
    histogram and the outputs of a ReLU. If a and b are histograms, the sum of y is their chi-square
    distance.

    Cost: four operations per number, and four for each gradient. Raises ShapeError if the shapes do
    not broadcast. Raises ArgumentError for negative numbers on a CPU. On a GPU they are not
    detected, because reading them would stall it.

    >>> chi_square(np.array([3., 0.]), np.array([1., 0.]))
    array([1., 0.])
    """
    return (a - b) * contrast(a, b)


def chi_square_da(dy, a, b, a_shape):
    """Let r = (a - b) / (a + b), a number from -1 to 1. The quotient rule gives

        ∂y/∂a = (2 (a - b) (a + b) - (a - b)²) / (a + b)² = r (2 - r)

    Where a and b are 0, r and the gradient are 0.
    """
    r = contrast(a, b)
    return unbroadcast(dy * (r * (2 - r)), a_shape)


def chi_square_db(dy, a, b, b_shape):
    """If a and b are exchanged, y stays the same and r becomes -r:  ∂y/∂b = -r (2 + r)"""
    return chi_square_da(dy, b, a, b_shape)


def contrast(a, b):
    """Return (a - b) / (a + b), and 0 where both are 0. It needs no squares, which could overflow
    or underflow."""
    xp, total = array_module(a, b), a + b
    is_zero = total.real <= 0
    return xp.where(is_zero, 0, (a - b) / xp.where(is_zero, 1, total))


def must_be_counts(a, b):
    """Raise an error if a and b do not broadcast or, on the CPU, if one of their numbers is
    negative."""
    must_broadcast(a, b)
    xp = array_module(a, b)
    if device_of(a, b) == "cpu" and (xp.any(a.real < 0) or xp.any(b.real < 0)):
        raise ArgumentError(
            "chi_square found numbers below 0; wanted numbers of at least 0, such as the outputs "
            "of a ReLU"
        )


chi_square = differentiable(chi_square, da=chi_square_da, db=chi_square_db, check=must_be_counts)
