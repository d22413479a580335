"""Exercises of the chapter about normalization: the gradients."""

import numpy as np

from minidl import ops
from minidl.book.exercises.exercise import Exercise, as_gradient, given, gradient_of
from minidl.book.exercises.normalization import (
    FORMULAS,
    batch,
    batch_norm,
    every_axis,
    first_axis,
    right_dbeta,
    right_dgamma,
    root,
    sizes,
)
from minidl.book.exercises.sentences import OVERWRITTEN


def batch_norm_dx(dy, x, gamma, epsilon):
    return gradient_of(ops.batch_norm, "dx")(dy, x, gamma, None, epsilon, False)


def batch_norm_dgamma(dy, x, epsilon):
    return right_dgamma(dy, x, epsilon), right_dbeta(dy, x, epsilon)


def of_bracket(bracket, scale=lambda gamma, deviation: gamma / deviation, axes=batch):
    """Return dx = scale(γ, √(σ² + ε)) times bracket(dy, x̂, axes). axes: those of the means."""

    def wrong(dy, x, gamma, epsilon):
        deviation = root(x, axes(x), epsilon)
        xhat = (x - x.mean(axes(x), keepdims=True)) / deviation
        return scale(gamma, deviation) * bracket(dy, xhat, axes(x))

    return wrong


def with_means(dbeta=np.mean, dgamma=np.mean):
    """Return the bracket with other functions than the mean."""

    def bracket(dy, xhat, axes):
        one = dbeta(dy, axis=axes, keepdims=True)
        return dy - one - xhat * dgamma(dy * xhat, axis=axes, keepdims=True)

    return bracket


def nothing(array, axis, keepdims):
    return 0 * array


def of_axis_0(array, axis, keepdims):
    return array.mean(axis=0, keepdims=True)


whole = with_means()


def with_dgamma(*dgammas):
    return tuple(
        lambda dy, x, epsilon, dgamma=dgamma: (dgamma(dy, x, epsilon), right_dbeta(dy, x, epsilon))
        for dgamma in dgammas
    )


def with_dbeta(*dbetas):
    return tuple(
        lambda dy, x, epsilon, dbeta=dbeta: (right_dgamma(dy, x, epsilon), dbeta(dy))
        for dbeta in dbetas
    )


def normalized(x, epsilon, axes=batch):
    return (x - x.mean(axes(x), keepdims=True)) / root(x, axes(x), epsilon)


def averaged(dy, x, epsilon):
    return right_dgamma(dy, x, epsilon) * x.shape[-1] / x.size


def centred_sum(dy, x, epsilon):
    return (dy * (x - x.mean(batch(x)))).sum(batch(x))


def last_row(array):
    return array.reshape(-1, array.shape[-1])[-1]


EXERCISES = [
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
            "The mean is treated as constant: the term dβ/M is missing.":
                of_bracket(with_means(dbeta=nothing)),
            "The variance is treated as constant: the term x̂ dγ/M is missing.":
                of_bracket(with_means(dgamma=nothing)),
            "The mean and the variance are treated as constant.":
                of_bracket(with_means(nothing, nothing)),
            "The terms of the mean and of the variance are not divided by M.":
                of_bracket(with_means(np.sum, np.sum)),
            "The term of the mean is not divided by M.": of_bracket(with_means(dbeta=np.sum)),
            "The term of the variance is not divided by M.": of_bracket(with_means(dgamma=np.sum)),
            "The term of the variance is not multiplied by x̂.": of_bracket(
                lambda dy, xhat, axes: dy - dy.mean(axes) - (dy * xhat).mean(axes)
            ),
            "γ is missing.": of_bracket(whole, lambda gamma, deviation: 1 / deviation),
            "The division by √(σ² + ε) is missing.":
                of_bracket(whole, lambda gamma, deviation: gamma),
            "ε is forgotten.": given(batch_norm_dx, epsilon=lambda epsilon: 0.0),
            "The signs of the terms of the mean and of the variance are wrong.":
                of_bracket(lambda dy, xhat, axes: 2 * dy - whole(dy, xhat, axes)),
            "The sign of the term of the mean is wrong.":
                of_bracket(lambda dy, xhat, axes: whole(dy, xhat, axes) + 2 * dy.mean(axes)),
            "The sign of the term of the variance is wrong.": of_bracket(
                lambda dy, xhat, axes: whole(dy, xhat, axes) + 2 * xhat * (dy * xhat).mean(axes)
            ),
            "The means and the variance run over the first axis only.": (
                of_bracket(whole, axes=first_axis), of_bracket(with_means(of_axis_0, of_axis_0)),
                of_bracket(with_means(dbeta=of_axis_0)), of_bracket(with_means(dgamma=of_axis_0)),
            ),
            "The means and the variance run over all channels together.":
                of_bracket(whole, axes=every_axis),
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
            "dβ is a mean. It is a sum.": with_dbeta(lambda dy: dy.mean(batch(dy))),
            "The sum runs over the first axis only. It runs over all axes but the last.": (
                *with_dbeta(lambda dy: dy.sum(axis=0)),
                *with_dgamma(lambda dy, x, epsilon: (dy * normalized(x, epsilon)).sum(axis=0)),
            ),
            "The sum runs over the channels. It runs over all axes but the last.": (
                *with_dbeta(lambda dy: dy.sum(axis=-1), np.sum),
                *with_dgamma(
                    lambda dy, x, epsilon: (dy * normalized(x, epsilon)).sum(axis=-1),
                    lambda dy, x, epsilon: (dy * normalized(x, epsilon)).sum(),
                ),
            ),
            "The mean and the variance run over all channels together.": with_dgamma(
                lambda dy, x, epsilon: (dy * normalized(x, epsilon, every_axis)).sum(batch(x))
            ),
            OVERWRITTEN: (
                *with_dbeta(last_row),
                *with_dgamma(lambda dy, x, epsilon: last_row(dy * normalized(x, epsilon))),
                lambda dy, x, epsilon: (last_row(dy * normalized(x, epsilon)), last_row(dy)),
            ),
        },
        op=as_gradient(batch_norm, "gamma", "beta"),
        kinds={"gamma": "linear", "beta": "linear"},
        data={"x": "spaced"},
    ),
]  # fmt: skip
