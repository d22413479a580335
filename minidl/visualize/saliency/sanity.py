"""The sanity check of Adebayo et al. 2018: a map that explains a network must change if the weights
of the network change.

The weights are replaced by random ones, and the map of the same unit is computed again. If its
pixels have the same order as before, the map shows the picture, not what the network has learned.
Guided gradients fail in part: where no contributions are negative, they show the edges of the
picture whatever the weights are.
"""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from minidl.backend import device_of, is_array, read_numbers, to_device, to_numpy
from minidl.layers.initializers import he_normal
from minidl.typing import Array
from minidl.visualize.network import Network
from minidl.visualize.saliency.methods import Map, Settings, saliency
from minidl.visualize.scalars import Scalar, value

TRIALS = 20
OWN = 2018  # part of the seed, so that the weights differ from those that a training began with


def randomized(network: Network, seed: Any = 0) -> Network:
    """Return a copy of a network with random weights: kernels by He's rule, biases and shifts 0,
    scales 1, running means 0 and running variances 1. seed: as for `np.random.default_rng`."""
    rng = np.random.default_rng(seed)
    return network._replace(
        steps=tuple(step._replace(layer=_random(step.layer, rng)) for step in network.steps)
    )


def _random(layer, rng):
    if layer is None:
        return None
    layer = copy.deepcopy(layer)
    for name, parameter in layer.named_parameters().items():
        if parameter.ndim > 1:
            parameter.data = _like(parameter.data, to_numpy(he_normal(rng, parameter.shape)))
        else:
            parameter.data = _like(parameter.data, float("gamma" in name))
    for module in layer.named_modules().values():
        for name in module.buffers:
            if is_array(old := getattr(module, name)):
                setattr(module, name, _like(old, float(name == "variance")))
    return layer.freeze()


def _like(array, numbers):
    """Return numbers broadcast to the shape of an array, with its dtype and on its device."""
    return to_device(np.broadcast_to(numbers, array.shape).astype(array.dtype), device_of(array))


def changes(
    scalar: Scalar,
    picture: Array,
    maps: Sequence[Map],
    settings: Settings | None = None,
    seed: int = 0,
) -> Iterator[tuple[str, float]]:
    """Yield (method, rank correlation of a Map with the Map of random weights).

    scalar, picture, settings: those that `saliency` computed the maps with; the layers of Grad-CAM
        are those of the maps
    seed: of the random weights

    About half of all random weights make the activation of a unit 0 for every picture. Up to TRIALS
    random weights are therefore drawn until the activation is not 0.
    """
    for trial in range(TRIALS):
        random = scalar._replace(network=randomized(scalar.network, (OWN, seed, trial)))
        if read_numbers(value(random, picture[None])) != [0.0]:
            break
    for before in maps:
        own = settings or Settings()
        own = replace(own, layer=before.layer or own.layer)
        [after] = saliency(random, picture, [before.method], own)
        yield before.method, rank_correlation(before.values, after.values)


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return Spearman's ρ of two arrays a and b of one shape: the correlation of the ranks of their
    numbers. Equal numbers have their mean rank. ρ is 0 if all numbers of an array are equal.

    >>> rank_correlation(np.array([1., 2., 3.]), np.array([10., 20., 900.]))
    1.0
    """
    a, b = (ranks - ranks.mean() for ranks in (_ranks(a), _ranks(b)))
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale else 0.0


def _ranks(numbers):
    _, places, counts = np.unique(numbers.ravel(), return_inverse=True, return_counts=True)
    return (counts.cumsum() - (counts - 1) / 2)[places]
