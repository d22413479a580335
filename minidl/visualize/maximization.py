"""Activation maximisation: the picture that a unit likes best (Erhan et al. 2009).

Gradient ascent on the mean of what the unit says, over all its positions, before its ReLU: behind
it, a unit that does not fire has no gradient. Adam moves a spectrum (parameterization.py). What
excites a unit by accident, such as a pattern of pixels in one place alone, must not pay: at each
step the network sees the pictures turned, zoomed and moved a little, each in its way (Olah,
Mordvintsev, Schubert 2017, "Transformation robustness"), and total variation costs.

The objective is counted in what the layer says to noise with the spectrum and the colours of
natural pictures: so the price of variation means the same for a layer of edges and for one of eyes.
No picture feels the others: each pays its own price, and Adam measures the gradient of each number
by itself.
"""

import numpy as np

from minidl import ops
from minidl.autograd import Tensor, no_grad
from minidl.backend import current_module, read_numbers, to_numpy
from minidl.data.warping import random_places
from minidl.errors import NonFiniteError
from minidl.losses import total_variation
from minidl.optim import Adam
from minidl.visualize.parameterization import Parameterization

DEGREES, ZOOM, SHIFT = 5, 0.1, 1 / 14  # to either side; the shift as a share of the size
# of the size: what is painted around the picture that is shown, for views that look beyond its
# border
BORDER = 1 / 14
# in a batch: 20 pictures of 160x160, with 20 to 35 MB of VGG19's activations each
PIXELS_AT_ONCE = 1 << 19


class Maximization:
    """units: of one layer, with a channel each; size: (H, W) of the pictures; smoothness: weight of
    the total variation.

    Make one, take `step`s, look at `pictures` and `objectives`. All is computed on the current
    device.
    Raises ArgumentError for a channel that the layer does not have.
    """

    def __init__(self, network, units, size, seed=0, learning_rate=0.05, smoothness=20.0):
        self.network, self.size, self.smoothness = network, size, smoothness
        self.layer = network.before_rectifier(units[0].layer)
        self._border = [round(length * BORDER) for length in size]
        self._extent = [length + 2 * more for length, more in zip(size, self._border, strict=True)]
        self._picture = Parameterization(*self._extent)
        self._rng = np.random.default_rng(seed)
        natural = self._shown(self._picture.noise(self._rng, 1, size=1))
        [said] = network.activations(natural, [self.layer]).values()
        # in which the objective is counted
        self._strength = read_numbers((said**2).mean())[0] ** 0.5 or 1.0
        wanted, most = (
            _one_hot(units, said.shape[-1]),
            max(1, PIXELS_AT_ONCE // (size[0] * size[1])),
        )
        self._parts = []  # of the units: z, and their rows of `wanted`
        for begin in range(0, len(units), most):
            rows = wanted[begin : begin + most]
            self._parts.append(
                (Tensor(self._picture.noise(self._rng, len(rows)), requires_grad=True), rows)
            )
        self._optimizer = Adam([z for z, _ in self._parts], learning_rate)

    def step(self):
        """Move all pictures uphill once."""
        xp, shift = current_module(), SHIFT * min(self.size)
        for z, wanted in self._parts:
            rows, columns = random_places(
                self._rng, len(wanted), self._extent, self.size, DEGREES, ZOOM, shift
            )
            pictures = self._picture(z)
            views = ops.resample(pictures, xp.asarray(rows), xp.asarray(columns))
            price = (
                self.smoothness
                * len(wanted)
                * total_variation(pictures * (1 / 255), "mean_squares")
            )
            loss = price - self._says(views, wanted).sum() * (1 / self._strength)
            loss.backward(release=True)
        self._optimizer.step()

    def pictures(self):
        """(N, H, W, 3), RGB, 0..255, as they are now"""
        return current_module().concatenate([self._shown(z.data) for z, _ in self._parts])

    def objectives(self):
        """(N,) in NumPy: the mean of what each unit says to its picture, over all positions, before
        its ReLU

        Raises NonFiniteError where one is no number.
        """
        with no_grad():
            said = [
                self._says(Tensor(self._shown(z.data)), wanted).data for z, wanted in self._parts
            ]
        found = np.concatenate([to_numpy(each) for each in said])
        if not np.isfinite(found).all():
            raise NonFiniteError(
                f"a unit of {self.layer} says {found[~np.isfinite(found)][0]}; look at the weights"
            )
        return found

    def _says(self, pictures, wanted):
        y = self.network.activations(pictures, [self.layer])[self.layer]
        means = y.mean(axis=tuple(range(1, y.ndim - 1))) if y.ndim > 2 else y
        return (means * wanted).sum(axis=1)

    def _shown(self, z):
        """(N, 3, ..) -> (N, H, W, 3): without the border"""
        with no_grad():
            whole = self._picture(Tensor(z)).data
        top, left = self._border
        return whole[:, top : top + self.size[0], left : left + self.size[1]]


def _one_hot(units, channels):
    """(N, C): 1 for the channel of each unit"""
    wanted = np.zeros((len(units), channels), np.float32)
    for row, unit in zip(wanted, units, strict=True):
        row[unit.among(channels)] = 1
    return current_module().asarray(wanted)
