"""Exercises of the chapter about sums over axes."""

import numpy as np

from minidl import ops
from minidl.book.exercises.exercise import Exercise, as_gradient, given, gradient_of
from minidl.book.exercises.sentences import UNUSED_DY
from minidl.proofs import Shape


def cumsum(x):
    return ops.cumsum(x, axis=1)


def cumsum_dx(dy):
    return gradient_of(ops.cumsum, "dx")(dy, dy.shape, 1)


def without_own(dy):
    """Only the sums after each number."""
    return cumsum_dx(dy) - dy


def not_turned_back(dy):
    return dy[:, ::-1].cumsum(axis=1)


def variance(x):
    return ops.var(x, axis=1)


def variance_dx(dy, x):
    return gradient_of(ops.var, "dx")(dy, x, 1, False, 0)


def deviations(x):
    return x - x.mean(axis=1, keepdims=True)


def by_mean_of_all(dy, x):
    return 2 * dy[:, None] * (x - x.mean()) / x.shape[1]


EXERCISES = [
    Exercise(
        name="cumsum-dx",
        chapter="axes",
        title="The gradient of a cumulative sum",
        task="""\
(N, L) -> (N, L)

A cumulative sum adds up all numbers of a row up to each place:

    y[n,i] = Σ_{k: k ≤ i} x[n,k]

dy is the gradient of a loss with respect to y. Return dx, the gradient with respect to x.""",
        hint="""\
In which y is x[n,k] a term? Add up their dy. np.cumsum and a slice with the step -1 are enough.""",
        right=cumsum_dx,
        returns=("dx",),
        example={"dy": np.array([[1.0, 2.0, 4.0]])},
        cases={
            "two numbers": {"x": Shape((1, 2))},
            "two rows": {"x": Shape((2, 3))},
            "many numbers": {"x": Shape((3, 5))},
        },
        wrong={
            "dy is added up from the front. x[n,k] is a term of y[n,k] and of all y after it.":
                lambda dy: dy.cumsum(axis=1),
            "dy[n,k] itself is missing: x[n,k] is a term of y[n,k] too.": without_own,
            "Only dy[n,k] contributes. x[n,k] is a term of all y after it too.": lambda dy: dy + 0,
            "The order of the sums is reversed: turn it round once more.": not_turned_back,
            "All dy of a row contribute. x[n,k] is no term of the y before it.":
                lambda dy: dy.sum(axis=1, keepdims=True) + 0 * dy,
            "The rows are added up. A row has its own sums.":
                lambda dy: dy[::-1].cumsum(axis=0)[::-1],
        },
        op=as_gradient(cumsum, "x"),
        kinds={"x": "linear"},
    ),
    Exercise(
        name="variance-dx",
        chapter="axes",
        title="The gradient of a variance",
        task="""\
(N,), (N, L) -> (N, L)

The variance of each row is the mean of the squared deviations from its mean μ:

    y[n] = 1/L Σ_k (x[n,k] - μ[n])²,      μ[n] = 1/L Σ_k x[n,k]

dy is the gradient of a loss with respect to y. Return dx, the gradient with respect to x.""",
        hint="""\
x[n,k] changes its own deviation, and all deviations through μ. What do the deviations of a row add
up to?""",
        right=variance_dx,
        returns=("dx",),
        example={"dy": np.array([3.0]), "x": np.array([[1.0, 3.0]])},
        cases={
            "three numbers": {"x": Shape((1, 3))},
            "two rows": {"x": Shape((2, 4))},
            "many rows": {"x": Shape((4, 3))},
        },
        wrong={
            "The factor 2 of the square is missing.": lambda dy, x: variance_dx(dy, x) / 2,
            "The factor 1/L of the mean is missing.":
                lambda dy, x: variance_dx(dy, x) * x.shape[1],
            "The sum is divided by L - 1. This variance has the divisor L.":
                lambda dy, x: variance_dx(dy, x) * x.shape[1] / (x.shape[1] - 1),
            "The mean is not subtracted: the slope is that of the deviation, not of x.":
                lambda dy, x: 2 * dy[:, None] * x / x.shape[1],
            "The mean is that of all numbers. Each row has its own.": by_mean_of_all,
            "The deviations are squared: the slope of a square is twice the number itself.":
                lambda dy, x: 2 * dy[:, None] * deviations(x) ** 2 / x.shape[1],
            "The sign is wrong: y grows if x moves away from the mean.":
                lambda dy, x: -variance_dx(dy, x),
            UNUSED_DY: given(variance_dx, dy=np.ones_like),
        },
        op=as_gradient(variance, "x"),
        kinds={"x": "quadratic"},
    ),
]  # fmt: skip
