"""Exercises of the chapter about normalization."""

import numpy as np

from minidl import ops
from minidl.book.exercises.exercise import Exercise, as_forward, as_gradient, given, gradient_of
from minidl.proofs import Shape


def batch_norm(x, gamma, beta, epsilon):
    return ops.batch_norm(x, gamma, beta, None, epsilon)


def batch_norm_dx(dy, x, gamma, epsilon):
    return gradient_of(ops.batch_norm, "dx")(dy, x, gamma, None, epsilon, False)


def right_dgamma(dy, x, epsilon):
    gamma = np.ones(x.shape[-1])
    return gradient_of(ops.batch_norm, "dgamma")(dy, x, gamma, None, epsilon, False)


def right_dbeta(dy, x, epsilon):
    gamma = np.ones(x.shape[-1])
    return gradient_of(ops.batch_norm, "dbeta")(dy, x, gamma, None, epsilon, False)


def batch_norm_dgamma(dy, x, epsilon):
    return right_dgamma(dy, x, epsilon), right_dbeta(dy, x, epsilon)


def batch(x):
    """Return the axes over which a channel is normalized."""
    return tuple(range(x.ndim - 1))


def divided_by(deviation, axes=batch):
    """Return a batch normalization that divides by deviation(x, axes, epsilon)."""

    def wrong(x, gamma, beta, epsilon):
        centred = x - x.mean(axes(x), keepdims=True)
        return gamma * centred / deviation(x, axes(x), epsilon) + beta

    return wrong


def root(x, axes, epsilon):
    return np.sqrt(x.var(axes, keepdims=True) + epsilon)


def unbiased(x, axes, epsilon):
    return np.sqrt(x.var(axes, ddof=1, keepdims=True) + epsilon)


def of_bracket(bracket, scale=lambda gamma, deviation: gamma / deviation):
    """Return dx = scale(γ, √(σ² + ε)) times bracket(dy, x̂, axes)."""

    def wrong(dy, x, gamma, epsilon):
        axes, deviation = batch(x), root(x, batch(x), epsilon)
        xhat = (x - x.mean(axes)) / deviation
        return scale(gamma, deviation) * bracket(dy, xhat, axes)

    return wrong


def without_dbeta(dy, xhat, axes):
    return dy - xhat * (dy * xhat).mean(axes)


def of_first_axis(dy, x, gamma, epsilon):
    xhat = (x - x.mean(axis=0)) / root(x, (0,), epsilon)
    return gamma / root(x, (0,), epsilon) * whole(dy, xhat, 0)


def without_dgamma(dy, xhat, axes):
    return dy - dy.mean(axes)


def summed(dy, xhat, axes):
    return dy - dy.sum(axes) - xhat * (dy * xhat).sum(axes)


def whole(dy, xhat, axes):
    return dy - dy.mean(axes) - xhat * (dy * xhat).mean(axes)


def with_dgamma(dgamma):
    return lambda dy, x, epsilon: (dgamma(dy, x, epsilon), right_dbeta(dy, x, epsilon))


def with_dbeta(dbeta):
    return lambda dy, x, epsilon: (right_dgamma(dy, x, epsilon), dbeta(dy, x, epsilon))


def averaged(dy, x, epsilon):
    return right_dgamma(dy, x, epsilon) * x.shape[-1] / x.size


def centred_sum(dy, x, epsilon):
    return (dy * (x - x.mean(batch(x)))).sum(batch(x))


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
                divided_by(root, lambda x: (0,)),
            "Mean and variance run over all channels together.":
                divided_by(root, lambda x: tuple(range(x.ndim))),
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
    Exercise(
        name="batch-norm-dx",
        chapter="normalization",
        title="The gradient of batch normalization with respect to its input",
        task=f"""\
(..., C) -> (..., C)

{FORMULAS}

dy (..., C) is the gradient of a loss with respect to y. Return dx (..., C). x has an effect in
three ways: directly, through μ, and through σ². gamma (C,) is γ, and epsilon is ε.""",
        hint="""\
With s = √(σ² + ε), ∂x̂[i]/∂x[m] = ([i = m] - 1/M - x̂[i] x̂[m] / M) / s. Multiply by γ dy[i], and
sum over i.""",
        right=batch_norm_dx,
        returns=("dx",),
        example={
            "dy": np.array([[1.0], [2.0]]), "x": np.array([[1.0], [3.0]]),
            "gamma": np.array([10.0]), "epsilon": 3.0,
        },
        cases=sizes(),
        wrong={
            "The mean is treated as constant: the term dβ/M is missing.": of_bracket(without_dbeta),
            "The variance is treated as constant: the term x̂ dγ/M is missing.":
                of_bracket(without_dgamma),
            "The mean and the variance are treated as constant.":
                of_bracket(lambda dy, xhat, axes: dy),
            "The terms of the mean and of the variance are not divided by M.": of_bracket(summed),
            "γ is missing.": of_bracket(whole, lambda gamma, deviation: 1 / deviation),
            "The division by √(σ² + ε) is missing.":
                of_bracket(whole, lambda gamma, deviation: gamma),
            "ε is forgotten.": given(batch_norm_dx, epsilon=lambda epsilon: 0.0),
            "The signs of the terms of the mean and of the variance are wrong.":
                of_bracket(lambda dy, xhat, axes: 2 * dy - whole(dy, xhat, axes)),
            "The means and the variance run over the first axis only.": of_first_axis,
        },
        op=as_gradient(batch_norm, "x"),
        kinds={"x": "analytic"},
        data={"x": "spaced"},
    ),
    Exercise(
        name="batch-norm-dgamma",
        chapter="normalization",
        title="The gradients of the scale and the shift of batch normalization",
        task=f"""\
(..., C) -> (C,), (C,)

{FORMULAS}

dy (..., C) is the gradient of a loss with respect to y. Return dγ (C,) and dβ (C,), the gradients
with respect to γ and β. epsilon is ε.""",
        hint="""\
γ[c] is in every y[m,c] with the factor x̂[m,c], and β[c] with the factor 1.""",
        right=batch_norm_dgamma,
        returns=("dgamma", "dbeta"),
        example={"dy": np.array([[1.0], [2.0]]), "x": np.array([[1.0], [3.0]]), "epsilon": 3.0},
        cases=sizes(),
        wrong={
            "dγ has the factor x instead of x̂.":
                with_dgamma(lambda dy, x, epsilon: (dy * x).sum(batch(x))),
            "x̂ is not divided by √(σ² + ε).": with_dgamma(centred_sum),
            "ε is forgotten.": given(batch_norm_dgamma, epsilon=lambda epsilon: 0.0),
            "dγ is a mean. It is a sum.": with_dgamma(averaged),
            "dβ is a mean. It is a sum.": with_dbeta(lambda dy, x, epsilon: dy.mean(batch(x))),
            "dβ sums over the first axis only. The sum runs over all axes but the last.":
                with_dbeta(lambda dy, x, epsilon: dy.sum(axis=0)),
            "dγ and dβ are exchanged.": lambda **given: batch_norm_dgamma(**given)[::-1],
        },
        op=as_gradient(batch_norm, "gamma", "beta"),
        kinds={"gamma": "linear", "beta": "linear"},
        data={"x": "spaced"},
    ),
]  # fmt: skip
