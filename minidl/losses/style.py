"""The style loss of one layer is the squared distance between the Gram matrices of two pictures
(Gatys, Ecker, Bethge 2015, eq. 4).

Papers and programs normalise it in different ways. Those below differ only in the factor k of

    L = k Σ (G - A)²,      G = FᵀF / M,  M = H W positions,  C channels

A is the same matrix of the style. G and A are means over positions, so the two pictures may have
different sizes.
"""

from minidl.autograd import differentiable
from minidl.backend import must_be_floating
from minidl.errors import ShapeError, one_of
from minidl.losses.gram import check as must_be_features
from minidl.losses.gram import gram_matrix, gram_matrix_dfeatures
from minidl.typing import Operand, Result, Shape

FACTORS = {
    "gatys": lambda N, M, C: 1 / (4 * C**2),  # Σ (FᵀF - ..)² / (4 C² M²)
    "coursera": lambda N, M, C: 1 / (4 * C**2),  # the same, as Ng's assignment writes it
    "ng": lambda N, M, C: M / (2 * C),  # Σ (FᵀF - ..)² / (2 H W C), Ng's lecture
    "positions_mean": lambda N, M, C: 1 / (N * C**2),  # the mean of (FᵀF / M - ..)²
    "size_sum": lambda N, M, C: 1 / C**2,  # Σ (FᵀF / (H W C) - ..)², CS231n
}


def gram_loss(G: Operand, A: Operand, factor: float = 1.0) -> Result:
    """(N, C, C), (N, C, C) -> one number

    L = k Σ_{n,c,d} (G[n,c,d] - A[n,c,d])²,      k: factor

    Cost: N·C² subtractions and multiply-adds. Raises ShapeError if the shapes differ.

    >>> gram_loss(np.full((1, 1, 1), 4.), np.ones((1, 1, 1)), factor=0.25)
    np.float64(2.25)
    """
    D = G - A
    return (D * D).sum() * factor


def gram_loss_dG(dL, G, A, factor):  # noqa: N802  G is its name in the papers
    """∂L/∂G = 2 k (G - A)"""
    return dL * (2 * factor) * (G - A)


def gram_loss_dA(dL, G, A, factor):  # noqa: N802
    """L depends only on G - A:  ∂L/∂A = -∂L/∂G"""
    return -gram_loss_dG(dL, G, A, factor)


def must_be_grams(G, A, factor=1.0):
    """Raise ShapeError if G and A are not Gram matrices of one shape."""
    if G.shape != A.shape or G.ndim != 3:
        raise ShapeError(
            f"gram_loss of {G.shape} and {A.shape}; wanted two Gram matrices (N, C, C)"
        )


gram_loss = differentiable(gram_loss, dG=gram_loss_dG, dA=gram_loss_dA, check=must_be_grams)


def style_loss(generated: Operand, style: Operand, normalization: str = "gatys") -> Result:
    """(N, H, W, C), (N, H', W', C) or (N, C, C) -> one number

    L = k Σ_{n,c,d} (G[n,c,d] - A[n,c,d])²,      G, A: gram_matrix(.., "positions") of F and S

    F: generated, S: style. The style is given as features of any height and width, or as their Gram
    matrix gram_matrix(features, "positions"). A program that uses one style many times computes its
    Gram matrix once.

    normalization: "gatys" = "coursera" k = 1 / (4 C²), "ng" k = H W / (2 C), "positions_mean"
    k = 1 / (N C²), "size_sum" k = 1 / C². FACTORS gives the source of each. H and W are those of
    the generated picture, also for "ng".

    gram_loss(gram_matrix(generated, "positions"), A, style_factor(generated.shape)) is the same
    loss, but keeps G for the gradient. The gradient of style_loss computes G again.

    Cost: N·H·W·C² multiply-adds for each Gram matrix, and twice as many for the gradient. Raises
    ShapeError if the shapes do not fit, and ArgumentError for integers or an unknown normalization.

    >>> style_loss(np.full((1, 1, 2, 1), 2.), np.ones((1, 1, 2, 1)))          # G = 4, A = 1: 3² / 4
    np.float64(2.25)
    """
    G, A = gram_matrix(generated, "positions"), target(style)
    return gram_loss(G, A, style_factor(generated.shape, normalization))


def style_loss_dgenerated(dL, generated, style, normalization):
    """(N, H, W, C)

    The gradient of the Gram matrix, for dG = ∂L/∂G = 2 k (G - A):

        ∂L/∂F[n,p,c] = 1/M Σ_d (dG[n,c,d] + dG[n,d,c]) F[n,p,d]
    """
    dG = style_loss_dG(dL, generated, style, normalization)
    return gram_matrix_dfeatures(dG, generated, "positions")


def style_loss_dstyle(dL, generated, style, normalization):
    """(N, H', W', C) or (N, C, C)

    L depends only on G - A, so dA = ∂L/∂A = -∂L/∂G. This is the gradient if the style is a Gram
    matrix. Otherwise it is that of the Gram matrix of the features:

        ∂L/∂S[n,p,c] = 1/M' Σ_d (dA[n,c,d] + dA[n,d,c]) S[n,p,d],      M' = H' W'
    """
    dA = -style_loss_dG(dL, generated, style, normalization)
    return dA if style.ndim == 3 else gram_matrix_dfeatures(dA, style, "positions")


def style_loss_dG(dL, generated, style, normalization):  # noqa: N802
    """(N, C, C): ∂L/∂G = 2 k (G - A)"""
    G, A = gram_matrix(generated, "positions"), target(style)
    return gram_loss_dG(dL, G, A, style_factor(generated.shape, normalization))


def target(style):
    """Return A: the style itself if it is a Gram matrix, or the Gram matrix of its features."""
    return style if style.ndim == 3 else gram_matrix(style, "positions")


def style_factor(shape: Shape, normalization: str = "gatys") -> float:
    """Return k of a normalization, for generated features of this shape (N, H, W, C)."""
    one_of("normalization", normalization, FACTORS)
    N, H, W, C = shape
    if normalization == "positions_mean" and not N:
        raise ShapeError(
            f"style_loss of features {shape}: the mean of no pictures is undefined; wanted at "
            "least one"
        )
    return FACTORS[normalization](N, H * W, C)


def must_be_styles(generated, style, normalization="gatys"):
    """Raise an error if the arguments of style_loss do not fit."""
    must_be_floating("style", style)
    must_be_features(generated)
    style_factor(generated.shape, normalization)
    N, C = generated.shape[0], generated.shape[-1]
    if style.ndim == 3:
        fit = style.shape == (N, C, C)
    else:
        fit = style.ndim == 4 and style.shape[0::3] == (N, C)
    if not fit:
        raise ShapeError(
            f"style_loss of features {generated.shape} and style {style.shape}; wanted features "
            f"({N}, H, W, {C}) or their Gram matrix "
            f'gram_matrix(features, "positions") ({N}, {C}, {C})'
        )
    if style.ndim == 4:
        must_be_features(style)


style_loss = differentiable(
    style_loss, dgenerated=style_loss_dgenerated, dstyle=style_loss_dstyle, check=must_be_styles
)
