"""Style losses of nearest neighbours compare each part of the generated picture with the part of
the style that resembles it most.

The cosine of the angle between the features of two parts measures how similar they are. In a small
step, the nearest part stays the same. The gradient is therefore that of the distance to a constant.
"""

from minidl import ops
from minidl.autograd import plain
from minidl.backend import array_module
from minidl.errors import ShapeError
from minidl.losses.content import content_loss
from minidl.losses.features import constant_style
from minidl.losses.gram import unroll
from minidl.shapes import windows_over
from minidl.typing import Operand, Result

SIMILARITIES = 1 << 22  # the largest number of similarities in memory at a time


def nearest_loss(generated: Operand, style: Operand) -> Result:
    """(N, H, W, C), (N, H', W', C) -> one number

    L = 1/M Σ_{n,p} min_r (1 - cos(F[n,p], S[n,r])),      p, r: positions of generated and style

    F: generated, S: style (Kolkin, Kucera, Paris, Sýkora, Shechtman, Shakhnarovich 2022, "Neural
    Neighbor Style Transfer"). The style is a constant and has no gradient. With f and s, the
    directions of F[n,p] and of its nearest S[n,r], the gradient of cosine_similarity gives

        ∂L/∂F[n,p] = -(s - f cos(f, s)) / (M |F[n,p]|)

    Of several nearest positions, the first counts. The cosine with a position of zeros is 0, and so
    is the gradient there.

    Cost: N·M·M'·C multiply-adds. The M·M' cosines are computed in strips and not kept. Raises
    ShapeError if the shapes do not fit, and ArgumentError for integers.

    >>> generated, style = np.array([[0., 2.]]), np.array([[3., 0.], [4., 3.]])     # cos 0 and 0.6
    >>> nearest_loss(generated.reshape(1, 1, 1, 2), style.reshape(1, 1, 2, 2)).round(9)
    np.float64(0.4)
    """
    style = constant_style("nearest_loss", generated, style)
    cosines = ops.cosine_similarity(generated, nearest(plain(generated), style))
    return ops.mean(1 - cosines) * len(style)


def patch_loss(generated: Operand, style: Operand, size: int = 3) -> Result:
    """(N, H, W, C), (N, H', W', C) -> one number

    L = 1/(P C size²) Σ_{n,p,t,c} (F[n,p+t,c] - S[n,r+t,c])²

    F: generated, S: style, size: taps of a patch along each axis. P is the number of patches of a
    picture, and t is one of the size² taps. r = r(n,p) is the position of the style whose patch has
    the largest cosine to the patch of F at p, which Li and Wand call the normalized
    cross-correlation (Li, Wand 2016, "Combining Markov Random Fields and Convolutional Neural
    Networks for Image Synthesis", eq. 2 and 3, with the mean instead of the sum). The style is a
    constant and has no gradient. Of several such patches, the first counts. F[n,i,c] is in each
    patch from p = i - t on:

        ∂L/∂F[n,i,c] = 2/(P C size²) Σ_{p,t: p + t = i} (F[n,i,c] - S[n,r(n,p)+t,c])

    Cost: size²·C multiply-adds for each pair of patches. The patches need size² times the memory of
    the features. Raises ShapeError if the shapes do not fit or a picture is smaller than a patch,
    and ArgumentError for integers.

    >>> generated, style = np.array([1., 2., 1.]), np.array([3., 9., 6., 2., 3.])
    >>> patch_loss(generated.reshape(1, 1, 3, 1), style.reshape(1, 1, 5, 1), size=1)   # 2², 1², 2²
    np.float64(3.0)
    """
    style = patches(constant_style("patch_loss", generated, style), size)
    generated = patches(generated, size)
    return content_loss(generated, nearest(plain(generated), style), "mean") * len(style)


def patches(features: Operand, size: int) -> Result:
    """(N, H, W, C) -> (N, H - size + 1, W - size + 1, size²·C): the size·size positions from each
    position on"""
    height, width = features.shape[1:3]
    if min(height, width) < size:
        raise ShapeError(
            f"features at {height}x{width} positions hold no patch of {size}x{size}; take a larger "
            "picture or a shallower layer"
        )
    windows = windows_over((height, width), size)
    return ops.concatenate([features[windows.under(tap)] for tap in windows.taps], axis=-1)


def nearest(F, S):
    """(N, H, W, C), (N, H', W', C) -> (N, H, W, C): for each vector of F, that of S with the
    largest cosine

    The result does not depend on the lengths of the vectors of F.
    """
    vectors, candidates = unroll(F), unroll(S)
    directions = ops.l2_normalize(candidates)
    found = array_module(F, S).empty(vectors.shape, S.dtype)
    strip = max(1, SIMILARITIES // candidates.shape[1])
    for n in range(len(F)):
        for first in range(0, vectors.shape[1], strip):
            similarities = ops.matmul(vectors[n, first : first + strip], directions[n].T)
            found[n, first : first + strip] = candidates[n, similarities.argmax(axis=1)]
    return found.reshape(F.shape)
