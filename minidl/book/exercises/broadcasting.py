"""Exercises of the chapters about broadcasting and the matrix product."""

import numpy as np

from minidl import ops
from minidl.book.exercises.exercise import Exercise, as_gradient, given, gradient_of
from minidl.book.exercises.sentences import OVERWRITTEN
from minidl.ops import arithmetic
from minidl.proofs import Shape


def broadcast_to(x, shape):
    return ops.broadcast_to(x, shape)


def unbroadcast(dy, x_shape):
    return arithmetic.unbroadcast(dy, x_shape)


def axes_of(dy, x_shape):
    """Return the axes that were added in front, and those of length 1 that were repeated."""
    added = dy.ndim - len(x_shape)
    ones = [i for i, n in enumerate(x_shape, added) if n == 1 != dy.shape[i]]
    return tuple(range(added)), tuple(ones)


def added_only(dy, x_shape):
    return dy.sum(axis=axes_of(dy, x_shape)[0])


def repeated_only(dy, x_shape):
    return dy.sum(axis=axes_of(dy, x_shape)[1], keepdims=True)


def reduced(of_added=np.sum, of_ones=np.sum):
    """Return an error that does something else than a sum over the axes that were added, or over
    those of length 1 that were repeated."""

    def wrong(dy, x_shape):
        added, ones = axes_of(dy, x_shape)
        return of_added(of_ones(dy, axis=ones, keepdims=True), axis=added)

    return wrong


def first(array, axis, keepdims=False):
    kept = array[tuple(slice(1) if i in axis else slice(None) for i in range(array.ndim))]
    return kept if keepdims else kept.squeeze(axis)


def last(array, axis, keepdims=False):
    return first(np.flip(array, axis), axis, keepdims)


def in_some_axes(function):
    """Return the errors that apply a function instead of the sum: everywhere, or for one of both
    kinds of axes."""
    return reduced(function, function), reduced(of_added=function), reduced(of_ones=function)


def without_ones(dy, x_shape):
    added, ones = axes_of(dy, x_shape)
    return dy.sum(axis=added + ones)


def squeezed(dy, x_shape):
    return unbroadcast(dy, x_shape).reshape([n for n in x_shape if n != 1])


def divide(a, b):
    return ops.divide(a, b)


def divide_gradients(dy, a, b):
    da = gradient_of(ops.divide, "da")(dy, b, a.shape)
    return da, gradient_of(ops.divide, "db")(dy, a / b, b, b.shape)


def right_da(dy, a, b):
    return dy / b


def right_db(dy, a, b):
    return -dy * a / b**2


def quotient(of_a=right_da, of_b=right_db, total=unbroadcast):
    """Return the gradients of an error: of_a(dy, a, b) and of_b(dy, a, b), which total(gradient,
    shape) sums."""

    def wrong(dy, a, b):
        return total(of_a(dy, a, b), a.shape), total(of_b(dy, a, b), b.shape)

    return wrong


COPIES_AVERAGED = "The copies are averaged. Their gradients add up."
FIRST_COPY = "Only the first copy contributes. The gradients of all copies add up."

EXERCISES = [
    Exercise(
        name="unbroadcast",
        chapter="broadcasting",
        title="The adjoint of broadcasting",
        task="""\
An array x of shape x_shape was repeated, as NumPy does it, to the shape of dy: axes were added in
front, and axes of length 1 were repeated. dy is the gradient of a loss with respect to the repeated
array. Each number of x was copied to several places, and each copy contributes to its gradient.

Return dx, the gradient with respect to x. It has the shape x_shape.""",
        hint="""\
Sum over the added axes and over the axes of x that have length 1. keepdims=True keeps the
latter.""",
        right=unbroadcast,
        returns=("dx",),
        example={"dy": np.arange(6.0).reshape(2, 3), "x_shape": (3,)},
        cases={
            "the same shape": {"x": Shape((2, 3)), "shape": (2, 3)},
            "one axis added": {"x": Shape((3,)), "shape": (2, 3)},
            "an axis of length 1": {"x": Shape((2, 1)), "shape": (2, 3)},
            "the first axis of length 1": {"x": Shape((1, 3)), "shape": (2, 3)},
            "one number": {"x": Shape(()), "shape": (2, 2)},
            "both": {"x": Shape((2, 1, 4)), "shape": (3, 2, 5, 4)},
            "an axis of length 1 that stays": {"x": Shape((1, 3)), "shape": (4, 1, 3)},
        },
        wrong={
            "The sum over repeated axes of length 1 is missing.": added_only,
            "The sum over the axes that were added in front is missing.": repeated_only,
            COPIES_AVERAGED: in_some_axes(np.mean),
            OVERWRITTEN: in_some_axes(last),
            FIRST_COPY: in_some_axes(first),
            "Nothing is summed. The gradients of the copies add up.": lambda dy, x_shape: dy,
            "The sum always runs over axis 0. It runs over the axes along which x was repeated.":
                lambda dy, x_shape: dy.sum(axis=0),
            "The axes of length 1 are lost: keep them, for example with keepdims=True.":
                (without_ones, squeezed),
        },
        op=as_gradient(broadcast_to, "x"),
        kinds={"x": "linear"},
    ),
    Exercise(
        name="divide-gradients",
        chapter="broadcasting",
        title="The gradients of a quotient",
        task="""\
The op divides element by element, with broadcasting:

    y = a / b

dy is the gradient of a loss with respect to y. Return da and db, the gradients with respect to a
and b, in the shapes of a and b.""",
        hint="""\
∂y/∂b = -a / b². Multiply by dy before you sum over the axes along which an array was repeated.""",
        right=divide_gradients,
        returns=("da", "db"),
        example={
            "dy": np.array([[1.0, 2.0]]), "a": np.array([[3.0, 8.0]]), "b": np.array([[1.0, 2.0]]),
        },
        cases={
            "equal shapes": {"a": Shape((2, 3)), "b": Shape((2, 3))},
            "a column and a matrix": {"a": Shape((2, 1)), "b": Shape((2, 3))},
            "a matrix and a row": {"a": Shape((4, 3)), "b": Shape((3,))},
            "a row and a column": {"a": Shape((3,)), "b": Shape((2, 1))},
        },
        wrong={
            "The sums over the axes along which a and b were repeated are missing.": (
                quotient(total=lambda dy, shape: dy), quotient(total=added_only),
                quotient(total=repeated_only),
            ),
            COPIES_AVERAGED: tuple(quotient(total=each) for each in in_some_axes(np.mean)),
            OVERWRITTEN: tuple(quotient(total=each) for each in in_some_axes(last)),
            FIRST_COPY: tuple(quotient(total=each) for each in in_some_axes(first)),
            "The minus of db is missing: ∂y/∂b = -a / b².":
                quotient(of_b=lambda dy, a, b: dy * a / b**2),
            "db is divided by b once: ∂y/∂b = -a / b².":
                quotient(of_b=lambda dy, a, b: -dy * a / b),
            "a is missing in db: ∂y/∂b = -a / b².":
                quotient(of_b=lambda dy, a, b: -dy / b**2),
            "da is multiplied by b: ∂y/∂a = 1 / b.": quotient(lambda dy, a, b: dy * b),
            "da is divided by a: ∂y/∂a = 1 / b.": quotient(lambda dy, a, b: dy / a),
            "da is not divided by b: ∂y/∂a = 1 / b.": quotient(lambda dy, a, b: dy),
            "dy is not used: by the chain rule, it is a factor of both gradients.":
                given(divide_gradients, dy=np.ones_like),
        },
        op=as_gradient(divide, "a", "b"),
        kinds={"a": "linear", "b": "analytic"},
        data={"b": "nonzero"},
    ),
]  # fmt: skip
