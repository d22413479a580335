"""Exercises of the chapter about activations."""

import numpy as np

from minidl import ops
from minidl.book.exercises.exercise import (
    Exercise,
    as_forward,
    as_gradient,
    given,
    gradient_of,
)
from minidl.book.exercises.sentences import OVERWRITTEN, ROWS_AVERAGED, UNUSED_DY
from minidl.proofs import Shape


def softplus(x):
    return ops.softplus(x)


def softplus_dx(dy, x):
    return dy * ops.sigmoid(x)


def prelu(x, slope):
    return ops.prelu(x, slope)


def prelu_gradients(dy, x, slope):
    dx = gradient_of(ops.prelu, "dx")(dy, x, slope)
    return dx, gradient_of(ops.prelu, "dslope")(dy, x, slope.shape)


def slopes_by(total):
    """Return the gradients with another total than the sum over the rows."""

    def wrong(dy, x, slope):
        return prelu_gradients(dy, x, slope)[0], total(dy * np.minimum(x, 0))

    return wrong


def slopes_of(part):
    """Return the gradients with the sum of part(dy, x) as dslope."""

    def wrong(dy, x, slope):
        return prelu_gradients(dy, x, slope)[0], part(dy, x).sum(axis=0)

    return wrong


def dx_of(part):
    """Return the gradients with part(dy, x, slope) as dx."""

    def wrong(dy, x, slope):
        return part(dy, x, slope), prelu_gradients(dy, x, slope)[1]

    return wrong


EXERCISES = [
    Exercise(
        name="softplus",
        chapter="activations",
        title="Softplus, without overflow",
        task="""\
(N,) -> (N,)

    y[n] = log (1 + e^x[n])

Return y. It has to be right and finite for all finite x, such as 1000 and -1000, although e^1000 is
too large for a float.""",
        hint="""\
For x > 0, 1 + e^x = e^x (1 + e^-x). What is the logarithm of this product?""",
        right=softplus,
        returns=("y",),
        example={"x": np.array([0.0, 1.0])},
        cases={
            "one number": {"x": Shape((1,))},
            "3 numbers": {"x": Shape((3,))},
            "6 numbers": {"x": Shape((6,))},
        },
        special={
            "large numbers": {"x": np.array([1000.0, 2000.0])},
            "very negative numbers": {"x": np.array([-1000.0, -750.0])},
        },
        wrong={
            "The exponential overflows: for x > 0, y = x + log (1 + e^-x).":
                lambda x: np.log(1 + np.exp(x)),
            "x is not added where x > 0: there, y = x + log (1 + e^-x).":
                lambda x: np.log1p(np.exp(-abs(x))),
            "x is added where x < 0 too. There, y = log (1 + e^x).":
                lambda x: x + np.log1p(np.exp(-abs(x))),
            "1 is missing: this is log e^x, which is x.": lambda x: x + 0.0,
            "The logarithm is missing.": lambda x: 1 + np.exp(x),
            "The sign of x is wrong: this is log (1 + e^-x).": lambda x: softplus(-x),
            "This is the sigmoid, the slope of y.": lambda x: ops.sigmoid(x),
            "This is the larger of x and 0. The logarithm is missing.":
                lambda x: np.maximum(x, 0),
            "The sum runs over all numbers. Each number has its own result.":
                lambda x: softplus(x).sum(),
        },
        op=as_forward(dx=softplus_dx),
        kinds={"x": "smooth"},
    ),
    Exercise(
        name="prelu-gradients",
        chapter="activations",
        title="The gradients of a rectifier with learned slopes",
        task="""\
(N, C), (N, C), (C,) -> (N, C), (C,)

    y[n,c] = max(x[n,c], 0) + slope[c] min(x[n,c], 0)

dy (N, C) is the gradient of a loss with respect to y. Return dx (N, C) and dslope (C,), the
gradients with respect to x and slope. At the kink x = 0, the slope is that of the left side.""",
        hint="""\
∂y/∂x is 1 or slope[c], depending on the sign of x. slope[c] is read once for each n, and each time
∂y/∂slope = min(x, 0).""",
        right=prelu_gradients,
        returns=("dx", "dslope"),
        example={
            "dy": np.array([[1.0], [2.0]]), "x": np.array([[-3.0], [4.0]]),
            "slope": np.array([0.5]),
        },
        cases={
            "one row": {"x": Shape((1, 3)), "slope": Shape((3,))},
            "one channel": {"x": Shape((4, 1)), "slope": Shape((1,))},
            "5 rows": {"x": Shape((5, 3)), "slope": Shape((3,))},
        },
        special={
            "the kink": {
                "dy": np.array([[2.0, 4.0]]), "x": np.array([[0.0, 0.0]]),
                "slope": np.array([3.0, 5.0]),
            },
        },
        wrong={
            "dslope is not summed over the rows, which share the slopes.":
                slopes_by(lambda terms: terms),
            "dslope sums over the channels, too. Each channel has a slope of its own.":
                slopes_by(np.sum),
            ROWS_AVERAGED: slopes_by(lambda terms: terms.mean(axis=0)),
            OVERWRITTEN: slopes_by(lambda terms: terms[-1]),
            "dslope contains positive x too: ∂y/∂slope = min(x, 0).":
                slopes_of(lambda dy, x: dy * x),
            "dslope has the size of x: ∂y/∂slope = min(x, 0), which is negative.":
                slopes_of(lambda dy, x: dy * np.maximum(-x, 0)),
            "dslope is of positive x: ∂y/∂slope = min(x, 0).":
                slopes_of(lambda dy, x: dy * np.maximum(x, 0)),
            "x is missing in dslope: ∂y/∂slope = min(x, 0).":
                slopes_of(lambda dy, x: dy * (x <= 0)),
            "dx has the slope on the wrong side: ∂y/∂x = 1 where x > 0.":
                dx_of(lambda dy, x, slope: np.where(x > 0, slope * dy, dy)),
            "dx has the slope on both sides: ∂y/∂x = 1 where x > 0.":
                dx_of(lambda dy, x, slope: slope * dy),
            "dx is that of relu. Where x is not above 0, ∂y/∂x = slope.":
                dx_of(lambda dy, x, slope: np.where(x > 0, dy, 0)),
            "At the kink x = 0, the slope is that of the left side.":
                dx_of(lambda dy, x, slope: np.where(x >= 0, dy, slope * dy)),
            UNUSED_DY:
                given(prelu_gradients, dy=np.ones_like),
        },
        op=as_gradient(prelu, "x", "slope"),
        kinds={"x": "piecewise linear", "slope": "linear"},
    ),
]  # fmt: skip
