"""Activation maximisation: the picture that a unit likes best (Erhan et al. 2009).

Gradient ascent on the mean of what the unit says, over all its positions, before its ReLU: behind it, a unit that does not fire
has no gradient. Adam moves a spectrum (parameterization.py). What excites a unit by accident, such as a pattern of pixels in
one place alone, must not pay: at each step the network sees the pictures turned, zoomed and moved a little, each in its way
(Olah, Mordvintsev, Schubert 2017, "Transformation robustness"), and total variation costs.

All units share one batch. As Adam measures the gradient of each number by itself, no picture feels the others.
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
BORDER = 1 / 14  # of the size: what is painted around the picture that is shown, for views that look beyond its border


class Maximization:
    """units: of one layer, with a channel each; size: (H, W) of the pictures; smoothness: weight of the total variation.

    Make one, take `step`s, look at `pictures` and `objectives`. All is computed on the current device.
    Raises ArgumentError for a channel that the layer does not have.
    """

    def __init__(self, network, units, size, seed=0, learning_rate=0.05, smoothness=20.0):
        self.network, self.size, self.smoothness = network, size, smoothness
        self.layer = network.before_rectifier(units[0].layer)
        self._border = [round(length * BORDER) for length in size]
        self._picture = Parameterization(*(length + 2 * more for length, more in zip(size, self._border, strict=True)))
        self._rng = np.random.default_rng(seed)
        self._z = Tensor(self._picture.noise(self._rng, len(units)), requires_grad=True)
        self._optimizer = Adam([self._z], learning_rate)
        activations = network.activations(self.pictures(), [self.layer])[self.layer]
        self._strength = read_numbers((activations**2).mean())[0] ** 0.5 or 1.0  # in which the objective is counted
        self._wanted = _one_hot(units, activations.shape[-1])

    def step(self):
        """Move all pictures uphill once."""
        pictures = self._picture(self._z)
        rows, columns = random_places(self._rng, len(pictures), pictures.shape[1:3], self.size, DEGREES, ZOOM, self._shift())
        xp = current_module()
        views = ops.resample(pictures, xp.asarray(rows), xp.asarray(columns))
        variation = total_variation(pictures * (1 / 255), "mean_squares")
        loss = self.smoothness * variation - self._says(views).mean() * (1 / self._strength)
        loss.backward(release=True)
        self._optimizer.step()

    def pictures(self):
        """(N, H, W, 3), RGB, 0..255, as they are now"""
        with no_grad():
            whole = self._picture(self._z.detach()).data
        top, left = self._border
        return whole[:, top : top + self.size[0], left : left + self.size[1]]

    def objectives(self):
        """(N,) in NumPy: the mean of what each unit says to its picture, over all positions, before its ReLU

        Raises NonFiniteError where one is no number.
        """
        with no_grad():
            found = to_numpy(self._says(Tensor(self.pictures())).data)
        if not np.isfinite(found).all():
            raise NonFiniteError(f"a unit of {self.layer} says {found[~np.isfinite(found)][0]}; look at the weights")
        return found

    def _says(self, pictures):
        y = self.network.activations(pictures, [self.layer])[self.layer]
        means = y.mean(axis=tuple(range(1, y.ndim - 1))) if y.ndim > 2 else y
        return (means * self._wanted).sum(axis=1)

    def _shift(self):
        return SHIFT * min(self.size)


def _one_hot(units, channels):
    """(N, C): 1 for the channel of each unit"""
    wanted = np.zeros((len(units), channels), np.float32)
    for row, unit in zip(wanted, units, strict=True):
        row[unit.among(channels)] = 1
    return current_module().asarray(wanted)
