"""Gram matrices: which channels are active together (Gatys, Ecker, Bethge 2015, eq. 3)."""

from minidl.autograd import differentiable
from minidl.backend import must_be_floating
from minidl.errors import ShapeError, one_of
from minidl.ops.half import summed_in_float32
from minidl.ops.tall import times, transposed_times

# The divisor of Σ_p F F.
DIVISORS = {
    "none": lambda H, W, C: 1,  # Gatys' eq. 3, Ng
    # the mean over positions: comparable between pictures of different sizes
    "positions": lambda H, W, C: H * W,
    "size": lambda H, W, C: H * W * C,  # CS231n, jcjohnson
}


@summed_in_float32
def gram_matrix(features, normalization="none"):
    """(N, H, W, C) -> (N, C, C)

    G[n,c,d] = 1/Z Σ_p F[n,p,c] F[n,p,d],      F: features unrolled to (N, M, C), M = H·W positions p

    normalization: "none" Z = 1, "positions" Z = H W, "size" Z = H W C.

    Cost: N·M·C² multiply-adds; reads N·M·C numbers, writes N·C².

    >>> gram_matrix(np.array([[[[1., 2.]], [[3., 4.]]]]))        # 2 positions, 2 channels
    array([[[10., 14.],
            [14., 20.]]])
    """
    must_be_floating("features", features)
    F, Z = _unroll(features), _divisor(features.shape, normalization)
    return transposed_times(F, F) / Z


@summed_in_float32
def gram_matrix_dfeatures(dG, features, normalization):
    """(N, C, C) -> (N, H, W, C)

    F[n,p,c] is a factor of row c of G and of column c, each time beside F[n,p,d]; summing both,

        ∂L/∂F[n,p,c] = 1/Z Σ_d (dG[n,c,d] + dG[n,d,c]) F[n,p,d],      or   dF = F (dG + dGᵀ) / Z
    """
    F, Z = _unroll(features), _divisor(features.shape, normalization)
    return times(F, (dG + dG.mT) / Z).reshape(features.shape)


gram_matrix = differentiable(gram_matrix, dfeatures=gram_matrix_dfeatures)


def _unroll(features):
    if features.ndim != 4 or 0 in features.shape[1:]:
        raise ShapeError(
            f"features have shape {features.shape}; wanted (N, H, W, C), H, W and C at least 1"
        )
    n, height, width, channels = features.shape
    return features.reshape(n, height * width, channels)


def _divisor(shape, normalization):
    one_of("normalization", normalization, DIVISORS)
    return DIVISORS[normalization](*shape[1:])
