"""Exercises of the chapter about losses of pictures."""

from itertools import product

import numpy as np

from minidl import losses
from minidl.book.exercises.exercise import Exercise, as_gradient, given, gradient_of
from minidl.book.exercises.sentences import NEGATIVE, OVERWRITTEN, UNUSED_DL
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


def of_steps(begin=(-1, -1), end=(1, 1)):
    """Return the gradient of a sum of squares of steps, with other factors where a step begins and
    ends: down and to the right."""

    def wrong(dL, x):
        dx, down, right = np.zeros_like(x), 2 * np.diff(x, axis=0), 2 * np.diff(x, axis=1)
        dx[:-1] += begin[0] * down
        dx[1:] += end[0] * down
        dx[:, :-1] += begin[1] * right
        dx[:, 1:] += end[1] * right
        return dL * dx

    return wrong


def with_begin(factor):
    """Return the errors where steps begin: along both axes, and along one of them."""
    return tuple(of_steps(begin=each) for each in ((factor, factor), (factor, -1), (-1, factor)))


def with_end(factor):
    return tuple(of_steps(end=each) for each in ((factor, factor), (factor, 1), (1, factor)))


def wrapped(dL, x):
    """The picture is closed to a ring: the last row and the first are neighbours."""
    return dL * sum(2 * (2 * x - np.roll(x, 1, axis) - np.roll(x, -1, axis)) for axis in (0, 1))


def inside(dL, x):
    """The gradient at pixels with four neighbours only."""
    dx = np.zeros_like(x)
    dx[1:-1, 1:-1] = wrapped(dL, x)[1:-1, 1:-1]
    return dx


def of_terms(open_axes=(), adds=True):
    """Return the gradient as a sum over the four neighbours of each pixel, in a loop.

    open_axes: those along which the position before the first pixel is the last one. adds: whether
    the terms are added, or overwrite each other.
    """

    def wrong(dL, x):
        dx = np.zeros_like(x)
        for pixel in np.ndindex(*x.shape):
            for axis, step in ((0, -1), (0, 1), (1, -1), (1, 1)):
                other = list(pixel)
                other[axis] += step
                least = -1 if axis in open_axes else 0
                if least <= other[axis] < x.shape[axis]:
                    dx[pixel] = 2 * (x[pixel] - x[tuple(other)]) + adds * dx[pixel]
        return dL * dx

    return wrong


def of_slices(*assigns):
    """Return the gradient by four slices. assigns: whether each of the last three assigns instead
    of adding."""

    def wrong(dL, x):
        down, right, dx = 2 * (x[1:] - x[:-1]), 2 * (x[:, 1:] - x[:, :-1]), np.zeros_like(x)
        dx[1:] += down
        for part, term, is_set in zip(
            (dx[:-1], dx[:, 1:], dx[:, :-1]), (-down, right, -right), assigns, strict=True
        ):
            part[...] = term if is_set else part + term
        return dL * dx

    return wrong


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
            "The normalization counts the channels only. It contains the positions too.":
                lambda dL, F, P: content_gradient(dL, F, P) * F[..., 0].size,
            "The features are added. They are subtracted: F - P.":
                lambda dL, F, P: content_gradient(dL, F, -P),
            "P, the photograph, is missing: the gradient contains F - P.":
                lambda dL, F, P: content_gradient(dL, F, 0 * P),
            "The differences are not signed: ∂(F - P)²/∂F is 2 (F - P).":
                lambda dL, F, P: dL * abs(F - P) / (2 * F.size),
            UNUSED_DL:
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
                with_begin(0),
            "The pixels where a difference ends are forgotten.": with_end(0),
            "The pixel where a difference begins gets it with a plus. It is subtracted there.":
                with_begin(1),
            NEGATIVE.format(along=""): (
                of_terms(open_axes=(0, 1)), of_terms(open_axes=(0,)), of_terms(open_axes=(1,)),
            ),
            OVERWRITTEN: (
                of_terms(adds=False),
                *(of_slices(*flags) for flags in product((False, True), repeat=3) if any(flags)),
            ),
            "The gradient is averaged over the pixels. The loss is a sum over them.":
                lambda dL, x: total_variation_gradient(dL, x) / x.size,
            "The differences along the columns are missing.": of_steps((0, -1), (0, 1)),
            "The differences along the rows are missing.": of_steps((-1, 0), (1, 0)),
            "The factor 2 of the derivative of a square is missing.":
                lambda dL, x: total_variation_gradient(dL, x) / 2,
            "The sign is wrong.": lambda dL, x: -total_variation_gradient(dL, x),
            "The border is wrong: the first and the last row are no neighbours.": wrapped,
            "The border is missing: its pixels have fewer neighbours, but some.": inside,
            UNUSED_DL:
                given(total_variation_gradient, dL=lambda dL: 1.0),
        },
        op=as_gradient(total_variation, "x"),
        kinds={"x": "quadratic"},
    ),
]  # fmt: skip
