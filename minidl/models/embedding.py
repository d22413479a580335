"""A small network that makes vectors of pictures, to be trained from scratch on a few hundred of
them, and what compares two.

    conv1 .. conv4   3x3 of 32, 64, 128 and 128, each with batch normalization, ReLU and 2x2 max-pooling
    embedding        dense, of as many numbers as wanted

Its vectors are made as long as 1. In "triplet" their distances count; else a head compares them
that verifies ("absolute", "chi-square", see layers/verification.py), for "chi-square" after a ReLU,
for it wants numbers of at least 0.

Several members, alike but for the numbers that they begin with, err in different places: their
vectors, side by side, err less than those of each (Hansen & Salamon 1990).

A head begins steep: most pairs are sure from the first step on, and only those that are not, or are
wrong, move the network, as of triplets only the violating ones do. A gentle one goes on pushing
apart what is apart, and knows strangers less well.
"""

import numpy as np

from minidl.errors import ArgumentError, one_of
from minidl.layers import (
    BatchNorm,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    MaxPool,
    Module,
    ReLU,
    Sequential,
)
from minidl.layers.directions import UnitLength
from minidl.layers.initializers import glorot_uniform, identity
from minidl.layers.verification import DIFFERENCES, Verification
from minidl.ops import concatenate, pairwise_distances

HEADS = ("triplet", *DIFFERENCES)
CHANNELS = (32, 64, 128, 128)
MOST_MEMBERS = 100
# slope: of Σφ / √D
STEEP = {"absolute": {"slope": 32, "bias": 24}, "chi-square": {"slope": 48, "bias": 18}}


class Committee(Module):
    """y = (y_1, .., y_M) / √M of M networks whose vectors are as long as 1, and so is y. members:
    name -> Module."""

    def __init__(self, members):
        self.members = dict(members)

    def __call__(self, x):
        """(N, ..) -> (N, M·D)"""
        vectors = [member(x) for member in self.members.values()]
        return concatenate(vectors, axis=-1) * len(vectors) ** -0.5

    def summary(self, shape):
        """The Lines of all members, by their paths"""
        return [
            line._replace(name=f"{name}/{line.name}")
            for name, member in self.members.items()
            for line in member.summary(shape)
        ]


class Verifier(Module):
    """embedding: pictures -> vectors (N, D); head: a Verification, or None where the vectors' own
    distance counts."""

    def __init__(self, embedding, head=None):
        self.embedding, self.head = embedding, head

    def __call__(self, x):
        return self.embedding(x)

    def distances(self, points):
        """(N, D) -> (N, N): how far apart all of them are; with a head, minus its logits."""
        if self.head is None:
            return pairwise_distances(points)
        return -self.head(points[:, None], points)

    def summary(self, shape):
        """A Line for each layer, as Sequential gives it"""
        return self.embedding.summary(shape)


def verifier(shape, head="triplet", dimensions=64, keep=1.0, seed=0, members=1):
    """(N, H, W, C) -> (N, members·dimensions). shape: (H, W, C) of the pictures; keep: of the
    dropout before the last layer."""
    one_of("head", head, HEADS)
    if not 1 <= members <= MOST_MEMBERS:
        raise ArgumentError(f"there are {members} members; wanted 1 to {MOST_MEMBERS}")
    networks = [
        _network(shape, head, dimensions, keep, (seed, number) if number else seed)
        for number in range(members)
    ]
    if members == 1:
        [embedding] = networks
    else:
        embedding = Committee(
            {f"member{number}": network for number, network in enumerate(networks, start=1)}
        )
    if head == "triplet":
        return Verifier(embedding)
    start, features = STEEP[head], members * dimensions
    return Verifier(
        embedding,
        Verification(head, features, slope=start["slope"] / features**0.5, bias=start["bias"]),
    )


def _network(shape, head, dimensions, keep, seed):
    height, width, channels = shape
    if min(height, width) < 1 << len(CHANNELS):
        raise ArgumentError(
            f"the pictures are {height}x{width}; wanted at least {1 << len(CHANNELS)} pixels a side"
        )
    rng, layers = np.random.default_rng(seed), {}
    for number, outputs in enumerate(CHANNELS, start=1):
        layers[f"conv{number}"] = Convolution.new(
            rng, (3, 3), channels, outputs, padding=1, bias=False
        )
        layers[f"conv{number}_norm"], layers[f"conv{number}_relu"] = BatchNorm(outputs), ReLU()
        layers[f"conv{number}_pool"] = MaxPool(2, stride=2)
        height, width, channels = height // 2, width // 2, outputs
    layers["flatten"] = Flatten()
    layers["dropout"] = Dropout(keep, seed=seed)
    layers["embedding"] = Dense.new(
        rng, height * width * channels, dimensions, initializer=glorot_uniform
    )
    return Sequential(layers | _rectified(head) | _unit())


def verifier_on_top(features, head="triplet"):
    """(N, features) -> (N, D), for vectors of another network, which it begins with as they are,
    but in "triplet" as long as 1: D = features; for "chi-square", which wants numbers of at least
    0, their positive and their negative parts, D = 2 features.
    """
    dimensions = 2 * features if head == "chi-square" else features
    layers = {
        "embedding": Dense.new(None, features, dimensions, initializer=identity)
    } | _rectified(head)
    if head == "triplet":
        return Verifier(Sequential(layers | _unit()))
    return Verifier(Sequential(layers), Verification(head, dimensions))


def _rectified(head):
    return {"embedding_relu": ReLU()} if head == "chi-square" else {}


def _unit():
    return {"unit_length": UnitLength()}
