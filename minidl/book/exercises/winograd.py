"""Exercises of the chapter about Winograd's algorithm, for F(2, 3): two outputs of three taps.

The matrices follow from the derivation in `minidl.engine.convolution.winograd`, with the points 0,
1, -1 and ∞.
"""

from math import prod

import numpy as np

from minidl import ops
from minidl.book.exercises.exercise import Exercise, as_gradient, gradient_of
from minidl.book.exercises.sentences import OVERWRITTEN
from minidl.proofs import Shape

POINTS = 0, 1, -1


def winograd_matrices():
    """A evaluates two coefficients, and G three. B interpolates four."""
    infinity, others = np.eye(4)[-1:], [[q for q in POINTS if q != p] for p in POINTS]
    evaluate = np.vander(POINTS, 4, increasing=True)
    n = [prod(p - q for q in qs) for p, qs in zip(POINTS, others, strict=True)]
    lagrange = [[*np.poly(qs)[::-1], 0] for qs in others]
    A = np.vstack([evaluate[:, :2], infinity[:, -2:]])
    B = np.vstack([lagrange, np.poly(POINTS)[::-1]]).T
    G = np.vstack([evaluate[:, :3] / np.reshape(n, (-1, 1)), infinity[:, -3:]])
    return A, B, G + 0.0  # 0.0 instead of -0.0


def factors(A, B, G):
    """Return the factor of d[i] g[t] in y[o], for each o, i, t."""
    return {"factor": np.einsum("po,ip,pt->oit", A, B, G)}


def tiles(d, g, A, B, G):
    return ops.convolution(d[..., None], g[:, None, None])[..., 0]


def winograd_dg(dy, d, A, B, G):
    return gradient_of(ops.convolution, "dw")(dy[..., None], d[..., None], (3, 1, 1), 1, 0, 1, 1)[
        :, 0, 0
    ]


A, B, G = winograd_matrices()
MATRICES = {"A": A, "B": B, "G": G}

EXERCISES = [
    Exercise(
        name="winograd-matrices",
        chapter="winograd",
        title="The matrices of F(2, 3)",
        task="""\
Two neighbouring outputs of a convolution with three taps read four inputs:

    y[o] = Σ_t d[o+t] g[t],      o = 0, 1,  t = 0, 1, 2

The definition needs six multiplications of an input by a tap. Winograd's algorithm needs four. It
computes four linear combinations of the inputs, and four of the taps, multiplies them one by one,
and combines the products linearly:

    y = Aᵀ ((Bᵀ d) * (G g))

Return the matrices A (4, 2), B (4, 4) and G (4, 3), for which this holds for all d and g. They are
not unique, and all that are right pass. The check computes the factor of d[i] g[t] in y[o] as
factor[o,i,t]. It has to be 1 where i = o + t, and 0 elsewhere.""",
        hint="""\
Use the points 0, 1, -1 and ∞. Row p of A is (1, p), row p of G is (1, p, p²) / n(p), where n(p) is
the product of p - q over the two other finite points q. Column p of B contains the coefficients of
the product of z - q over these q. The rows for ∞ are (0, 1) and (0, 0, 1), and its column contains
the coefficients of z (z - 1) (z + 1).""",
        right=winograd_matrices,
        returns=("A", "B", "G"),
        example={},
        cases={},
        wrong={
            "The rows of G are not divided by n(p), or the columns of B instead.":
                lambda: (A, B, np.vstack([np.vander(POINTS, 3, increasing=True), G[-1:]])),
            "The kernel is flipped: y[o] contains d[o+t] g[t].":
                lambda: (A, B, G[:, ::-1]),
            "The product at ∞ is not used in y[1].": lambda: (A * [[1], [1], [1], [0]], B, G),
            "The third tap is missing in G.": lambda: (A, B, G * [1, 1, 0]),
        },
        compared=factors,
    ),
    Exercise(
        name="winograd-dg",
        chapter="winograd",
        title="The gradient of the kernel, through the transforms",
        task="""\
(M, 2) -> (3,)

A signal is computed in M tiles with the same kernel g (3,). Tile m reads the four inputs d[m], and
has two outputs:

    y[m] = Aᵀ ((Bᵀ d[m]) * (G g))

A (4, 2), B (4, 4) and G (4, 3) are constant matrices, and * multiplies one by one. dy (M, 2) is the
gradient of a loss with respect to y. Return dg (3,), its gradient with respect to the kernel.""",
        hint="""\
Name the parts: v = Bᵀ d[m], u = G g, p = v * u, y = Aᵀ p. Go back through them: dp, du, dg. The
gradient of a product with a constant matrix is a product with its transpose.""",
        right=winograd_dg,
        returns=("dg",),
        example={"dy": np.array([[1.0, 10.0]]), "d": np.array([[1.0, 2.0, 3.0, 4.0]]), **MATRICES},
        cases={
            "one tile": {"d": Shape((1, 4)), "g": Shape((3,)), **MATRICES},
            "3 tiles": {"d": Shape((3, 4)), "g": Shape((3,)), **MATRICES},
        },
        wrong={
            "The kernel is flipped.": lambda **options: winograd_dg(**options)[::-1],
            "The sum over the tiles is missing: they share one kernel.":
                lambda dy, d, A, B, G: ((d @ B) * (dy @ A.T)) @ G,
            "The tiles are averaged. Their gradients add up.":
                lambda dy, d, **matrices: winograd_dg(dy / len(d), d, **matrices),
            OVERWRITTEN: lambda dy, d, **matrices: winograd_dg(dy[-1:], d[-1:], **matrices),
            "Only the first tile contributes. The gradients of all tiles add up.":
                lambda dy, d, **matrices: winograd_dg(dy[:1], d[:1], **matrices),
            "The factor Bᵀ d[m] is missing.":
                lambda dy, d, A, B, G: ((dy @ A.T) @ G).sum(axis=0),
            "B is transposed once too often: Bᵀ d is d @ B for each row d.":
                lambda dy, d, A, B, G: (((d @ B.T) * (dy @ A.T)) @ G).sum(axis=0),
        },
        op=as_gradient(tiles, "g"),
        kinds={"g": "linear"},
    ),
]  # fmt: skip
