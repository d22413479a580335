"""Exercises of the chapter about losses of pictures: Gram matrices and style."""

import numpy as np

from minidl import losses
from minidl.book.exercises.exercise import Exercise, as_gradient, given, gradient_of
from minidl.book.exercises.sentences import OVERWRITTEN, UNUSED_DL
from minidl.losses.style import style_factor
from minidl.proofs import Shape


def picture(F):
    """(M, C) -> (1, 1, M, C): a feature map with one row of M positions"""
    return F[None, None]


def gram(F):
    [G] = losses.gram_matrix(picture(F))
    return G


def gram_gradient(dG, F):
    [[dF]] = gradient_of(losses.gram_matrix, "dfeatures")(dG[None], picture(F), "none")
    return dF


def style_normalization(H, W, C):
    shape = (1, H, W, C)
    return tuple(style_factor(shape, name) for name in ("gatys", "ng", "size_sum"))


def factors(gatys=None, ng=None, size_sum=None):
    """Return the factors with other functions of M and C for some of them."""

    def wrong(H, W, C):
        right = style_normalization(H, W, C)
        others = zip((gatys, ng, size_sum), right, strict=True)
        return tuple(other(H * W, C) if other else one for other, one in others)

    return wrong


def style(F, A):
    return losses.style_loss(picture(F), A[None])


def style_gradient(dL, F, A):
    [[dF]] = gradient_of(losses.style_loss, "dgenerated")(dL, picture(F), A[None], "gatys")
    return dF


def style_error(F, A):
    """G - A"""
    return F.T @ F / len(F) - A


def with_divisor(divisor):
    """Return the gradient for G = Fᵀ F / divisor(M, C). The gradient of G is divided by M."""

    def wrong(dL, F, A):
        M, C = F.shape
        G = F.T @ F / divisor(M, C)
        return dL / (2 * C**2) * F @ (2 * G - A - A.T) / M

    return wrong


EXERCISES = [
    Exercise(
        name="gram-gradient",
        chapter="picture-losses",
        title="The gradient of a Gram matrix",
        task="""\
(C, C) -> (M, C)

F (M, C) are features as a matrix: one row for each of M positions. Their Gram matrix G (C, C) is

    G[c,d] = Σ_m F[m,c] F[m,d],      or   G = Fᵀ F

dG (C, C) is the gradient of a loss with respect to G. It need not be symmetric. Return dF
(M, C).""",
        hint="""\
F[m,c] is in G[c,d] for each d, and in G[d,c] for each d. Which d are counted twice?""",
        right=gram_gradient,
        returns=("dF",),
        example={
            "dG": np.array([[1.0, 10.0], [0.0, 0.0]]), "F": np.array([[1.0, 2.0]]),
        },
        cases={
            "one channel": {"F": Shape((3, 1))},
            "2 positions, 2 channels": {"F": Shape((2, 2))},
            "4 positions, 3 channels": {"F": Shape((4, 3))},
        },
        wrong={
            "F is in G twice, as c and as d: dGᵀ is missing.": lambda dG, F: F @ dG,
            "F is in G twice, as c and as d: dG is missing.": lambda dG, F: F @ dG.T,
            "The transpose is missing: 2 F dG is right only for a symmetric dG.":
                (lambda dG, F: 2 * F @ dG, lambda dG, F: 2 * F @ dG.T),
            OVERWRITTEN: (
                lambda dG, F: F[:, -1:] * (dG[:, -1] + dG[-1]), lambda dG, F: F[:, -1:] * dG[:, -1],
            ),
            "The gradient is divided by the number of channels. G is a sum over positions.":
                lambda dG, F: gram_gradient(dG, F) / F.shape[1],
            "The sum over d is missing: F[m,c] is multiplied by its own channel.":
                lambda dG, F: F * (dG + dG.T).sum(axis=1),
            "This is the transposed gradient.": lambda dG, F: gram_gradient(dG, F).T,
            "The sum dG + dGᵀ is halved.": lambda dG, F: F @ (dG + dG.T) / 2,
            "The transpose is subtracted. It is added.":
                (lambda dG, F: F @ (dG - dG.T), lambda dG, F: F @ (dG.T - dG)),
            "The gradient is divided by the number of positions. G is a sum over them.":
                lambda dG, F: gram_gradient(dG, F) / len(F),
        },
        op=as_gradient(gram, "F"),
        kinds={"F": "quadratic"},
    ),
    Exercise(
        name="style-normalization",
        chapter="picture-losses",
        title="The normalization of the style loss, derived",
        task="""\
F and S (M, C) are the features of the generated picture and of the style, as matrices with one row
for each of M = H W positions. All programs measure the squared distance of Gram matrices, but
normalise it in different ways:

    Gatys et al.      L = 1 / (4 C² M²) Σ (Fᵀ F - Sᵀ S)²
    Ng's lecture      L = 1 / (2 M C) Σ (Fᵀ F - Sᵀ S)²
    CS231n            L = Σ (Fᵀ F / (M C) - Sᵀ S / (M C))²

The sums run over all C² entries. minidl writes all of them with the means over the positions,
G = Fᵀ F / M and A = Sᵀ S / M, as

    L = k Σ (G - A)²

Return the three factors k, in this order, as a tuple of numbers. Each depends on H, W and C only
through M and C.""",
        hint="""\
Fᵀ F - Sᵀ S = M (G - A). Which power of M does its square contain?""",
        right=style_normalization,
        returns=("gatys", "ng", "cs231n"),
        example={"H": 1, "W": 2, "C": 1},
        cases={
            "2x2 positions, 3 channels": {"H": 2, "W": 2, "C": 3},
            "3x5 positions, 4 channels": {"H": 3, "W": 5, "C": 4},
        },
        wrong={
            "The factor M² of (Fᵀ F - Sᵀ S)² is missing.": factors(
                lambda M, C: 1 / (4 * C**2 * M**2), lambda M, C: 1 / (2 * M * C),
                lambda M, C: 1 / (M * C) ** 2,
            ),
            "The factor M of Fᵀ F - Sᵀ S is not squared.": factors(
                lambda M, C: 1 / (4 * C**2 * M), lambda M, C: 1 / (2 * C),
                lambda M, C: 1 / (M * C**2),
            ),
            "The division by M C in Gram matrices of CS231n is not squared.":
                factors(size_sum=lambda M, C: 1 / C),
            "The factor of CS231n contains M: the M of its Gram matrices and that of G cancel.":
                factors(size_sum=lambda M, C: 1 / (M * C) ** 2),
            "The factor of Gatys et al. contains M: its M² and the M² of the sum cancel.":
                factors(gatys=lambda M, C: 1 / (4 * C**2 * M**2)),
            "The factor of Ng's lecture has lost its M: M² / M is M.":
                factors(ng=lambda M, C: 1 / (2 * C)),
            "The factor of Ng's lecture lacks M², the factor of (Fᵀ F - Sᵀ S)².":
                factors(ng=lambda M, C: 1 / (2 * M * C)),
            "The factor of Gatys et al. has C where C² is right.":
                factors(gatys=lambda M, C: 1 / (4 * C)),
            "The square of M C is missing in the factor of CS231n.":
                factors(size_sum=lambda M, C: M / C),
            "M counts the channels too. It is the number of positions, H W.":
                factors(ng=lambda M, C: M / 2),
        },
    ),
    Exercise(
        name="style-gradient",
        chapter="picture-losses",
        title="The gradient of the style loss",
        task="""\
(M, C) -> (M, C)

F (M, C) are the features of the generated picture, with one row for each of M positions. A (C, C)
is the Gram matrix of the style, divided by its number of positions. It is symmetric.

    G = Fᵀ F / M,      L = 1 / (4 C²) Σ (G - A)²

dL is a number, by which the gradient of L is multiplied. Return dF (M, C), the gradient with
respect to F.""",
        hint="""\
First dG, the gradient of L with respect to G. Then the gradient of a Gram matrix: F (dG + dGᵀ),
divided like G.""",
        right=style_gradient,
        returns=("dF",),
        example={"dL": 1.0, "F": np.array([[1.0], [3.0]]), "A": np.array([[1.0]])},
        cases={
            "2 positions, 2 channels": {"F": Shape((2, 2)), "A": Shape((2, 2))},
            "5 positions, 3 channels": {"F": Shape((5, 3)), "A": Shape((3, 3))},
        },
        wrong={
            "The division of G by M is missing in its gradient.":
                lambda dL, F, A: style_gradient(dL, F, A) * len(F),
            "A factor of 2 is missing: one comes from the square, and one from F, twice in G.":
                lambda dL, F, A: style_gradient(dL, F, A) / 2,
            "Two factors of 2 are missing: that of the square, and that of F, twice in G.":
                lambda dL, F, A: style_gradient(dL, F, A) / 4,
            "The factor 1 / (4 C²) is missing.":
                lambda dL, F, A: style_gradient(dL, F, A) * 4 * len(A) ** 2,
            "The factor has C where C² is right.":
                lambda dL, F, A: style_gradient(dL, F, A) * len(A),
            "G is not divided by M.": with_divisor(lambda M, C: 1),
            "G is divided by C. It is divided by M, the number of positions.":
                with_divisor(lambda M, C: C),
            "G is divided by M C. It is divided by M.": with_divisor(lambda M, C: M * C),
            "G and its gradient are not divided by M.":
                lambda dL, F, A: with_divisor(lambda M, C: 1)(dL * len(F), F, A),
            "The factor contains M². It is 1 / (4 C²): G is divided by M already.":
                lambda dL, F, A: style_gradient(dL, F, A) / len(F) ** 2,
            "The factor 4 is missing in 1 / (4 C²).":
                lambda dL, F, A: 4 * style_gradient(dL, F, A),
            "The sign is wrong: G - A, and not A - G.":
                lambda dL, F, A: -style_gradient(dL, F, A),
            "A, the style, is missing: dG contains G - A.":
                lambda dL, F, A: style_gradient(dL, F, 0 * A),
            UNUSED_DL:
                given(style_gradient, dL=lambda dL: 1.0),
        },
        op=as_gradient(style, "F"),
        kinds={"F": "quartic"},
        data={"A": "positive definite"},
    ),
]  # fmt: skip
