"""Exercises of the chapter about digits in a plane."""

import numpy as np

from minidl import ops
from minidl.book.exercises.exercise import Exercise, as_gradient, given, gradient_of
from minidl.book.exercises.sentences import UNUSED_DY
from minidl.proofs import Shape


def difference(a, b, w):
    return np.tanh(a @ w) - np.tanh(b @ w)


def siamese_gradient(dy, a, b, w):
    def term(dy, x):
        dz = gradient_of(ops.tanh, "dx")(dy, ops.tanh(x @ w))
        return gradient_of(ops.matmul, "db")(dz, x, w.shape)

    return term(dy, a) + term(-dy, b)


def slope(z):
    return 1 - np.tanh(z) ** 2


def without_square(z):
    return 1 - np.tanh(z)


def of_terms(slope_a=slope, slope_b=slope, first=1, second=-1):
    """Return the gradient with other slopes of tanh, or other factors of the two terms."""

    def wrong(dy, a, b, w):
        return first * a.T @ (dy * slope_a(a @ w)) + second * b.T @ (dy * slope_b(b @ w))

    return wrong


def exchanged(dy, a, b, w):
    return a.T @ (dy * slope(b @ w)) - b.T @ (dy * slope(a @ w))


def of_difference(dy, a, b, w):
    return (a - b).T @ (dy * slope((a - b) @ w))


def of_result(dy, a, b, w):
    return (a - b).T @ (dy * (1 - difference(a, b, w) ** 2))


EXERCISES = [
    Exercise(
        name="siamese-gradient",
        chapter="digits",
        title="The gradient of weights that two inputs share",
        task="""\
(N, K), (N, C), (N, C), (C, K) -> (C, K)

A siamese network passes both pictures of a pair through the same layer. Here, it has one dense
layer, and a and b (N, C) are the two inputs of N pairs. The difference of the points is

    y = tanh(a w) - tanh(b w)

where a w is the matrix product. dy (N, K) is the gradient of a loss with respect to y. Return dw
(C, K), its gradient with respect to the weights w. The derivative of tanh z is 1 - tanh² z.""",
        hint="""\
Take the two places where w is read as two different matrices. Compute the gradient of each, and add
them up. The minus belongs to the second.""",
        right=siamese_gradient,
        returns=("dw",),
        example={
            "dy": np.array([[1.0]]), "a": np.array([[2.0, 0.0]]), "b": np.array([[0.0, 3.0]]),
            "w": np.array([[0.0], [0.0]]),
        },
        cases={
            "one number": {"a": Shape((1, 1)), "b": Shape((1, 1)), "w": Shape((1, 1))},
            "one pair": {"a": Shape((1, 2)), "b": Shape((1, 2)), "w": Shape((2, 3))},
            "4 pairs": {"a": Shape((4, 2)), "b": Shape((4, 2)), "w": Shape((2, 3))},
        },
        wrong={
            "Only the first input contributes. w is read twice, and both gradients add up.":
                of_terms(second=0),
            "Only the second input contributes. w is read twice, and both gradients add up.":
                of_terms(first=0),
            "The minus of the second input is missing: y is a difference.": of_terms(second=1),
            "The sign is wrong: y is the first result minus the second.":
                of_terms(first=-1, second=1),
            "The gradients of the two inputs are averaged. They add up.":
                of_terms(first=0.5, second=-0.5),
            "The slopes of the two inputs are exchanged.": exchanged,
            "Both inputs have the slope of the first. Each has its own.":
                lambda dy, a, b, w: (a - b).T @ (dy * slope(a @ w)),
            "Both inputs have the slope of the second. Each has its own.":
                lambda dy, a, b, w: (a - b).T @ (dy * slope(b @ w)),
            "The slope is that of tanh((a - b) w). Each input passes through tanh on its own.":
                of_difference,
            "The slope is 1 - y². y is the difference of two results of tanh.": of_result,
            "The slope of tanh, 1 - tanh² z, is missing.": of_terms(np.ones_like, np.ones_like),
            "The slope of tanh is 1 - tanh² z, and not 1 - z².":
                of_terms(lambda z: 1 - z * z, lambda z: 1 - z * z),
            "The slope of tanh is 1 - tanh² z, and not 1 - tanh z.": (
                of_terms(without_square, without_square),
                of_terms(slope_a=without_square),
                of_terms(slope_b=without_square),
            ),
            "The pairs are averaged. Their gradients add up.":
                lambda dy, a, b, w: siamese_gradient(dy, a, b, w) / len(a),
            "Only the first pair contributes. The gradients of all pairs add up.":
                lambda dy, a, b, w: siamese_gradient(dy[:1], a[:1], b[:1], w),
            UNUSED_DY: given(siamese_gradient, dy=np.ones_like),
        },
        op=as_gradient(difference, "w"),
        kinds={"w": "analytic"},
    ),
]  # fmt: skip
