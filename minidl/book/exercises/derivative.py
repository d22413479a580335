"""Exercises of the chapter about derivatives."""

import numpy as np

from minidl.book.child import Formula
from minidl.book.exercises.exercise import Exercise, given
from minidl.gradcheck import KINDS
from minidl.proofs import Shape

NUMBERS = {"x": Shape((3,)), "u": Shape((3,))}


def central_difference(f, x, u, h):
    slope, _ = KINDS["quadratic"].slope(f, x, h * u)
    return slope / h


def complex_step(f, x, u):
    slope, _ = KINDS["analytic"].slope(f, x, u)
    return slope


EXERCISES = [
    Exercise(
        name="central-difference",
        chapter="derivative",
        title="A slope by a central difference",
        task="""\
f is a function of an array x. It returns an array. u is a direction, an array of the shape of x.
Return the slope of f at x along u, estimated from the two points at the distance h on both sides:

    slope = (f(x + h u) - f(x - h u)) / 2h

The slope has the shape of f(x). Call f twice.""",
        hint="""\
The two points are x + h·u and x - h·u. The distance between them is 2 h, measured in u.""",
        right=central_difference,
        returns=("slope",),
        example={
            "f": Formula("x * x"), "x": np.array([1.0, 3.0]), "u": np.array([1.0, 2.0]), "h": 0.5,
        },
        cases={
            "a linear function": {"f": Formula("3 * x"), **NUMBERS, "h": 0.5},
            "a cubic function": {"f": Formula("x ** 3"), **NUMBERS, "h": 0.5},
            "a function of several numbers": {"f": Formula("x[:2] * x[1:]"), **NUMBERS, "h": 0.25},
            "a function with one result": {"f": Formula("np.exp(x).sum()"), **NUMBERS, "h": 0.1},
        },
        wrong={
            "The difference is one-sided. Its error is of the order h, and not h².":
                (
                    lambda f, x, u, h: (f(x + h * u) - f(x)) / h,
                    lambda f, x, u, h: (f(x + h * u) - f(x)) / (2 * h),
                ),
            "The difference is divided by h, but the two points are 2 h apart.":
                lambda f, x, u, h: (f(x + h * u) - f(x - h * u)) / h,
            "The difference is not divided by the distance 2 h.":
                (
                    lambda f, x, u, h: f(x + h * u) - f(x - h * u),
                    lambda f, x, u, h: (f(x + h * u) - f(x - h * u)) / 2 * h,
                ),
            "The two values are added. They are subtracted.":
                lambda f, x, u, h: (f(x + h * u) + f(x - h * u)) / (2 * h),
            "The step is u. It is h u.":
                lambda f, x, u, h: (f(x + u) - f(x - u)) / (2 * h),
            "The direction u is ignored: all numbers of x move by h.":
                given(central_difference, u=np.ones_like),
        },
    ),
    Exercise(
        name="complex-step",
        chapter="derivative",
        title="A slope by a complex step",
        task="""\
f is a function of an array x that also takes complex numbers, and that is computed without abs,
maximum and comparisons. u is a direction, an array of the shape of x. For a small h,

    f(x + i h u) = f(x) + i h Df(x) u - h²/2 ...

Return the slope Df(x) u, an array of real numbers. It has to be exact, apart from rounding. Choose
h. No close numbers are subtracted here, so that h can be as small as 1e-30.""",
        hint="""\
The slope is in the imaginary part, which y.imag returns. Python writes i as 1j.""",
        right=complex_step,
        returns=("slope",),
        example={"f": Formula("x * x"), "x": np.array([1.0, 3.0]), "u": np.array([1.0, 2.0])},
        cases={
            "a linear function": {"f": Formula("3 * x"), **NUMBERS},
            "a cubic function": {"f": Formula("x ** 3"), **NUMBERS},
            "an exponential function": {"f": Formula("np.exp(x) * x"), **NUMBERS},
            "a small change of large values": {"f": Formula("1e8 + np.sin(x)"), **NUMBERS},
            "a function with one result": {"f": Formula("np.log(1 + x * x).sum()"), **NUMBERS},
        },
        wrong={
            "It is nearly 0. Step by 1j h u, and divide the imaginary part by h.":
                lambda f, x, u: f(x + 1e-20j * u).imag,
            "The slope is in the imaginary part. The real part is f(x).":
                lambda f, x, u: f(x + 1e-20j * u).real,
            "The real part is divided by h. The slope is in the imaginary part.":
                lambda f, x, u: f(x + 1e-30j * u).real / 1e-30,
            "The direction u is ignored: all numbers of x move by i h.":
                given(complex_step, u=np.ones_like),
        },
    ),
]  # fmt: skip
