"""Activation maximisation: pictures that maximise the activations of units (Erhan et al. 2009).

The objective is the mean activation of the unit over all its positions, before its ReLU: after the
ReLU, the gradient of an inactive unit is 0. Adam changes the variables z of parameterization.py,
one picture for each unit. Two measures prevent patterns that activate a unit by accident, for
example at one place only (Olah, Mordvintsev, Schubert 2017, "Transformation robustness"): in each
step each picture is rotated, scaled and moved at random, and total variation is subtracted:

    F = 1/c Σ_n mean a_n(view(x_n))  -  smoothness Σ_n TV(x_n / 255)

x_n: picture n as a function of z; a_n: the activations of unit n before its ReLU. c is the root
mean square activation of the layer for a random picture with the spectrum and colours of natural
pictures. It makes the weight of the total variation comparable between layers. The pictures do not
influence each other: each term of F depends on one picture, and Adam scales the gradient of each
number separately.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from minidl import ops
from minidl.autograd import Tensor, no_grad
from minidl.backend import current_module, read_numbers, to_numpy
from minidl.data.warping import random_places
from minidl.errors import NonFiniteError
from minidl.losses import total_variation
from minidl.optim import Adam
from minidl.typing import Array
from minidl.visualize.network import Network
from minidl.visualize.parameterization import Parameterization
from minidl.visualize.units import Unit

# The largest rotation, change of scale, and shift as a fraction of the shorter side.
DEGREES, ZOOM, SHIFT = 5, 0.1, 1 / 14
# The border around the visible picture, as a fraction of its size. It is optimised too, for views
# that extend beyond the visible part.
BORDER = 1 / 14
# The most pixels in a batch: 20 pictures of 160x160, each with 20 to 35 MB of VGG19's activations.
PIXELS_AT_ONCE = 1 << 19


def at_once(size: tuple[int, int]) -> int:
    """Return how many pictures (H, W) are in a batch at the most."""
    return max(1, PIXELS_AT_ONCE // (size[0] * size[1]))


class Maximization:
    """Gradient ascent on one picture for each unit. Call `step` repeatedly, then read `pictures`
    and `objectives`. All is computed on the current device.

    units: units of one layer, each with a channel
    size: (H, W) of the pictures
    seed: of the first pictures and of the random views
    learning_rate: of Adam
    smoothness: weight of the total variation

    Raises ArgumentError if the layer does not have one of the channels.
    """

    def __init__(
        self,
        network: Network,
        units: Sequence[Unit],
        size: tuple[int, int],
        seed: int = 0,
        learning_rate: float = 0.05,
        smoothness: float = 20.0,
    ) -> None:
        self.network, self.size, self.smoothness = network, size, smoothness
        self.layer = network.before_rectifier(units[0].layer)
        self._border = [round(length * BORDER) for length in size]
        self._extent = [length + 2 * end for length, end in zip(size, self._border, strict=True)]
        self._picture = Parameterization(*self._extent)
        self._rng = np.random.default_rng(seed)
        natural = self._visible(self._picture.noise(self._rng, 1, size=1))
        [activations] = network.activations(natural, [self.layer]).values()
        self._strength = read_numbers((activations**2).mean())[0] ** 0.5 or 1.0
        selection = _one_hot(units, activations.shape[-1])
        most = at_once(size)
        self._parts = []  # (z, its rows of the selection) of each batch of units
        for begin in range(0, len(units), most):
            rows = selection[begin : begin + most]
            z = Tensor(self._picture.noise(self._rng, len(rows)), requires_grad=True)
            self._parts.append((z, rows))
        self._optimizer = Adam([z for z, _ in self._parts], learning_rate)

    def step(self) -> None:
        """Take one step of gradient ascent on all pictures."""
        xp, shift = current_module(), SHIFT * min(self.size)
        for z, selection in self._parts:
            n = len(selection)
            rows, columns = random_places(
                self._rng, n, self._extent, self.size, DEGREES, ZOOM, shift
            )
            pictures = self._picture(z)
            views = ops.resample(pictures, xp.asarray(rows), xp.asarray(columns))
            variation = total_variation(pictures * (1 / 255), "mean_squares")
            activation = self._activations(views, selection).sum() * (1 / self._strength)
            loss = self.smoothness * n * variation - activation
            loss.backward(release=True)
        self._optimizer.step()

    def pictures(self) -> Array:
        """Return the current pictures (N, H, W, 3), RGB, 0..255."""
        return current_module().concatenate([self._visible(z.data) for z, _ in self._parts])

    def objectives(self) -> np.ndarray:
        """Return the mean activation (N,) of each unit for its picture, over all positions, before
        the ReLU. Raise NonFiniteError if one is not finite."""
        with no_grad():
            parts = [
                self._activations(Tensor(self._visible(z.data)), selection)
                for z, selection in self._parts
            ]
        means = np.concatenate([to_numpy(part.data) for part in parts])
        if not np.isfinite(means).all():
            raise NonFiniteError(
                f"the activation of a unit of {self.layer} is {means[~np.isfinite(means)][0]}; "
                "wanted a finite number: check the weights"
            )
        return means

    def _activations(self, pictures, selection):
        """Return the mean activation (N,) of each picture's own unit."""
        y = self.network.activations(pictures, [self.layer])[self.layer]
        means = y.mean(axis=tuple(range(1, y.ndim - 1))) if y.ndim > 2 else y
        return (means * selection).sum(axis=1)

    def _visible(self, z):
        """z (N, 3, ..) -> pictures (N, H, W, 3) without their borders"""
        with no_grad():
            pictures = self._picture(Tensor(z)).data
        top, left = self._border
        return pictures[:, top : top + self.size[0], left : left + self.size[1]]


class Maximizations:
    """A Maximization for each layer that some units are of. The other arguments, the methods and
    the errors are those of Maximization."""

    def __init__(
        self, network: Network, units: Sequence[Unit], size: tuple[int, int], seed: int = 0
    ) -> None:
        by_layer: dict[str, list[Unit]] = {}
        for unit in units:
            by_layer.setdefault(unit.layer, []).append(unit)
        self._parts = {
            layer: Maximization(network, own, size, seed) for layer, own in by_layer.items()
        }
        self._order = [(unit.layer, by_layer[unit.layer].index(unit)) for unit in units]

    def steps(self, count: int) -> Iterator[int]:
        """Take so many steps, and yield the number of each, from 1 on."""
        for number in range(1, count + 1):
            for part in self._parts.values():
                part.step()
            yield number

    def pictures(self) -> list[Array]:
        pictures = {layer: part.pictures() for layer, part in self._parts.items()}
        return [pictures[layer][number] for layer, number in self._order]

    def objectives(self) -> np.ndarray:
        objectives = {layer: part.objectives() for layer, part in self._parts.items()}
        return np.array([objectives[layer][number] for layer, number in self._order])


def _one_hot(units, channels):
    """(N, C): 1 for the channel of each unit, 0 elsewhere"""
    selection = np.zeros((len(units), channels), np.float32)
    for row, unit in zip(selection, units, strict=True):
        row[unit.among(channels)] = 1
    return current_module().asarray(selection)
