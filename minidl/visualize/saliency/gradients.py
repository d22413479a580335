"""Saliency from gradients, by six methods.

    gradient               G = ∂F/∂x
    gradient x input       G (x - b)
    guided                 G with another rule for the gradient of each ReLU (rectifiers.py)
    SmoothGrad             1/n Σ_k ∂F/∂x at x + ε_k,      ε_k ~ N(0, σ²)
    integrated gradients   (x - b) ∫ ∂F/∂x at b + α (x - b) dα,      α from 0 to 1
    Grad-CAM               max(Σ_k w_k A_k, 0),      w_k = mean ∂F/∂A_k

x: a picture (*spatial, C); b: the baseline, a picture of the same shape without information; F: a
scalar of the network (scalars.py); A_k: the activations of channel k of a layer.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minidl import ops
from minidl.backend import array_module, read_numbers
from minidl.errors import ArgumentError, ShapeError
from minidl.typing import Array
from minidl.visualize.receptive_fields import receptive_fields
from minidl.visualize.rectifiers import RECTIFIERS
from minidl.visualize.scalars import Scalar, ScalarFunction, batches, value, value_and_gradient


def gradient(
    scalar: ScalarFunction, picture: Array, rectifier: Callable[[Any], Any] = ops.relu
) -> Array:
    """Return ∂F/∂x (*spatial, C) (Simonyan, Vedaldi, Zisserman 2013, section 3).

    scalar: a Scalar, or a function that maps pictures (N, *spatial, C) to (N,)
    picture: (*spatial, C)
    rectifier: computes each ReLU, one of RECTIFIERS; for a Scalar only

    >>> gradient(lambda x: (x * x).sum(axis=(1, 2, 3)), np.array([[[1., 2., 3.]]]))
    array([[[2., 4., 6.]]])
    """
    _, gradients = value_and_gradient(scalar, picture[None], rectifier)
    return gradients[0]


def gradient_times_input(scalar: ScalarFunction, picture: Array, baseline: Array) -> Array:
    """Return ∂F/∂x (x - b) (*spatial, C) (Shrikumar et al. 2016, with b = 0). If F is linear, this
    is the contribution of each number to F(x) - F(b).

    scalar: as for `gradient`
    picture, baseline: x and b, both (*spatial, C)
    """
    return gradient(scalar, picture) * (picture - baseline)


def guided_gradient(scalar: Scalar, picture: Array) -> Array:
    """Return the guided gradient (*spatial, C) of a scalar for a picture (*spatial, C)
    (Springenberg et al. 2015), which drops negative contributions at each ReLU."""
    return gradient(scalar, picture, RECTIFIERS["guided"])


def smooth_gradient(
    scalar: ScalarFunction,
    picture: Array,
    samples: int = 16,
    noise: float = 0.15,
    seed: int = 0,
) -> Array:
    """Return the mean gradient (*spatial, C) of noisy copies of the picture (Smilkov et al. 2017).

    scalar: as for `gradient`
    picture: (*spatial, C)
    samples: number of copies; the paper uses 50
    noise: σ as a fraction of the range of the picture's numbers; the paper recommends 0.1 to 0.2
    seed: of the noise

    Raises ArgumentError if samples is less than 1 or noise is negative or NaN.
    """
    if samples < 1 or not noise >= 0:
        raise ArgumentError(
            f"SmoothGrad of {samples} samples with noise {noise}; "
            "wanted at least 1 sample, and noise of at least 0"
        )
    xp, rng = array_module(picture), np.random.default_rng(seed)
    sigma = noise * (picture.max() - picture.min())
    total = xp.zeros_like(picture)
    for part in batches(samples, picture.size):
        shape = part.stop - part.start, *picture.shape
        draws = xp.asarray(rng.standard_normal(shape, picture.dtype))
        _, gradients = value_and_gradient(scalar, picture + sigma * draws)
        total = total + gradients.sum(axis=0)
    return total / samples


class Integrated(NamedTuple):
    """Integrated gradients.

    attributions: (*spatial, C), the contribution of each number of the picture
    total: the sum of the attributions
    difference: F(x) - F(b), which the total approximates
    """

    attributions: Array
    total: float
    difference: float

    @property
    def error(self) -> float:
        """The relative error of the total, |total - difference| / |difference|."""
        return abs(self.total - self.difference) / (abs(self.difference) or 1.0)


def integrated_gradients(
    scalar: ScalarFunction, picture: Array, baseline: Array, steps: int = 32
) -> Integrated:
    """Return the Integrated gradients of F along the straight line from b to x (Sundararajan, Taly,
    Yan 2017, equation 1):

        A_i = (x_i - b_i) ∫ ∂F/∂x_i at b + α (x - b) dα,      α from 0 to 1

    The gradient at x is 0 if F is saturated there: F(x) = 1 - max(1 - x, 0) has no gradient at
    x = 2, although F(2) - F(0) = 1. The gradients along the line are complete: by the chain rule,
    Σ_i A_i = F(x) - F(b). The integral is a sum over the midpoints of equal steps, so the error of
    this equation is a measure of its accuracy.

    scalar: a Scalar, or a function that maps pictures (N, *spatial, C) to (N,)
    picture, baseline: x and b, both (*spatial, C)
    steps: number of gradients; the paper uses 20 to 300

    Raises ArgumentError if steps is less than 1, and ShapeError if the shapes differ.

    >>> from minidl import ops
    >>> F = lambda x: (1 - ops.relu(1 - x)).sum(axis=1)
    >>> integrated_gradients(F, np.array([2.]), np.array([0.])).attributions
    array([1.])
    """
    if steps < 1:
        raise ArgumentError(f"integrated gradients in {steps} steps; wanted at least 1")
    if picture.shape != baseline.shape:
        raise ShapeError(
            f"the picture has shape {picture.shape} and the baseline {baseline.shape}; "
            "wanted the same"
        )
    xp, line = array_module(picture, baseline), picture - baseline
    total = xp.zeros_like(line)
    for part in batches(steps, picture.size):
        alphas = (xp.arange(part.start, part.stop, dtype=picture.dtype) + 0.5) / steps
        points = baseline + alphas.reshape(-1, *[1] * picture.ndim) * line
        _, gradients = value_and_gradient(scalar, points)
        total = total + gradients.sum(axis=0)
    attributions = line * total / steps
    of_picture, of_baseline = value(scalar, xp.stack([picture, baseline]))
    numbers = read_numbers(attributions.sum(dtype="float64"), of_picture - of_baseline)
    return Integrated(attributions, *numbers)


def grad_cam(scalar: Scalar, picture: Array, layer: str) -> Array:
    """Return the Grad-CAM map, at the positions of a layer (Selvaraju et al. 2017, equations 1 and
    2):

        M_p = max(Σ_k w_k A_pk, 0),      w_k = 1/Z Σ_p ∂F/∂A_pk

    A: the activations of the layer at its Z positions p. If F is the mean of a weighted sum of the
    channels, Σ_k v_k A_pk, then w_k = v_k / Z, which is the class activation map of Zhou et al.
    2016.

    scalar: F.
    picture: (*spatial, C).
    layer: its name.

    Raises ArgumentError as `must_weigh` does.
    """
    must_weigh(scalar, picture.shape[:-1], layer)
    network = scalar.network
    [activations] = network.activations(picture[None], [layer]).values()
    following = [step.name for step in network.steps].index(network.canonical(layer)) + 1
    steps = network.steps[following:]
    tail = network._replace(steps=steps, prepare=lambda activations: activations)
    _, gradients = value_and_gradient(scalar._replace(network=tail), activations)
    weights = gradients[0].mean(axis=tuple(range(gradients.ndim - 2)))
    return ops.relu(activations[0] @ weights)


def must_weigh(scalar: Scalar, extent: Sequence[int], layer: str) -> None:
    """Raise ArgumentError if a layer does not precede the unit of the scalar, or has no positions.

    extent: the spatial size of the picture
    """
    network = scalar.network
    names = [step.name for step in network.steps]
    if names.index(network.canonical(layer)) >= names.index(network.canonical(scalar.unit.layer)):
        raise ArgumentError(
            f"Grad-CAM of {layer} for {scalar.unit}, which is not behind it; name a layer before it"
        )
    if not receptive_fields(network, extent, [layer])[layer].out:
        raise ArgumentError(f"Grad-CAM of {layer}, which has no positions; name a layer before it")
