"""Exercises of the chapter about normalization: the forward."""

import numpy as np

from minidl import ops
from minidl.book.exercises.exercise import Exercise, as_forward, given, gradient_of
from minidl.proofs import Shape


def batch_norm(x, gamma, beta, epsilon):
    return ops.batch_norm(x, gamma, beta, None, epsilon)


def right_dgamma(dy, x, epsilon):
    gamma = np.ones(x.shape[-1])
    return gradient_of(ops.batch_norm, "dgamma")(dy, x, gamma, None, epsilon, False)


def right_dbeta(dy, x, epsilon):
    gamma = np.ones(x.shape[-1])
    return gradient_of(ops.batch_norm, "dbeta")(dy, x, gamma, None, epsilon, False)


def batch(x):
    """Return the axes over which a channel is normalized."""
    return tuple(range(x.ndim - 1))


def divided_by(deviation, axes=batch, total=np.mean):
    """Return a batch normalization that divides by deviation(x, axes, epsilon). total: what is
    subtracted instead of the mean."""

    def wrong(x, gamma, beta, epsilon):
        centred = x - total(x, axis=axes(x), keepdims=True)
        return gamma * centred / deviation(x, axes(x), epsilon) + beta

    return wrong


def every_axis(x):
    return tuple(range(x.ndim))


def first_axis(x):
    return (0,)


def all_but_the_first(x):
    return tuple(range(1, x.ndim))


def root(x, axes, epsilon):
    return np.sqrt(x.var(axes, keepdims=True) + epsilon)


def root_around_sum(x, axes, epsilon):
    return np.sqrt(((x - x.sum(axes)) ** 2).mean(axes) + epsilon)


def across(x, gamma, beta, epsilon):
    """The moments of each row, without keepdims."""
    axes = all_but_the_first(x)
    return gamma * (x - x.mean(axes)) / np.sqrt(x.var(axes) + epsilon) + beta


def unbiased(x, axes, epsilon):
    return np.sqrt(x.var(axes, ddof=1, keepdims=True) + epsilon)


FORMULAS = """\
The numbers of each channel c are normalized. Let m run over the M numbers of a channel, one for
each row, or for each image and position:

    μ[c] = 1/M Σ_m x[m,c],      σ²[c] = 1/M Σ_m (x[m,c] - μ[c])²

    x̂[m,c] = (x[m,c] - μ[c]) / √(σ²[c] + ε),      y[m,c] = γ[c] x̂[m,c] + β[c]"""


def sizes(**options):
    return {
        "2 rows, one channel": {**channels(2, 1), "epsilon": 0.5, **options},
        "4 rows, 2 channels": {**channels(4, 2), "epsilon": 0.5, **options},
        "a small epsilon": {**channels(5, 2), "epsilon": 0.01, **options},
        "2 images of 2x3 positions": {**channels(2, 2, 3, 2), "epsilon": 0.1, **options},
    }


def channels(*shape):
    return {"x": Shape(shape), "gamma": Shape(shape[-1:]), "beta": Shape(shape[-1:])}


EXERCISES = [
    Exercise(
        name="batch-norm",
        chapter="normalization",
        title="Batch normalization",
        task=f"""\
(..., C), (C,), (C,) -> (..., C)

{FORMULAS}

gamma, beta (C,) are γ and β, and epsilon is ε. Return y.""",
        hint="""\
The axes of the mean are all but the last: tuple(range(x.ndim - 1)). x.var divides by M.""",
        right=batch_norm,
        returns=("y",),
        example={
            "x": np.array([[1.0], [3.0]]), "gamma": np.array([10.0]), "beta": np.array([5.0]),
            "epsilon": 3.0,
        },
        cases=sizes(),
        wrong={
            "The variance is divided by M - 1. Its definition divides by M.": divided_by(unbiased),
            "ε is added outside of the root: √(σ² + ε), and not σ + ε.":
                divided_by(lambda x, axes, epsilon: x.std(axes) + epsilon),
            "ε is forgotten.": given(batch_norm, epsilon=lambda epsilon: 0.0),
            "x is divided by the variance, and not by its root.":
                divided_by(lambda x, axes, epsilon: x.var(axes) + epsilon),
            "Mean and variance run over the first axis only.":
                divided_by(root, first_axis),
            "Mean and variance run over all channels together.": divided_by(root, every_axis),
            "Mean and variance run over all axes but the first. It has to be all but the last.": (
                divided_by(root, all_but_the_first), across,
            ),
            "The mean is a sum: it is not divided by M.": (
                divided_by(root, total=np.sum), divided_by(root_around_sum, total=np.sum),
            ),
            "The variance is a sum: it is not divided by M.": divided_by(
                lambda x, axes, epsilon: np.sqrt(x.var(axes) * x.size / x.shape[-1] + epsilon)
            ),
            "γ is missing.": given(batch_norm, gamma=np.ones_like),
            "β is normalized too. It is added at the end.": (
                lambda x, gamma, beta, epsilon:
                    batch_norm(x, gamma, 0 * beta, epsilon) + beta / root(x, batch(x), epsilon),
                lambda x, gamma, beta, epsilon: batch_norm(x, gamma, gamma * beta, epsilon),
            ),
            "The mean is not subtracted.": lambda x, gamma, beta, epsilon:
                gamma * x / root(x, batch(x), epsilon) + beta,
            "β is missing.": given(batch_norm, beta=np.zeros_like),
        },
        op=as_forward(
            dgamma=lambda dy, x, epsilon: right_dgamma(dy, x, epsilon),
            dbeta=lambda dy, x, epsilon: right_dbeta(dy, x, epsilon),
        ),
        kinds={"gamma": "linear", "beta": "linear"},
        data={"x": "spaced"},
    ),
]  # fmt: skip
