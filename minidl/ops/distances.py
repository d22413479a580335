"""How far apart two things are: all distances of one set of points or of two, and the chi-square
distance of histograms, number by number."""

import numpy as np

from minidl.autograd import differentiable
from minidl.backend import array_module, must_be_floating
from minidl.cores import share
from minidl.errors import ArgumentError, ShapeError
from minidl.ops.arithmetic import must_broadcast, unbroadcast
from minidl.ops.directions import inverse, root
from minidl.ops.half import summed_in_float32
from minidl.ops.strips import equal_parts, fair_strip


@summed_in_float32
def pairwise_distances(a, b=None, squared=False):
    """(N, D), (M, D) -> (N, M);  without b, of one set, (N, D) -> (N, N)

    y[i,j] = √s[i,j], or with `squared` s[i,j] itself,      s[i,j] = Σ_k (a[i,k] - b[j,k])²,  in one set b = a

    The differences are taken before they are squared, so that equal points are exactly 0 apart.
    |a|² + |b|² - 2 a·b would be one product of matrices, but of two near points it leaves rounding alone, which may be below 0 and has a root far above it.

    Cost: N·M·D subtractions and multiply-adds, in strips that stay in the cache; as many again for
    each gradient.

    >>> pairwise_distances(np.array([[0., 0.], [3., 4.]]))
    array([[0., 5.],
           [5., 0.]])
    """
    b = _second(a, b)
    xp = array_module(a, b)
    y = xp.empty((len(a), len(b)), xp.result_type(a, b))

    def work(rows):
        difference = a[rows, None] - b
        y[rows] = (difference * difference).sum(axis=-1)

    share(xp, work, _strips(xp, a, b))
    return y if squared else root(y)


@summed_in_float32
def pairwise_distances_gradients(dy, y, a, b, squared, wanted):
    """∂s[i,j]/∂a[i] = 2 (a[i] - b[j]) = -∂s[i,j]/∂b[j], and ∂√s = ∂s / 2√s; where the points are
    equal, and the root has a kink, the gradient is 0. With W[i,j] = 2 dy[i,j], or dy[i,j] / y[i,j]
    of roots,

        da[i] = Σ_j W[i,j] (a[i] - b[j]),      db[j] = -Σ_i W[i,j] (a[i] - b[j])

    In one set each pair comes twice, as i, j and as j, i: W + Wᵀ in the place of W gives the sum of
    both.
    """
    W = 2 * dy if squared else dy * inverse(y)
    W = W + W.T if b is None else W
    b = _second(a, b)
    xp = array_module(a, b)

    def work(rows):
        difference = a[rows, None] - b
        terms = {"a": "ij,ijk->ik", "b": "ij,ijk->jk"}
        return {name: xp.einsum(terms[name], W[rows], difference) for name in wanted}

    parts = share(xp, work, _strips(xp, a, b))
    sums = {"a": lambda found: xp.concatenate(found), "b": lambda found: -sum(found)}
    return {name: sums[name]([part[name] for part in parts]) for name in wanted}


pairwise_distances = differentiable(pairwise_distances, da_db=pairwise_distances_gradients)


def chi_square(a, b):
    """y = (a - b)² / (a + b), and 0 where a and b are 0

    For numbers of at least 0, as ReLUs give and histograms count; the arrays broadcast. Their sum
    over k is the chi-square distance of two histograms.

    >>> chi_square(np.array([3., 0.]), np.array([1., 0.]))
    array([1., 0.])
    """
    xp = must_broadcast(a, b)
    # to look at them would stop a GPU
    if xp is np and (np.real(a) < 0).any() | (np.real(b) < 0).any():
        raise ArgumentError(
            "chi_square found numbers below 0; wanted features of at least 0: let a ReLU be the last layer"
        )
    return (a - b) * _contrast(a, b)


def chi_square_da(dy, a, b, a_shape):
    """With r = (a - b) / (a + b), from -1 to 1, y = (a - b)² / (a + b) has by the quotient's rule

    ∂y/∂a = (2 (a - b) (a + b) - (a - b)²) / (a + b)² = r (2 - r)
    """
    r = _contrast(a, b)
    return unbroadcast(dy * (r * (2 - r)), a_shape)


def chi_square_db(dy, a, b, b_shape):
    """a and b may be swapped, and r is then -r:  ∂y/∂b = -r (2 + r)"""
    return chi_square_da(dy, b, a, b_shape)


chi_square = differentiable(chi_square, da=chi_square_da, db=chi_square_db)


def _contrast(a, b):
    """(a - b) / (a + b), and 0 where both are 0: no square of small numbers that vanishes, none of
    large ones that overflows"""
    xp, whole = array_module(a, b), a + b
    is_zero = whole.real <= 0
    return xp.where(is_zero, 0, (a - b) / xp.where(is_zero, 1, whole))


def _second(a, b):
    """b, or a where there is no b, once they are seen to be points of one space"""
    must_be_floating("a", a)
    b = a if b is None else b
    must_be_floating("b", b)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ShapeError(
            f"pairwise_distances of {a.shape} and {b.shape}; wanted points (N, D) and (M, D)"
        )
    return b


def _strips(xp, a, b):
    """Of the rows of a, each of which meets all of b; of no rows one strip too, for b has a
    gradient all the same"""
    return equal_parts(len(a), fair_strip(xp, a.size * len(b)) // max(1, b.size)) or [slice(0, 0)]
