"""Inversion: a picture made from what a layer tells of another, to see what the layer has kept.

Mahendran & Vedaldi 2015 look for the picture x whose activations Φ(x) are those of the given one,
Φ₀. As many pictures have these, a prior asks for one with pixels within bounds and few sudden
changes (their equation 1 and sections 2.1, 2.2):

    L(x) = |Φ(x) - Φ₀|² / |Φ₀|²  +  λ_α 1/n Σ ((x - 127.5) / B)^α  +  λ_V 1/n Σ ((↓x² + →x²) /
    V²)^(β/2)

n: numbers of the picture, α = 6, B = 127.5, β = 2.5, V = B / 6.5; divided by n, B and V, a λ means
the same for every picture. The last sum is total_variation "power", of which ↓ and → are the
differences to two neighbours.

That is the content. For the style Φ is the layer's Gram matrix, which does not know where in the
picture something is; a style is that of several layers, and the first term the mean of theirs
(Gatys, Ecker, Bethge 2015, figure 1).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from minidl.autograd import Tensor, no_grad
from minidl.backend import array_module, read_numbers, to_numpy
from minidl.data import as_picture
from minidl.errors import ArgumentError, one_of
from minidl.losses import content_loss, gram_loss, gram_matrix, total_variation
from minidl.optim import LBFGS
from minidl.visualize.network import must_be_finite

MATCHES = ("content", "style")
ALPHA, MIDDLE, BOUND, STEP = 6, 127.5, 127.5, 127.5 / 6.5
WEIGHT_OF_BOUNDS = 0.01  # λ_α
SPREAD = 20.0  # standard deviation of the noise to begin with


@dataclass(frozen=True)
class Settings:
    """steps: evaluations of the objective; smoothness: λ_V; seed: of the noise."""

    steps: int = 60
    smoothness: float = 0.03
    seed: int = 0


class Inversion(NamedTuple):
    """image: (H, W, 3), 0..255, of the lowest loss; losses: of each evaluation; distance: of the
    image, |Φ - Φ₀|² / |Φ₀|²."""

    image: np.ndarray
    losses: list
    distance: float


class Objective:
    """objective(x) -> (L, its first term), Tensors, of pictures x (1, H, W, 3)."""

    def __init__(self, network, picture, layers, match="content", settings=None):
        one_of("match", match, MATCHES)
        if match == "content" and len(layers) != 1:
            raise ArgumentError(f"the content of {len(layers)} layers; wanted that of one")
        self.network, self.layers, self.match = network, layers, match
        self.settings = settings or Settings()
        self.targets = self._told(picture[None])
        self.sizes = dict(
            zip(layers, read_numbers(*((t * t).sum() for t in self.targets.values())), strict=True)
        )
        for layer, size in self.sizes.items():
            must_be_finite(layer, size)

    def __call__(self, x):
        told = self._told(x)
        compare = {"content": lambda a, b, k: k * content_loss(a, b, "sum"), "style": gram_loss}[
            self.match
        ]
        terms = [
            compare(
                told[layer],
                self.targets[layer],
                1 / (len(self.layers) * (self.sizes[layer] or 1.0)),
            )
            for layer in self.layers
        ]
        distance = sum(terms[1:], start=terms[0])
        bounds = (((x - MIDDLE) * (1 / BOUND)) ** ALPHA).mean()
        variation = total_variation(x * (1 / STEP), "power") * (1 / x.data.size)
        return distance + WEIGHT_OF_BOUNDS * bounds + self.settings.smoothness * variation, distance

    def _told(self, pictures):
        """What the layers tell of pictures: {layer: activations (N, H, W, C) or Gram matrices (N,
        C, C)}"""
        found = {
            name: _at_positions(y)
            for name, y in self.network.activations(pictures, self.layers).items()
        }
        return (
            found
            if self.match == "content"
            else {name: gram_matrix(y, "positions") for name, y in found.items()}
        )


def invert(network, picture, layers, match="content", settings=None, watch=None):
    """The Inversion of a picture's content in one layer, or of its style in several, from noise.

    picture: (H, W, 3), RGB, 0..255, floating-point, on the current device; watch: called after each
    evaluation with the loss.
    """
    as_picture(picture)  # raises an error for an invalid picture
    settings = settings or Settings()
    if settings.steps < 1:
        raise ArgumentError(f"an inversion of {settings.steps} steps; wanted at least 1")
    objective = Objective(network, picture, layers, match, settings)
    x = Tensor(_noise(picture, settings.seed), requires_grad=True)
    optimizer = LBFGS([x])
    losses, best = [], (float("inf"), x.data)
    for number in range(1, settings.steps + 1):
        total, _ = objective(x)
        total.backward(release=True)
        [loss] = read_numbers(total.data)
        losses.append(loss)
        best = min(best, (loss, x.data), key=lambda each: each[0])
        if watch:
            watch(loss)
        if optimizer.converged or number == settings.steps:
            break
        optimizer.step(loss)
    image = best[1].clip(0, 255)
    with no_grad():
        [apart] = read_numbers(objective(Tensor(image))[1].data)
    return Inversion(to_numpy(image[0]), losses, apart)


def _noise(picture, seed):
    numbers = np.random.default_rng(seed).standard_normal((1, *picture.shape)) * SPREAD + MIDDLE
    return array_module(picture).asarray(numbers.astype(picture.dtype))


def _at_positions(y):
    """(N, C) as (N, 1, 1, C)"""
    return y.reshape(y.shape[0], 1, 1, y.shape[1]) if y.ndim == 2 else y
