"""Exercises of the chapter about proofs."""

import numpy as np

from minidl.book.child import Formula
from minidl.book.exercises.derivative import NUMBERS, central_difference
from minidl.book.exercises.exercise import Exercise, given
from minidl.gradcheck import KINDS
from minidl.proofs import Shape


def four_point(f, x, u, h):
    slope, _ = KINDS["quartic"].slope(f, x, h * u)
    return slope / h


def adjoint_test(A, A_star, u, v):
    """As `gradcheck` does: the difference of both sides, relative to the size of their terms."""
    left, right = v * A(u), u * A_star(v)
    return abs(left.sum() - right.sum()) / max(abs(left).sum(), abs(right).sum())


def with_size(size):
    """Return another error, relative to size(terms of the left side, terms of the right side)."""

    def wrong(A, A_star, u, v):
        left, right = v * A(u), u * A_star(v)
        return abs(left.sum() - right.sum()) / size(left, right)

    return wrong


def averaged(A, A_star, u, v):
    left, right = v * A(u), u * A_star(v)
    return abs(left.mean() - right.mean()) / max(abs(left).mean(), abs(right).mean())


def signed(A, A_star, u, v):
    left, right = v * A(u), u * A_star(v)
    return adjoint_test(A, A_star, u, v) * np.sign(left.sum() - right.sum())


def without_weights(f, x, u, h):
    near, far = (f(x + s * u) - f(x - s * u) for s in (h, 2 * h))
    return (near / 2 + far / 4) / 2 / h


PAIRS = {  # linear maps of vectors and what is said to be their adjoint
    "the differences of neighbours": {
        "A": Formula("x[1:] - x[:-1]"), "A_star": Formula("np.append(0, x) - np.append(x, 0)"),
        "u": Shape((4,)), "v": Shape((3,)),
    },
    "the differences of neighbours with a wrong sign": {
        "A": Formula("x[1:] - x[:-1]"), "A_star": Formula("np.append(x, 0) - np.append(0, x)"),
        "u": Shape((4,)), "v": Shape((3,)),
    },
    "a convolution and one with the flipped kernel": {
        "A": Formula("np.convolve(x, [1.0, 2.0, 4.0])"),
        "A_star": Formula("np.convolve(x, [1.0, 2.0, 4.0], 'valid')"),
        "u": Shape((3,)), "v": Shape((5,)),
    },
    "a stride of 2": {
        "A": Formula("x[::2]"), "A_star": Formula("np.stack([x, 0 * x], axis=1).reshape(-1)"),
        "u": Shape((6,)), "v": Shape((3,)),
    },
}  # fmt: skip

EXERCISES = [
    Exercise(
        name="adjoint-test",
        chapter="proofs",
        title="The adjoint test of a linear map",
        task="""\
A and A_star are functions of a vector. A is linear. If A_star is the adjoint of A, as the gradient
of a linear op is, all vectors u and v satisfy

    Σ v A(u) = Σ u A_star(v)

Return the error of this equation, a number: the absolute difference of both sides, divided by the
size of the terms. The size is the larger one of Σ |v A(u)| and Σ |u A_star(v)|. The terms of a sum
may cancel, so an error relative to the sum itself would say little.""",
        hint="""\
Compute both products before you sum them: you need the sums of the terms and the sums of their
absolute values.""",
        right=adjoint_test,
        returns=("error",),
        example={
            "A": Formula("2 * x"), "A_star": Formula("3 * x"), "u": np.array([1.0, 2.0]),
            "v": np.array([4.0, -1.0]),
        },
        cases=PAIRS,
        wrong={
            "The error is relative to the sums. Divide by the sum of the absolute values.":
                with_size(lambda left, right: max(abs(left.sum()), abs(right.sum()))),
            "The error is not divided by the size of the terms.":
                with_size(lambda left, right: 1.0),
            "The size is that of one side only. Take the larger one of both.": (
                with_size(lambda left, right: abs(left).sum()),
                with_size(lambda left, right: abs(right).sum()),
                with_size(lambda left, right: min(abs(left).sum(), abs(right).sum())),
            ),
            "The products are averaged. Both sides are sums.": averaged,
            "The size is the sum of both sizes. Take the larger one.":
                with_size(lambda left, right: abs(left).sum() + abs(right).sum()),
            "The difference has a sign. The error is its absolute value.": signed,
        },
    ),
    Exercise(
        name="four-point",
        chapter="proofs",
        title="A slope that is exact for polynomials of degree 4",
        task="""\
f is a function of an array x. u is a direction, an array of the shape of x. Let

    d(h) = f(x + h u) - f(x - h u)

A central difference d(h) / 2h has an error of h²/6 f''' + ... Return the combination of d(h) and
d(2h) without this error. It is exact for polynomials of a degree up to 4, also for a large h.""",
        hint="""\
d(h)/2h = f' + h²/6 f''' + ... and d(2h)/4h = f' + 4h²/6 f''' + ... Which multiples of the two have
the sum f'?""",
        right=four_point,
        returns=("slope",),
        example={
            "f": Formula("x ** 3"), "x": np.array([1.0, 2.0]), "u": np.array([1.0, 1.0]), "h": 1.0,
        },
        cases={
            "a quadratic function": {"f": Formula("x * x"), **NUMBERS, "h": 1.0},
            "a quartic function": {"f": Formula("x ** 4"), **NUMBERS, "h": 1.0},
            "h = 1/2": {"f": Formula("x ** 4 - x ** 3"), **NUMBERS, "h": 0.5},
            "a function of degree 5": {"f": Formula("x ** 5"), **NUMBERS, "h": 0.5},
            "a function with one result": {
                "f": Formula("(x[1:] ** 3 * x[:-1]).sum()"), **NUMBERS, "h": 1.0,
            },
        },
        wrong={
            "This is the central difference d(h) / 2h, whose error of third order remains.":
                lambda f, x, u, h: central_difference(f, x, u, h),
            "d(h) and d(2h) have wrong weights: this is the mean of both central differences.":
                without_weights,
            "d(2h) is added. Its weight is negative.":
                lambda f, x, u, h: (
                    8 * (f(x + h * u) - f(x - h * u)) + f(x + 2 * h * u) - f(x - 2 * h * u)
                ) / (12 * h),
            "The combination is divided by 12, but not by h.":
                lambda f, x, u, h: four_point(f, x, u, h) * h,
            "The direction u is ignored: all numbers of x move by h.":
                given(four_point, u=np.ones_like),
        },
    ),
]  # fmt: skip
