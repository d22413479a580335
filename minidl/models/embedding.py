"""A small network that maps pictures to vectors, and heads that compare two vectors.

It is trained from scratch on a few hundred pictures.

    conv1 .. conv4   3x3 of 32, 64, 128 and 128 channels, each with batch normalization, ReLU and
                     2x2 max-pooling
    embedding        dense, of any number of units

The vectors have length 1. With the head "triplet" their distances are compared. The heads
"absolute" and "chi-square" (layers/verification.py) compute a logit from two vectors. For
"chi-square" the embedding ends with a ReLU, because it requires numbers of at least 0.

Several members, which differ only in their initial values, make different errors. Their
concatenated vectors have a lower error rate than those of one member (Hansen & Salamon 1990).

A head has a large initial slope. Most pairs are then certain from the first step, and only
uncertain and wrong pairs change the network, as only violating triplets do with the triplet loss.
With a small slope, training continues to separate pairs that are already far apart, and the network
recognises strangers less well.
"""

from collections.abc import Mapping
from typing import Any

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
from minidl.layers.activations import UnitLength
from minidl.layers.initializers import glorot_uniform, identity, zeros
from minidl.layers.sequential import Line
from minidl.layers.verification import DIFFERENCES, Verification
from minidl.ops import concatenate, pairwise_distances
from minidl.typing import Operand, Shape

HEADS = ("triplet", *DIFFERENCES)
CHANNELS = (32, 64, 128, 128)
MOST_MEMBERS = 100
# The initial slope of Σφ / √D and the initial bias of a head over D features
STEEP = {"absolute": {"slope": 32, "bias": 24}, "chi-square": {"slope": 48, "bias": 18}}


class Committee(Module):
    """Networks whose vectors of length 1 are concatenated and scaled to length 1.

    y = (y_1, .., y_M) / √M. members: {name: Module}.
    """

    def __init__(self, members: Mapping[str, Module]) -> None:
        self.members: dict[str, Any] = dict(members)

    def __call__(self, x: Operand) -> Operand:
        """Return the vectors (N, M·D) of inputs (N, ...)."""
        vectors = [member(x) for member in self.members.values()]
        return concatenate(vectors, axis=-1) * len(vectors) ** -0.5

    def summary(self, shape: Shape) -> list[Line]:
        """Return a Line for each layer of all members, for inputs (N, *shape)."""
        return [
            line._replace(name=f"{name}/{line.name}")
            for name, member in self.members.items()
            for line in member.summary(shape)
        ]


class Verifier(Module):
    """An embedding network together with the head that compares its vectors.

    embedding: maps pictures to vectors (N, D). head: a Verification; None compares the Euclidean
    distances of the vectors.
    """

    def __init__(self, embedding: Any, head: Verification | None = None) -> None:
        self.embedding, self.head = embedding, head

    def __call__(self, x: Operand) -> Operand:
        """Return the vectors (N, D) of pictures (N, H, W, C)."""
        return self.embedding(x)

    def distances(self, points: Operand) -> Operand:
        """Return the distances (N, N) of vectors (N, D); with a head, its logits times -1."""
        if self.head is None:
            return pairwise_distances(points)
        return -self.head(points[:, None], points)

    def summary(self, shape: Shape) -> list[Line]:
        """Return a Line for each layer of the embedding, for inputs (N, *shape)."""
        return self.embedding.summary(shape)


def verifier(
    shape: tuple[int, int, int],
    head: str = "triplet",
    dimensions: int = 64,
    keep: float = 1.0,
    seed: int = 0,
    members: int = 1,
) -> Verifier:
    """Return the network (N, H, W, C) -> (N, members·dimensions), untrained.

    shape: (H, W, C) of the pictures. head: one of HEADS. dimensions: units of the embedding of one
    member. keep: the probability with which dropout before the last layer keeps a number. members:
    the number of networks, at most MOST_MEMBERS. Raise ArgumentError for another head or number of
    members, and for pictures smaller than 16x16.
    """
    one_of("head", head, HEADS)
    if not 1 <= members <= MOST_MEMBERS:
        raise ArgumentError(f"there are {members} members; wanted 1 to {MOST_MEMBERS}")
    networks = [
        _network(shape, head, dimensions, keep, (seed, number) if number else seed)
        for number in range(members)
    ]
    embedding: Module = networks[0]
    if members > 1:
        names = [f"member{number}" for number in range(1, members + 1)]
        embedding = Committee(dict(zip(names, networks, strict=True)))
    if head == "triplet":
        return Verifier(embedding)
    start, features = STEEP[head], members * dimensions
    slope = start["slope"] / features**0.5
    return Verifier(embedding, Verification(head, features, slope=slope, bias=start["bias"]))


def _network(shape, head, dimensions, keep, seed):
    height, width, channels = shape
    least = 1 << len(CHANNELS)
    if min(height, width) < least:
        raise ArgumentError(
            f"the pictures are {height}x{width}; wanted at least {least} pixels a side"
        )
    rng = np.random.default_rng(seed)
    layers: dict[str, Module] = {}
    for number, outputs in enumerate(CHANNELS, start=1):
        name = f"conv{number}"
        layers[name] = Convolution.new(rng, (3, 3), channels, outputs, padding=1, bias=False)
        layers[f"{name}_norm"], layers[f"{name}_relu"] = BatchNorm(outputs), ReLU()
        layers[f"{name}_pool"] = MaxPool(2, stride=2)
        height, width, channels = height // 2, width // 2, outputs
    layers["flatten"] = Flatten()
    layers["dropout"] = Dropout(keep, seed=seed)
    inputs = height * width * channels
    layers["embedding"] = Dense.new(rng, inputs, dimensions, initializer=glorot_uniform)
    return Sequential(layers | _rectified(head) | _unit())


def verifier_on_top(features: int, head: str = "triplet") -> Verifier:
    """Return the network (N, features) -> (N, D) for the vectors of another network.

    It is untrained, and initially returns its input: for "triplet" scaled to length 1, with D =
    features; for "absolute" unchanged, with D = features; for "chi-square", which requires numbers
    of at least 0, the positive and the negative parts, with D = 2 features.
    """
    dimensions = 2 * features if head == "chi-square" else features
    dense = Dense(identity(None, (features, dimensions)), zeros(None, dimensions))
    layers = {"embedding": dense} | _rectified(head)
    if head == "triplet":
        return Verifier(Sequential(layers | _unit()))
    return Verifier(Sequential(layers), Verification(head, dimensions))


def _rectified(head):
    return {"embedding_relu": ReLU()} if head == "chi-square" else {}


def _unit():
    return {"unit_length": UnitLength()}
