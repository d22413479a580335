"""Exercises of the chapter about losses of pictures."""

import numpy as np

from minidl import losses
from minidl.book.exercises.exercise import Exercise, as_gradient, given, gradient_of
from minidl.proofs import Shape


def content(F, P):
    return losses.content_loss(F[None], P[None], "coursera")


def content_gradient(dL, F, P):
    [dF] = gradient_of(losses.content_loss, "dgenerated")(dL, F[None], P[None], "coursera")
    return dF


def total_variation(x):
    return losses.total_variation(x[..., None])


def total_variation_gradient(dL, x):
    gradient = gradient_of(losses.total_variation, "dimage")(dL, x[..., None], "sum_squares")
    return gradient[..., 0]


def of_steps(down=lambda x: x[1:] - x[:-1], right=lambda x: x[:, 1:] - x[:, :-1], begin=-1, end=1):
    """Return the gradient of a sum of squares of steps, with other factors where a step begins and
    ends."""

    def wrong(dL, x):
        dx, D, R = np.zeros_like(x), 2 * down(x), 2 * right(x)
        dx[:-1] += begin * D
        dx[1:] += end * D
        dx[:, :-1] += begin * R
        dx[:, 1:] += end * R
        return dL * dx

    return wrong


def none(x):
    return 0 * (x[1:] - x[:-1])


def wrapped(dL, x):
    """The picture is closed to a ring: the last row and the first are neighbours."""
    return dL * sum(2 * (2 * x - np.roll(x, 1, axis) - np.roll(x, -1, axis)) for axis in (0, 1))


def inside(dL, x):
    """The gradient at pixels with four neighbours only."""
    dx = np.zeros_like(x)
    dx[1:-1, 1:-1] = wrapped(dL, x)[1:-1, 1:-1]
    return dx


EXERCISES = [
    Exercise(
        name="content-gradient",
        chapter="picture-losses",
        title="The gradient of the content loss",
        task="""\
(H, W, C) -> (H, W, C)

F (H, W, C) are the features of the generated picture, and P (H, W, C) those of the photograph. With
the normalization of Ng's course, the loss is

    L = 1 / (4 H W C) Σ (F - P)²

dL is a number, by which the gradient of L is multiplied. Return the gradient with respect to F.""",
        hint="""\
The derivative of the square gives a factor of 2.""",
        right=content_gradient,
        returns=("dF",),
        example={
            "dL": 1.0, "F": np.array([3.0, 5.0]).reshape(1, 2, 1),
            "P": np.array([1.0, 2.0]).reshape(1, 2, 1),
        },
        cases={
            "2x2 positions, one channel": {"F": Shape((2, 2, 1)), "P": Shape((2, 2, 1))},
            "2x3 positions, 4 channels": {"F": Shape((2, 3, 4)), "P": Shape((2, 3, 4))},
        },
        wrong={
            "The factor 2 of the derivative of a square is missing.":
                lambda dL, F, P: content_gradient(dL, F, P) / 2,
            "The normalization 1 / (4 H W C) is missing.":
                lambda dL, F, P: 2 * dL * (F - P),
            "The normalization is missing, and so is the factor 2.": lambda dL, F, P: dL * (F - P),
            "The 4 of the normalization is missing.":
                lambda dL, F, P: 4 * content_gradient(dL, F, P),
            "The sign is wrong: F - P, and not P - F.":
                lambda dL, F, P: -content_gradient(dL, F, P),
            "The normalization counts the positions only. It contains the channels too.":
                lambda dL, F, P: content_gradient(dL, F, P) * F.shape[-1],
            "The differences are not signed: ∂(F - P)²/∂F is 2 (F - P).":
                lambda dL, F, P: dL * abs(F - P) / (2 * F.size),
            "dL is not used: by the chain rule, it is a factor.":
                given(content_gradient, dL=lambda dL: 1.0),
        },
        op=as_gradient(content, "F"),
        kinds={"F": "quadratic"},
    ),
    Exercise(
        name="total-variation-gradient",
        chapter="picture-losses",
        title="The gradient of the total variation",
        task="""\
(H, W) -> (H, W)

x (H, W) is one channel of a picture. The loss is the sum of the squared differences of neighbours,
along both axes:

    L = Σ (x[i+1,j] - x[i,j])² + Σ (x[i,j+1] - x[i,j])²

The sums contain all pairs of neighbours within the picture. dL is a number, by which the gradient
of L is multiplied. Return dx (H, W).""",
        hint="""\
Each difference depends on two pixels: with a plus on the one where it ends, and with a minus on the
one where it begins.""",
        right=total_variation_gradient,
        returns=("dx",),
        example={"dL": 1.0, "x": np.array([[1.0, 2.0], [4.0, 2.0]])},
        cases={"2x2": {"x": Shape((2, 2))}, "3x4": {"x": Shape((3, 4))}},
        wrong={
            "The pixels where a difference begins are forgotten: they get it with a minus.":
                of_steps(begin=0),
            "The pixels where a difference ends are forgotten.": of_steps(end=0),
            "The pixel where a difference begins gets it with a plus. It is subtracted there.":
                of_steps(begin=1),
            "The differences along the columns are missing.": of_steps(down=none),
            "The differences along the rows are missing.":
                lambda dL, x: of_steps(down=none)(dL, x.T).T,
            "The factor 2 of the derivative of a square is missing.":
                lambda dL, x: total_variation_gradient(dL, x) / 2,
            "The sign is wrong.": lambda dL, x: -total_variation_gradient(dL, x),
            "The border is wrong: the first and the last row are no neighbours.": wrapped,
            "The border is missing: its pixels have fewer neighbours, but some.": inside,
            "dL is not used: by the chain rule, it is a factor.":
                given(total_variation_gradient, dL=lambda dL: 1.0),
        },
        op=as_gradient(total_variation, "x"),
        kinds={"x": "quadratic"},
    ),
]  # fmt: skip
