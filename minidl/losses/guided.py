"""A guided Gram matrix is the Gram matrix of one region of a picture (Gatys, Ecker, Bethge,
Hertzmann, Shechtman 2017, "Controlling Perceptual Factors in Neural Style Transfer", on spatial
control)."""

from minidl.autograd import differentiable
from minidl.backend import array_module, device_of
from minidl.errors import ShapeError
from minidl.losses.gram import check as must_be_features
from minidl.losses.gram import gram_matrix, gram_matrix_dfeatures
from minidl.typing import Array, Operand, Result


def guided_gram_matrix(features: Operand, guide: Array) -> Result:
    """(N, H, W, C), (N, H, W) -> (N, C, C)

    G[n,c,d] = 1/Z Σ_p T[n,p]² F[n,p,c] F[n,p,d],      Z = Σ_p T[n,p]²,  F: features,  T: guide

    The guide states how much each position p belongs to the region: 1 inside, 0 outside, and
    numbers between at a soft border. It is a constant and has no gradient. G is a mean over the
    region. With a guide of ones it is gram_matrix(features, "positions").

    Cost: N·M·C² multiply-adds for M positions, as gram_matrix, and N·M·C for the weights. Raises
    ShapeError if the shapes do not fit, or if the guide of a picture is 0 everywhere. On a GPU that
    is not checked, and G is then NaN. Raises ArgumentError for integer features or a guide that
    requires a gradient.

    >>> features = np.array([[[[1., 2.]], [[3., 4.]]]])                      # 2 positions
    >>> guided_gram_matrix(features, np.array([[[0.], [1.]]]))               # of the second alone
    array([[[ 9., 12.],
            [12., 16.]]])
    """
    return gram_matrix(shares(features, guide) * features)


def guided_gram_matrix_dfeatures(dG, features, guide):
    """(N, C, C) -> (N, H, W, C)

    G is the Gram matrix of w F, where w[n,p] = T[n,p] / √Z. By the chain rule, its gradient gets
    another factor w:

        ∂L/∂F[n,p,c] = w[n,p]² Σ_d (dG[n,c,d] + dG[n,d,c]) F[n,p,d]
    """
    w = shares(features, guide)
    return w * gram_matrix_dfeatures(dG, w * features, "none")


def shares(features, guide):
    """(N, H, W, 1): w = T / √(Σ_p T²), whose squares add up to 1"""
    T = guide[..., None].astype(features.dtype)
    return T / array_module(T).sqrt((T * T).sum(axis=(1, 2), keepdims=True))


def check(features, guide):
    """Raise an error if the arguments of guided_gram_matrix do not fit."""
    must_be_features(features)
    array_module(features, guide)
    if guide.shape != features.shape[:3]:
        raise ShapeError(
            f"guided_gram_matrix of features {features.shape} and a guide {guide.shape}; wanted "
            f"the guide {features.shape[:3]}, one number for each position"
        )
    if device_of(guide) == "cpu" and not (guide != 0).any(axis=(1, 2)).all():
        raise ShapeError(
            "the guide of a picture is 0 everywhere, so its region is empty; wanted at least one "
            "position above 0: enlarge the region, or leave this guide out"
        )


guided_gram_matrix = differentiable(
    guided_gram_matrix, dfeatures=guided_gram_matrix_dfeatures, check=check
)
