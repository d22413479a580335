"""Inversion reconstructs a picture from the activations of a layer. It shows what information the
layer keeps.

Mahendran & Vedaldi 2015 search for a picture x whose activations Φ(x) equal those of a given
picture, Φ₀. Many pictures have these activations, so a prior prefers pixels within bounds and few
sudden changes (their equation 1 and sections 2.1, 2.2):

    L(x) = D(x)  +  λ_α 1/n Σ ((x - 127.5) / B)^α  +  λ_V 1/n Σ ((↓x² + →x²) / V²)^(β/2)
    D(x) = |Φ(x) - Φ₀|² / |Φ₀|²

with α = 6, B = 127.5, β = 2.5, V = B / 6.5. n is the count of numbers in the picture. The divisions
by n, B and V make a λ mean the same for every picture. ↓x and →x are the differences of adjacent
pixels; the last sum is total_variation "power".

Matching the content uses the activations of one layer as Φ. Matching the style uses Gram matrices,
which do not depend on positions, and D is its mean over several layers (Gatys, Ecker, Bethge 2015,
figure 1).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from minidl.autograd import Tensor, no_grad
from minidl.backend import array_module, read_numbers, to_numpy
from minidl.data import as_picture
from minidl.errors import ArgumentError, one_of
from minidl.losses import content_loss, gram_loss, gram_matrix, total_variation
from minidl.optim import LBFGS
from minidl.typing import Array, Operand
from minidl.visualize.network import Network, must_be_finite

MATCHES = ("content", "style")
ALPHA, MIDDLE, BOUND, STEP = 6, 127.5, 127.5, 127.5 / 6.5  # α, the centre of x, B, V
WEIGHT_OF_BOUNDS = 0.01  # λ_α
SPREAD = 20.0  # standard deviation of the initial noise


@dataclass(frozen=True)
class Settings:
    """Settings of an inversion.

    steps: the most evaluations of L
    smoothness: λ_V
    seed: of the initial noise
    """

    steps: int = 60
    smoothness: float = 0.03
    seed: int = 0


class Inversion(NamedTuple):
    """The result of an inversion.

    image: (H, W, 3), 0..255, the picture with the lowest L
    losses: L at each evaluation
    distance: D of the image
    """

    image: np.ndarray
    losses: list[float]
    distance: float


class Objective:
    """objective(x) -> (L, D), both Tensors, for a picture x (1, H, W, 3).

    picture: (H, W, 3), RGB, 0..255, the given picture
    layers: names of the layers; exactly one if match is "content"
    match: "content" or "style"
    settings: by default `Settings()`

    Raises ArgumentError for another match or number of layers, and NonFiniteError if an activation
    is not finite.
    """

    def __init__(
        self,
        network: Network,
        picture: Array,
        layers: Sequence[str],
        match: str = "content",
        settings: Settings | None = None,
    ) -> None:
        one_of("match", match, MATCHES)
        if match == "content" and len(layers) != 1:
            raise ArgumentError(f"the content is to be matched in {len(layers)} layers; wanted one")
        self.network, self.layers, self.match = network, layers, match
        self.settings = settings or Settings()
        self.targets = self._representations(picture[None])
        squares = read_numbers(*((t * t).sum() for t in self.targets.values()))
        self.sizes = dict(zip(layers, squares, strict=True))
        for layer, size in self.sizes.items():
            must_be_finite(layer, size)

    def __call__(self, x: Operand) -> tuple[Operand, Operand]:
        representations = self._representations(x)
        terms = []
        for layer in self.layers:
            y, target = representations[layer], self.targets[layer]
            weight = 1 / (len(self.layers) * (self.sizes[layer] or 1.0))
            if self.match == "content":
                terms.append(weight * content_loss(y, target, "sum"))
            else:
                terms.append(gram_loss(y, target, weight))
        distance = sum(terms[1:], start=terms[0])
        bounds = (((x - MIDDLE) * (1 / BOUND)) ** ALPHA).mean()
        variation = total_variation(x * (1 / STEP), "power") * (1 / x.data.size)
        total = distance + WEIGHT_OF_BOUNDS * bounds + self.settings.smoothness * variation
        return total, distance

    def _representations(self, pictures):
        """Return Φ of each layer: activations (N, H, W, C), or Gram matrices (N, C, C)."""
        activations = {
            name: y.reshape(y.shape[0], 1, 1, y.shape[1]) if y.ndim == 2 else y
            for name, y in self.network.activations(pictures, self.layers).items()
        }
        if self.match == "content":
            return activations
        return {name: gram_matrix(y, "positions") for name, y in activations.items()}


class Descent:
    """The minimisation of L by L-BFGS, from noise: an iterator over L at each evaluation.

    picture: (H, W, 3), RGB, 0..255, floating-point, on the current device
    layers, match: as for Objective
    settings: by default `Settings()`

    losses: L at each evaluation so far

    Raises the errors of Objective, and ArgumentError if `settings.steps` is less than 1.
    """

    def __init__(
        self,
        network: Network,
        picture: Array,
        layers: Sequence[str],
        match: str = "content",
        settings: Settings | None = None,
    ) -> None:
        as_picture(picture)  # raises an error for an invalid picture
        self._settings = settings = settings or Settings()
        if settings.steps < 1:
            raise ArgumentError(f"an inversion of {settings.steps} steps; wanted at least 1")
        self._objective = Objective(network, picture, layers, match, settings)
        self._x = Tensor(_noise(picture, settings.seed), requires_grad=True)
        self._lowest, self._best = float("inf"), self._x.data
        self.losses: list[float] = []

    def __iter__(self) -> Iterator[float]:
        optimizer = LBFGS([self._x])
        while True:
            total, _ = self._objective(self._x)
            total.backward(release=True)
            [loss] = read_numbers(total.data)
            if loss < self._lowest:
                self._lowest, self._best = loss, self._x.data
            self.losses.append(loss)
            yield loss
            if optimizer.converged or len(self.losses) == self._settings.steps:
                return
            optimizer.step(loss)

    def result(self) -> Inversion:
        """Return the Inversion with the lowest L so far."""
        image = self._best.clip(0, 255)
        with no_grad():
            [distance] = read_numbers(self._objective(Tensor(image))[1].data)
        return Inversion(to_numpy(image[0]), self.losses, distance)


def invert(
    network: Network,
    picture: Array,
    layers: Sequence[str],
    match: str = "content",
    settings: Settings | None = None,
    watch: Callable[[float], Any] | None = None,
) -> Inversion:
    """Return the Inversion of a picture's content in one layer, or of its style in several, after
    the whole Descent.

    watch: called with L after each evaluation

    The other arguments and the errors are those of Descent.
    """
    descent = Descent(network, picture, layers, match, settings)
    for loss in descent:
        if watch:
            watch(loss)
    return descent.result()


def _noise(picture, seed):
    noise = np.random.default_rng(seed).standard_normal((1, *picture.shape)) * SPREAD + MIDDLE
    return array_module(picture).asarray(noise.astype(picture.dtype))
