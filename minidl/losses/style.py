"""The style loss of one layer: how far two pictures' Gram matrices are apart (Gatys, Ecker, Bethge
2015, eq. 4).

The literature divides in a dozen ways. All are one sum of squares over the Gram matrices' means
over positions,

    L = k Σ (G - A)²,      G = FᵀF / M,  M = H W positions,  C channels,

with a factor k of its own, so that the style may be a picture of any size.
"""

from minidl.autograd import differentiable
from minidl.backend import array_module, must_be_floating
from minidl.errors import ShapeError, one_of
from minidl.losses.gram import gram_matrix
from minidl.ops.half import summed_in_float32

gram, gram_dfeatures = gram_matrix.forward, gram_matrix.gradients["dfeatures"]

FACTORS = {
    "gatys": lambda N, M, C: 1 / (4 * C**2),  # Σ (FᵀF - ..)² / (4 C² M²)
    "coursera": lambda N, M, C: 1 / (4 * C**2),  # the same, as Ng's assignment writes it
    "ng": lambda N, M, C: M / (2 * C),  # Σ (FᵀF - ..)² / (2 H W C), Ng's lecture
    "positions_mean": lambda N, M, C: 1 / (N * C**2),  # the mean of (FᵀF / M - ..)²
    "size_sum": lambda N, M, C: 1 / C**2,  # Σ (FᵀF / (H W C) - ..)², CS231n
}


@summed_in_float32
def gram_loss(G, A, factor=1.0):
    """(N, C, C), (N, C, C) -> one number:  L = k Σ_{n,c,d} (G[n,c,d] - A[n,c,d])²,      k: factor

    >>> gram_loss(np.full((1, 1, 1), 4.), np.ones((1, 1, 1)), factor=0.25)
    np.float64(2.25)
    """
    array_module(G, A)
    if G.shape != A.shape or G.ndim != 3:
        raise ShapeError(
            f"gram_loss of {G.shape} and {A.shape}; wanted two Gram matrices (N, C, C)"
        )
    D = G - A
    return (D * D).sum() * factor


@summed_in_float32
def gram_loss_dG(dL, G, A, factor):  # noqa: N802  G is its name in the papers
    """∂L/∂G = 2k (G - A)"""
    return dL * (2 * factor) * (G - A)


@summed_in_float32
def gram_loss_dA(dL, G, A, factor):  # noqa: N802
    """∂L/∂A = -∂L/∂G"""
    return -gram_loss_dG(dL, G, A, factor)


gram_loss = differentiable(gram_loss, dG=gram_loss_dG, dA=gram_loss_dA)


@summed_in_float32
def style_loss(generated, style, normalization="gatys"):
    """(N, H, W, C), (N, H', W', C) or (N, C, C) -> one number

    L = k Σ_{n,c,d} (G[n,c,d] - A[n,c,d])²,      G, A: gram_matrix(.., "positions") of generated and style

    style: features of any height and width, or their Gram matrix, made once: gram_matrix(features,
    "positions"). normalization: "gatys" = "coursera" k = 1 / (4 C²), "ng" k = H W / (2 C),
    "positions_mean" k = 1 / (N C²), "size_sum" k = 1 / C². Where the sizes differ, "ng" compares
    plain Gram matrices scaled to the generated picture's positions.

    Cost: that of the Gram matrices, N·H·W·C² multiply-adds each; in the gradient, one of them again
    and as much for dF. gram_loss(gram_matrix(generated, "positions"), A,
    style_factor(generated.shape)) is the same, but keeps G for the gradient.

    >>> style_loss(np.full((1, 1, 2, 1), 2.), np.ones((1, 1, 2, 1)))           # G = 4, A = 1: 3² / 4
    np.float64(2.25)
    """
    array_module(generated, style)
    must_be_floating("style", style)
    G, A = gram(generated, "positions"), _target(generated.shape, style)
    return gram_loss.forward(G, A, style_factor(generated.shape, normalization))


@summed_in_float32
def style_loss_dgenerated(dL, generated, style, normalization):
    """∂L/∂G = 2k (G - A), and on through the Gram matrix: dF = F (∂L/∂G + ∂L/∂Gᵀ) / M"""
    return gram_dfeatures(
        _gram_gradient(dL, generated, style, normalization), generated, "positions"
    )


@summed_in_float32
def style_loss_dstyle(dL, generated, style, normalization):
    """∂L/∂A = -∂L/∂G, and on through the Gram matrix where style is features"""
    dA = -_gram_gradient(dL, generated, style, normalization)
    return dA if style.ndim == 3 else gram_dfeatures(dA, style, "positions")


style_loss = differentiable(style_loss, dgenerated=style_loss_dgenerated, dstyle=style_loss_dstyle)


def style_factor(shape, normalization="gatys"):
    """k of a normalization, for generated features of this shape (N, H, W, C)"""
    one_of("normalization", normalization, FACTORS)
    n, height, width, channels = shape
    if normalization == "positions_mean" and not n:
        raise ShapeError(
            f"style_loss of features {shape}: the mean of no pictures is undefined; wanted at least one"
        )
    return FACTORS[normalization](n, height * width, channels)


def _gram_gradient(dL, generated, style, normalization):
    G, A = gram(generated, "positions"), _target(generated.shape, style)
    return gram_loss_dG(dL, G, A, style_factor(generated.shape, normalization))


def _target(shape, style):
    n, channels = shape[0], shape[-1]
    fits = (
        style.shape == (n, channels, channels)
        if style.ndim == 3
        else style.ndim == 4 and style.shape[0::3] == (n, channels)
    )
    if not fits:
        raise ShapeError(
            f"style_loss of features {shape} and style {style.shape}; wanted features ({n}, H, W, {channels}) or their Gram "
            f'matrix gram_matrix(features, "positions") ({n}, {channels}, {channels})'
        )
    return style if style.ndim == 3 else gram(style, "positions")
