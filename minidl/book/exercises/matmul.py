"""Exercises of the chapter about the matrix product."""

from itertools import combinations

import numpy as np

from minidl import ops
from minidl.book.exercises.broadcasting import (
    added_only,
    first,
    in_some_axes,
    last,
    repeated_only,
)
from minidl.book.exercises.exercise import Exercise, as_gradient, gradient_of
from minidl.book.exercises.sentences import OVERWRITTEN
from minidl.ops.arithmetic import unbroadcast
from minidl.proofs import Shape


def dense(x, w, b):
    return ops.matmul(x, w) + b


def dense_gradients(dy, x, w):
    dx = gradient_of(ops.matmul, "da")(dy, w, x.shape)
    dw = gradient_of(ops.matmul, "db")(dy, x, w.shape)
    return dx, dw, unbroadcast(dy, w.shape[1:])


def with_results(dx=None, dw=None, db=None):
    """Return the gradients of a dense layer with other functions of dy, x, w for some of them."""

    def wrong(dy, x, w):
        right = dense_gradients(dy, x, w)
        others = zip((dx, dw, db), right, strict=True)
        return tuple(other(dy, x, w) if other else one for other, one in others)

    return wrong


def matmul(a, b):
    return ops.matmul(a, b)


def matmul_gradients(dy, a, b):
    da = gradient_of(ops.matmul, "da")(dy, b, a.shape)
    return da, gradient_of(ops.matmul, "db")(dy, a, b.shape)


def summed(da=lambda dy, a, b: dy @ b.mT, db=lambda dy, a, b: a.mT @ dy, total=unbroadcast):
    """Return the gradients with other products, or with another total(gradient, shape) over the
    batches."""

    def wrong(dy, a, b):
        return total(da(dy, a, b), a.shape), total(db(dy, a, b), b.shape)

    return wrong


# The last term of each sum, which remains if the terms overwrite each other in loops
LAST_TERMS = {
    "dx": lambda dy, x, w: dy[:, -1:] @ w[:, -1:].T,
    "dw": lambda dy, x, w: x[-1:].T @ dy[-1:],
    "db": lambda dy, x, w: dy[-1],
}

EXERCISES = [
    Exercise(
        name="dense-gradients",
        chapter="matmul",
        title="The gradients of a dense layer",
        task="""\
(N, C), (C, K), (K,) -> (N, K)

A dense layer computes the matrix product of x and w, and adds the bias b to each row:

    y[n,k] = Σ_c x[n,c] w[c,k] + b[k]

dy (N, K) is the gradient of a loss with respect to y. Return dx (N, C), dw (C, K) and db (K,). No
loop is needed.""",
        hint="""\
In which y is x[n,c], and with which factor? Write the sum with its indices, and compare it with the
definition of a matrix product.""",
        right=dense_gradients,
        returns=("dx", "dw", "db"),
        example={
            "dy": np.array([[1.0, 10.0]]), "x": np.array([[1.0, 2.0]]),
            "w": np.array([[1.0, 2.0], [3.0, 4.0]]),
        },
        cases={
            "2 rows, 2 inputs, 2 outputs": {
                "x": Shape((2, 2)), "w": Shape((2, 2)), "b": Shape((2,)),
            },
            "4 rows, 3 inputs, 2 outputs": {
                "x": Shape((4, 3)), "w": Shape((3, 2)), "b": Shape((2,)),
            },
        },
        wrong={
            OVERWRITTEN: tuple(
                with_results(**{name: LAST_TERMS[name] for name in names})
                for count in (1, 2, 3) for names in combinations(LAST_TERMS, count)
            ),
            "w is not transposed: dx = dy wᵀ.": with_results(dx=lambda dy, x, w: dy @ w),
            "x is not transposed: dw = xᵀ dy.": with_results(dw=lambda dy, x, w: x @ dy),
            "The factors of dw are exchanged: this is its transpose.":
                with_results(dw=lambda dy, x, w: dy.T @ x),
            "dw is the mean over the rows. It is their sum.":
                with_results(dw=lambda dy, x, w: x.T @ dy / len(x)),
            "db is the mean over the rows. It is their sum.":
                with_results(db=lambda dy, x, w: dy.mean(axis=0)),
            "The sum over the rows is missing in db: b was added to each of them.":
                with_results(db=lambda dy, x, w: dy),
            "db sums over the outputs. The sum runs over the rows.":
                with_results(db=lambda dy, x, w: dy.sum(axis=1)),
        },
        op=as_gradient(dense, "x", "w", "b"),
        kinds={"x": "linear", "w": "linear", "b": "linear"},
    ),
    Exercise(
        name="matmul-gradients",
        chapter="matmul",
        title="The gradients of products of batches of matrices",
        task="""\
(..., M, K), (..., K, N) -> (..., M, N)

For each batch, y is the matrix product of a and b. The axes before the last two are batches, and
are broadcast as in a @ b: an axis may be missing, or may have length 1.

    y[m,n] = Σ_k a[m,k] b[k,n]

dy (..., M, N) is the gradient of a loss with respect to y. Return da and db, in the shapes of a and
b.""",
        hint="""\
x.mT exchanges the last two axes of x. A matrix that was used for several batches receives the sum
of their gradients.""",
        right=matmul_gradients,
        returns=("da", "db"),
        example={
            "dy": np.array([[1.0, 10.0]]), "a": np.array([[1.0, 2.0]]),
            "b": np.array([[1.0, 2.0], [3.0, 4.0]]),
        },
        cases={
            "two square matrices": {"a": Shape((2, 2)), "b": Shape((2, 2))},
            "two matrices": {"a": Shape((2, 3)), "b": Shape((3, 4))},
            "2 batches of square matrices": {"a": Shape((2, 2, 2)), "b": Shape((2, 2, 2))},
            "2 batches in both": {"a": Shape((2, 2, 3)), "b": Shape((2, 3, 1))},
            "2 batches of a, one b": {"a": Shape((2, 2, 3)), "b": Shape((3, 2))},
            "one a, 3 batches of b": {"a": Shape((1, 2, 2)), "b": Shape((3, 2, 2))},
            "two axes of batches": {"a": Shape((2, 1, 3, 2)), "b": Shape((4, 2, 3))},
        },
        wrong={
            "b is not transposed: da = dy bᵀ.": summed(da=lambda dy, a, b: dy @ b),
            "a is not transposed: db = aᵀ dy.": summed(db=lambda dy, a, b: a @ dy),
            "All axes are reversed by .T. Exchange only the last two, with .mT.":
                summed(lambda dy, a, b: dy @ b.T, lambda dy, a, b: a.T @ dy),
            "The factors are exchanged: this is the transpose of the gradient.": (
                lambda dy, a, b: (matmul_gradients(dy, a, b)[0].mT, matmul_gradients(dy, a, b)[1]),
                lambda dy, a, b: (matmul_gradients(dy, a, b)[0], matmul_gradients(dy, a, b)[1].mT),
                lambda dy, a, b: tuple(array.mT for array in matmul_gradients(dy, a, b)),
            ),
            "The sums over the batches that share a matrix are missing.": (
                summed(total=lambda dy, shape: dy), summed(total=added_only),
                summed(total=repeated_only),
            ),
            "The batches that share a matrix are averaged. Their gradients add up.":
                tuple(summed(total=each) for each in in_some_axes(np.mean)),
            "Only the first batch contributes to the gradient of a matrix that batches share.":
                tuple(summed(total=each) for each in in_some_axes(first)),
            OVERWRITTEN: (
                *(summed(total=each) for each in in_some_axes(last)),
                summed(
                    lambda dy, a, b: dy[..., -1:] @ b[..., -1:].mT,
                    lambda dy, a, b: a[..., -1:, :].mT @ dy[..., -1:, :],
                ),
            ),
        },
        op=as_gradient(matmul, "a", "b"),
        kinds={"a": "linear", "b": "linear"},
    ),
]  # fmt: skip
