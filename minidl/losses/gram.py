"""A Gram matrix says which channels are active together (Gatys, Ecker, Bethge 2015, eq. 3)."""

from minidl.autograd import differentiable
from minidl.backend import must_be_floating
from minidl.dispatch import replaceable
from minidl.errors import ShapeError, one_of
from minidl.typing import Operand, Result

# The divisor Z of Σ_p F F.
DIVISORS = {
    "none": lambda H, W, C: 1,  # Gatys' eq. 3, Ng
    # the mean over positions, which does not grow with the size
    "positions": lambda H, W, C: H * W,
    "size": lambda H, W, C: H * W * C,  # CS231n, jcjohnson
}


def gram_matrix(features: Operand, normalization: str = "none") -> Result:
    """(N, H, W, C) -> (N, C, C)

    G[n,c,d] = 1/Z Σ_p F[n,p,c] F[n,p,d],      F: features as (N, M, C),  M = H·W positions p

    normalization: "none" Z = 1, "positions" Z = H W, "size" Z = H W C.

    Cost: N·M·C² multiply-adds. It reads N·M·C numbers and writes N·C². Raises ShapeError if
    features does not have four axes, or if H, W or C is 0. Raises ArgumentError for integers or an
    unknown normalization.

    >>> gram_matrix(np.array([[[[1., 2.]], [[3., 4.]]]]))        # 2 positions, 2 channels
    array([[[10., 14.],
            [14., 20.]]])
    """
    F = unroll(features)
    return F.mT @ F / divisor(features, normalization)


@replaceable
def gram_matrix_dfeatures(dG, features, normalization):
    """(N, C, C) -> (N, H, W, C)

    For every d, F[n,p,c] is multiplied by F[n,p,d] in G[n,c,d] and again in G[n,d,c]:

        ∂L/∂F[n,p,c] = 1/Z Σ_d (dG[n,c,d] + dG[n,d,c]) F[n,p,d],      or   dF = F (dG + dGᵀ) / Z
    """
    dF = unroll(features) @ ((dG + dG.mT) / divisor(features, normalization))
    return dF.reshape(features.shape)


def unroll(features):
    """(N, H, W, C) -> (N, H·W, C)"""
    N, H, W, C = features.shape
    return features.reshape(N, H * W, C)


def divisor(features, normalization):
    """Return Z of a normalization, for features (N, H, W, C)."""
    return DIVISORS[normalization](*features.shape[1:])


def check(features, normalization="none"):
    """Raise an error if the arguments of gram_matrix do not fit."""
    must_be_floating("features", features)
    one_of("normalization", normalization, DIVISORS)
    if features.ndim != 4 or 0 in features.shape[1:]:
        raise ShapeError(
            f"features have shape {features.shape}; wanted (N, H, W, C), H, W and C at least 1"
        )


gram_matrix = differentiable(gram_matrix, dfeatures=gram_matrix_dfeatures, check=check)
