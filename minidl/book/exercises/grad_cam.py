"""Exercises of the chapter about what activates a network."""

import numpy as np

from minidl import ops
from minidl.book.exercises.exercise import Exercise
from minidl.proofs import Shape


def grad_cam(A, dA):
    """As `minidl.visualize` computes it from the activations of a layer and their gradient."""
    return ops.relu(A @ dA.mean(axis=(0, 1)))


def weighted(weights):
    """Return Grad-CAM with other weights(A, dA) of the channels."""
    return lambda A, dA: np.maximum(A @ weights(A, dA), 0)


def mean(dA):
    return dA.mean(axis=(0, 1))


EXERCISES = [
    Exercise(
        name="grad-cam",
        chapter="seeing",
        title="Grad-CAM: where a class is seen",
        task="""\
(H, W, K), (H, W, K) -> (H, W)

A (H, W, K) are the activations of K channels at H x W positions, and dA (H, W, K) is the gradient
of a scalar of the network with respect to them, such as the score of a class. The weight w[k] of a
channel is its mean gradient, and the map M (H, W) is the positive part of the weighted sum of the
channels:

    w[k] = 1/(H W) Σ_ij dA[i, j, k]

    M[i, j] = max(Σ_k w[k] A[i, j, k], 0)

Return M.""",
        hint="""\
A mean over axes (0, 1) leaves the channels. A @ w sums over the last axis of A.""",
        right=grad_cam,
        returns=("M",),
        example={
            "A": np.array([1.0, 0.0, 2.0, 5.0]).reshape(1, 2, 2),
            "dA": np.array([4.0, -1.0, 2.0, -3.0]).reshape(1, 2, 2),
        },
        cases={
            "one channel": {"A": Shape((2, 3, 1)), "dA": Shape((2, 3, 1))},
            "one position": {"A": Shape((1, 1, 4)), "dA": Shape((1, 1, 4))},
            "3 channels": {"A": Shape((3, 2, 3)), "dA": Shape((3, 2, 3))},
            "5 channels": {"A": Shape((3, 4, 5)), "dA": Shape((3, 4, 5))},
        },
        wrong={
            "The positive part is missing: the map has no negative numbers.":
                lambda A, dA: A @ mean(dA),
            "The positive part is taken of each channel. Take it of their sum.":
                lambda A, dA: np.maximum(A * mean(dA), 0).sum(axis=-1),
            "Channels with a negative weight are left out. They are subtracted.":
                weighted(lambda A, dA: np.maximum(mean(dA), 0)),
            "Negative gradients are left out of the mean.":
                weighted(lambda A, dA: mean(np.maximum(dA, 0))),
            "The weights lack a sign: they are the means of the gradients, not of their sizes.": (
                weighted(lambda A, dA: mean(abs(dA))),
                weighted(lambda A, dA: abs(mean(dA))),
            ),
            "The sign is wrong: the positive part of the negative map is taken.":
                weighted(lambda A, dA: -mean(dA)),
            "The map is the absolute value of the sum. Take its positive part.":
                lambda A, dA: abs(A @ mean(dA)),
            "The weights are sums over the positions. They are means.":
                weighted(lambda A, dA: dA.sum(axis=(0, 1))),
            "Each position has its own gradient as a weight. Take the mean over the positions.":
                lambda A, dA: np.maximum((A * dA).sum(axis=-1), 0),
            "The weights are the largest gradients. They are the mean gradients.":
                weighted(lambda A, dA: dA.max(axis=(0, 1))),
            "A and dA are exchanged: the weights are the means of the gradients.":
                lambda A, dA: np.maximum(dA @ mean(A), 0),
            "The map is the mean over the channels. It is their weighted sum.":
                lambda A, dA: np.maximum((A * mean(dA)).mean(axis=-1), 0),
            "The weighted sum runs over the rows. It runs over the channels, the last axis.":
                lambda A, dA: np.maximum((A * mean(dA)).sum(axis=0), 0),
            "All channels have one weight, the mean of all gradients. Each has its own.":
                lambda A, dA: np.maximum(A.sum(axis=-1) * dA.mean(), 0),
            "The channels have no weights: this is the sum of the activations.":
                lambda A, dA: np.maximum(A.sum(axis=-1), 0),
        },
    ),
]  # fmt: skip
