"""Exercises of the chapter about losses of likeness."""

import numpy as np

from minidl import losses, ops
from minidl.book.exercises.exercise import Exercise, as_gradient, given, gradient_of
from minidl.book.exercises.sentences import UNUSED_DL, UNUSED_DY
from minidl.proofs import Shape


def triplets(a, p, n, margin):
    return losses.triplet_loss(a, p, n, margin)


def triplet_gradients(dL, a, p, n, margin):
    names = "danchor", "dpositive", "dnegative"
    return tuple(
        gradient_of(losses.triplet_loss, name)(dL, a, p, n, margin, "sum", True, False)
        for name in names
    )


def active(a, p, n, margin):
    """(N, 1): 1 where a triplet has a loss"""
    near, far = ((a - p) ** 2).sum(axis=1), ((a - n) ** 2).sum(axis=1)
    return (near - far + margin > 0)[:, None].astype(float)


def of_triplets(da=None, dp=None, dn=None):
    """Return the gradients with other functions of a, p, n for some of them. They are multiplied by
    dL where a triplet has a loss."""

    def wrong(dL, a, p, n, margin):
        right = triplet_gradients(dL, a, p, n, margin)
        others = zip((da, dp, dn), right, strict=True)
        return tuple(
            dL * active(a, p, n, margin) * other(a, p, n) if other else one for other, one in others
        )

    return wrong


def of_hinge(term):
    """Return the gradients where another term(|a - p|², |a - n|², margin) is positive."""

    def wrong(dL, a, p, n, margin):
        near, far = ((a - p) ** 2).sum(axis=1), ((a - n) ** 2).sum(axis=1)
        counts = (term(near, far, margin) > 0)[:, None]
        return tuple(counts * array for array in triplet_gradients(dL, a, p, n, 1e9))

    return wrong


def chi_square(a, b):
    return ops.chi_square(a, b)


def chi_square_gradient(dy, a, b):
    return gradient_of(ops.chi_square, "da")(dy, a, b, a.shape)


def of_chi_square(slope):
    """Return another gradient. slope: function of a - b and a + b. Where both are 0, it is 0."""

    def wrong(dy, a, b):
        total = np.where(a + b == 0, 1, a + b)
        return dy * slope(a - b, total)

    return wrong


EXERCISES = [
    Exercise(
        name="triplet-gradients",
        chapter="likeness-losses",
        title="The gradients of the triplet loss",
        task="""\
(N, D), (N, D), (N, D) -> (N, D), (N, D), (N, D)

a, p and n (N, D) are the points of N triplets: an anchor, a positive of the same kind, and a
negative of another kind. The loss of FaceNet is the sum over the triplets of

    max(0, |a - p|² - |a - n|² + margin)

dL is a number, by which the gradients are multiplied. Return da, dp and dn (N, D).""",
        hint="""\
A triplet whose term is 0 has no gradient. For the others, differentiate both squared distances. The
sum of the three gradients is 0.""",
        right=triplet_gradients,
        returns=("da", "dp", "dn"),
        example={
            "dL": 1.0, "a": np.array([[0.0, 0.0]]), "p": np.array([[1.0, 0.0]]),
            "n": np.array([[0.0, 2.0]]), "margin": 4.0,
        },
        cases={
            "triplets with a loss": {
                **dict.fromkeys("apn", Shape((2, 2))), "margin": 50.0,
            },
            "triplets with and without a loss": {
                **dict.fromkeys("apn", Shape((8, 2))), "margin": 0.2,
            },
        },
        wrong={
            "The hinge is missing: triplets without a loss have no gradient.":
                given(triplet_gradients, margin=lambda margin: 1e9),
            "The margin is missing where the hinge decides.":
                given(triplet_gradients, margin=lambda margin: 0.0),
            "The hinge decides for the sum of all triplets. It decides for each triplet.":
                lambda dL, a, p, n, margin: tuple(
                    (((a - p) ** 2).sum() - ((a - n) ** 2).sum() + margin > 0) * array
                    for array in triplet_gradients(dL, a, p, n, 1e9)
                ),
            "The positive and the negative are exchanged.":
                lambda dL, a, p, n, margin: tuple(
                    triplet_gradients(dL, a, n, p, margin)[i] for i in (0, 2, 1)
                ),
            "The distances are not squared where the hinge decides.":
                of_hinge(lambda near, far, margin: np.sqrt(near) - np.sqrt(far) + margin),
            "The signs of the hinge are exchanged: it decides by |a - p|² - |a - n|².":
                of_hinge(lambda near, far, margin: far - near + margin),
            "The margin is subtracted where the hinge decides. It is added.":
                of_hinge(lambda near, far, margin: near - far - margin),
            "The sign of da is wrong.": of_triplets(da=lambda a, p, n: 2 * (p - n)),
            "The positive is forgotten in da.": of_triplets(da=lambda a, p, n: -2 * (a - n)),
            "The negative is forgotten in da.": of_triplets(da=lambda a, p, n: 2 * (a - p)),
            "The minus of dp is missing.": of_triplets(dp=lambda a, p, n: 2 * (a - p)),
            "The sign of dn is wrong: two minus signs cancel.":
                of_triplets(dn=lambda a, p, n: -2 * (a - n)),
            "The factor 2 of the derivatives of the squares is missing.":
                lambda dL, **given: triplet_gradients(dL / 2, **given),
            "The triplets are averaged. The loss is their sum.":
                lambda dL, a, **given: triplet_gradients(dL / len(a), a, **given),
            UNUSED_DL:
                given(triplet_gradients, dL=lambda dL: 1.0),
        },
        special={
            "two triplets, one with a loss": {
                "dL": 1.0, "a": np.zeros((2, 2)), "p": np.array([[1.0, 0.0], [1.0, 0.0]]),
                "n": np.array([[0.0, 3.0], [0.0, 1.0]]), "margin": 0.5,
            },
            "two triplets with distances above 1": {
                "dL": 1.0, "a": np.zeros((2, 2)), "p": np.array([[1.0, 0.0], [3.0, 0.0]]),
                "n": np.array([[0.0, 2.0], [0.0, 4.0]]), "margin": 2.0,
            },
        },
        op=as_gradient(triplets, "a", "p", "n"),
        kinds=dict.fromkeys("apn", "analytic"),
    ),
    Exercise(
        name="chi-square-gradient",
        chapter="likeness-losses",
        title="The gradient of the chi-square distance",
        task="""\
(N, D) -> (N, D)

a and b (N, D) are histograms: numbers of at least 0. The terms of their chi-square distance are

    y = (a - b)² / (a + b)

element by element, and y = 0 where a and b are both 0. dy (N, D) is the gradient of a loss with
respect to y. Return da (N, D). Where a and b are both 0, it is 0.""",
        hint="""\
a is in the numerator and in the denominator: use the quotient rule. Replace the denominator by 1
where it is 0, before you divide.""",
        right=chi_square_gradient,
        returns=("da",),
        example={
            "dy": np.array([[1.0, 1.0]]), "a": np.array([[3.0, 1.0]]), "b": np.array([[1.0, 1.0]]),
        },
        cases={
            "one row": {"a": Shape((1, 3)), "b": Shape((1, 3))},
            "histograms with zeros": {"a": Shape((4, 5)), "b": Shape((4, 5))},
        },
        special={
            "two zeros": {
                "dy": np.ones((1, 3)), "a": np.array([[0.0, 2.0, 0.0]]),
                "b": np.array([[0.0, 1.0, 1.0]]),
            },
        },
        wrong={
            "The denominator is treated as constant: it contains a too.":
                of_chi_square(lambda d, s: 2 * d / s),
            "The numerator is treated as constant: it contains a too.":
                of_chi_square(lambda d, s: -(d / s) ** 2),
            "0 is divided by 0 where a and b are both 0.":
                lambda dy, a, b: dy * (a - b) * (a + 3 * b) / (a + b) ** 2,
            "The term of the denominator is not squared: it is (a - b)² / (a + b)².": (
                of_chi_square(lambda d, s: 2 * d / s - d**2 / s),
                of_chi_square(lambda d, s: 2 * d / s - d / s**2),
            ),
            "The term of the denominator is added. It is subtracted.":
                of_chi_square(lambda d, s: 2 * d / s + (d / s) ** 2),
            "The factor 2 of the derivative of the square is missing.":
                of_chi_square(lambda d, s: d / s - (d / s) ** 2),
            "This is the gradient with respect to b.":
                lambda dy, a, b: chi_square_gradient(dy, b, a),
            UNUSED_DY:
                given(chi_square_gradient, dy=np.ones_like),
        },
        op=as_gradient(chi_square, "a"),
        kinds={"a": "analytic"},
        data={"a": "counts", "b": "counts"},
    ),
]  # fmt: skip
