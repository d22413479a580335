"""Exercises of the chapter about softmax and cross-entropy."""

import numpy as np

from minidl import losses, ops
from minidl.book.exercises.exercise import Exercise, as_forward, as_gradient, given, gradient_of
from minidl.book.exercises.sentences import OVERWRITTEN, UNUSED_DL
from minidl.proofs import Shape
from minidl.proofs.geometry import Numbers


def log_sum_exp(x):
    """By the softmax: log Σ e^x = x[c] - log softmax(x)[c], for the largest x[c]."""
    return ops.logsumexp(x, axis=1)


def log_sum_exp_dx(dy, x):
    return dy[:, None] * ops.softmax(x)


def softmax(x):
    return ops.softmax(x)


def softmax_dx(dy, y):
    return gradient_of(ops.softmax, "dx")(dy, y, -1)


def last_term(dy, y):
    """The last term i of Σ_i dy[i] y[i] ([i = j] - y[j])."""
    is_last = np.arange(y.shape[1]) == y.shape[1] - 1
    return dy[:, -1:] * y[:, -1:] * (is_last - y)


def cross_entropy(logits, labels):
    return losses.softmax_cross_entropy(logits, labels)


def cross_entropy_dlogits(dL, logits, labels):
    gradient = gradient_of(losses.softmax_cross_entropy, "dlogits")
    return gradient(dL, logits, labels, "mean", smoothing=0.0, weights=None, ignore=None)


def of_labels(dL, logits, labels):
    """-[c = label] / N alone."""
    return cross_entropy_dlogits(dL, logits, labels) - of_probabilities(dL, logits, labels)


def of_exponentials(dL, logits, labels):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return dL / len(logits) * (powers - (labels[:, None] == np.arange(logits.shape[1])))


def of_probabilities(dL, logits, labels):
    return dL * ops.softmax(logits) / len(logits)


EXERCISES = [
    Exercise(
        name="log-sum-exp",
        chapter="softmax",
        title="The logarithm of a sum of exponentials, without overflow",
        task="""\
(N, C) -> (N,)

    y[n] = log Σ_c e^x[n,c]

Return y. It has to be right and finite for all finite x, such as 1000 and -1000, although e^1000 is
too large for a float, and e^-1000 is rounded to 0.""",
        hint="""\
For every number m, log Σ e^x = m + log Σ e^(x - m). With which m is no exponential larger than 1,
and at least one equal to 1?""",
        right=log_sum_exp,
        returns=("y",),
        example={"x": np.array([[0.0, 0.0]])},
        cases={
            "small numbers": {"x": Shape((1, 3))},
            "2 rows": {"x": Shape((2, 4))},
            "one column": {"x": Shape((3, 1))},
        },
        special={
            "large numbers": {"x": np.array([[1000.0, 999.0], [2000.0, 2000.0]])},
            "very negative numbers": {"x": np.array([[-1000.0, -1001.0], [-3000.0, -1.0]])},
            "large and very negative numbers": {
                "x": np.array([[1000.0, 999.0], [-1000.0, -999.0]]),
            },
        },
        wrong={
            "The exponentials overflow: subtract the maximum of each row first.":
                lambda x: np.log(np.exp(x).sum(axis=1)),
            "The maximum that was subtracted is not added again.":
                lambda x: log_sum_exp(x) - x.max(axis=1),
            "The maximum of all rows is subtracted. Each row needs its own.":
                lambda x: x.max() + np.log(np.exp(x - x.max()).sum(axis=1)),
            "The logarithm is missing.": lambda x: np.exp(x).sum(axis=1),
            "The sum is the mean.": lambda x: log_sum_exp(x) - np.log(x.shape[1]),
            "The sum runs over all rows together.": (
                lambda x: log_sum_exp(x.reshape(1, -1)),
                lambda x: log_sum_exp(x.reshape(1, -1))[0],
            ),
            "The sum runs over the rows, along axis 0. It runs over the numbers of each row.":
                lambda x: log_sum_exp(x.T),
            "The logarithms of all rows are added. Each row has its own result.":
                lambda x: log_sum_exp(x).sum(),
            OVERWRITTEN: lambda x: x[:, -1],
            "This is the maximum of each row, without the logarithm of the sum.":
                lambda x: x.max(axis=1),
        },
        op=as_forward(dx=log_sum_exp_dx),
        kinds={"x": "smooth"},
    ),
    Exercise(
        name="softmax-dx",
        chapter="softmax",
        title="The gradient of softmax",
        task="""\
(N, C) -> (N, C)

    y[n,c] = e^x[n,c] / Σ_d e^x[n,d]

dy (N, C) is the gradient of a loss with respect to y. y is passed in, and x is not needed. Return
dx (N, C), the gradient with respect to x.""",
        hint="""\
Within a row, ∂y[i]/∂x[j] = y[i] ([i = j] - y[j]). Sum dy[i] times this over i.""",
        right=softmax_dx,
        returns=("dx",),
        example={"dy": np.array([[1.0, 0.0]]), "y": np.array([[0.25, 0.75]])},
        cases={
            "one row": {"x": Shape((1, 3))},
            "3 rows": {"x": Shape((3, 4))},
            "one class": {"x": Shape((2, 1))},
        },
        wrong={
            "The sum is missing: each y depends on all x of its row.": lambda dy, y: dy * y,
            "The sum runs over the rows, along axis 0. It runs over the classes of each row.":
                lambda dy, y: y * (dy - (dy * y).sum(axis=0)),
            "This is the slope of the sigmoid, y (1 - y). Each y depends on all x of its row.":
                lambda dy, y: dy * y * (1 - y),
            "The sum runs over all rows together.": lambda dy, y: y * (dy - (dy * y).sum()),
            "The sum of dy y is not multiplied by y[j].":
                lambda dy, y: dy * y - (dy * y).sum(axis=1, keepdims=True),
            OVERWRITTEN: (
                last_term, lambda dy, y: y * (dy - dy[:, -1:] * y[:, -1:]),
            ),
            "The indices are exchanged: ∂y[i]/∂x[j] = y[i] ([i = j] - y[j]).": (
                lambda dy, y: dy * y - (dy * y**2).sum(axis=1, keepdims=True),
                lambda dy, y: y * dy - y * (dy * y.sum(axis=1, keepdims=True)),
                lambda dy, y: dy * y - y**2 * dy.sum(axis=1, keepdims=True),
            ),
            "The rows are averaged. Each row has a gradient of its own.":
                lambda dy, y: softmax_dx(dy, y) / len(y),
            "The sum contains y only, without dy.":
                lambda dy, y: y * (dy - y.sum(axis=1, keepdims=True)),
            "The sum contains dy only, without y.":
                lambda dy, y: y * (dy - dy.sum(axis=1, keepdims=True)),
            "dy is not multiplied by y.":
                lambda dy, y: dy - y * (dy * y).sum(axis=1, keepdims=True),
            "The sum is a mean.": lambda dy, y: y * (dy - (dy * y).mean(axis=1, keepdims=True)),
            "The sum is added. It is subtracted.":
                lambda dy, y: y * (dy + (dy * y).sum(axis=1, keepdims=True)),
        },
        op=as_gradient(softmax, "x"),
        kinds={"x": "analytic"},
    ),
    Exercise(
        name="cross-entropy-dlogits",
        chapter="softmax",
        title="The gradient of the cross-entropy with respect to the logits",
        task="""\
(N, C), (N,) -> (N, C)

logits z (N, C) are the outputs of a classifier, and labels l (N,) are the right classes, integers
from 0 to C - 1. The loss is the mean of minus the logarithm of their probabilities:

    p[n,c] = e^z[n,c] / Σ_d e^z[n,d],      L = -1/N Σ_n log p[n,l[n]]

dL is a number, by which the gradient of L is multiplied: the gradient of a further loss with
respect to L. Return the gradient with respect to the logits (N, C).""",
        hint="""\
log p[l] = z[l] - log Σ_d e^z[d]. The derivative of the logarithm of the sum with respect to z[c] is
p[c].""",
        right=cross_entropy_dlogits,
        returns=("dlogits",),
        example={
            "dL": 1.0, "logits": np.array([[0.0, 0.0], [0.0, 0.0]]), "labels": np.array([0, 1]),
        },
        cases={
            "one row": {"logits": Shape((1, 3)), "labels": Numbers([2])},
            "4 rows": {"logits": Shape((4, 3)), "labels": Numbers([2, 0, 1, 0])},
        },
        special={
            "large logits": {
                "dL": 1.0, "logits": np.array([[1000.0, 998.0], [0.0, 2000.0]]),
                "labels": np.array([1, 1]),
            },
        },
        wrong={
            "The exponentials overflow: subtract the maximum of each row first.":
                lambda dL, logits, labels: dL / len(logits) * (
                    np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
                    - (labels[:, None] == np.arange(logits.shape[1]))
                ),
            "The sum of the exponentials runs over the rows. It runs over the classes of a row.":
                lambda dL, logits, labels: dL / len(logits) * (
                    softmax(logits.T).T - (labels[:, None] == np.arange(logits.shape[1]))
                ),
            "The exponentials are not divided by their sum.": of_exponentials,
            "1 is subtracted at the labels of all rows. Each row has its own label.": (
                lambda dL, logits, labels: of_probabilities(dL, logits, labels)
                - dL / len(logits) * np.isin(np.arange(logits.shape[1]), labels),
                lambda dL, logits, labels: of_probabilities(dL, logits, labels)
                - dL / len(logits) * np.bincount(labels, minlength=logits.shape[1]),
            ),
            "1 is added at the label: it is p - [c = label].": lambda dL, logits, labels:
                2 * of_probabilities(dL, logits, labels)
                - cross_entropy_dlogits(dL, logits, labels),
            "1 is not subtracted at the label: ∂L/∂z = (p - [c = label]) / N.": of_probabilities,
            "The probabilities are missing: ∂L/∂z = (p - [c = label]) / N.": of_labels,
            "The factor 1/N is missing: the loss is a mean.":
                lambda dL, logits, labels: cross_entropy_dlogits(dL, logits, labels) * len(logits),
            "The gradient is divided by all logits. The mean runs over the rows.":
                lambda dL, logits, labels:
                    cross_entropy_dlogits(dL, logits, labels) / logits.shape[1],
            "The gradient is divided by the number of classes. The mean runs over the N rows.":
                lambda dL, logits, labels:
                    cross_entropy_dlogits(dL * len(logits) / logits.shape[1], logits, labels),
            "The labels are off by one.":
                lambda dL, logits, labels:
                    cross_entropy_dlogits(dL, logits, (labels + 1) % logits.shape[1]),
            "The labels are off by one: class 0 is the first.":
                lambda dL, logits, labels:
                    cross_entropy_dlogits(dL, logits, (labels - 1) % logits.shape[1]),
            "The sign is wrong: it is p - [c = label].":
                lambda dL, logits, labels: -cross_entropy_dlogits(dL, logits, labels),
            UNUSED_DL:
                given(cross_entropy_dlogits, dL=lambda dL: 1.0),
        },
        op=as_gradient(cross_entropy, "logits"),
        kinds={"logits": "analytic"},
    ),
]  # fmt: skip
