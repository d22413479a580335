"""The sanity check of Adebayo et al. 2018: a map that explains a network must change when the
network's weights do.

The network's weights are drawn anew, and the map of the same unit is made again. If its pixels are
still in the same order, it shows the picture, not what the network has learned. Guided gradients
fail in part: where nothing inhibits, they show the picture's edges whatever the weights are.
"""

import copy

import numpy as np

from minidl.backend import device_of, is_array, read_numbers, to_device, to_numpy
from minidl.layers.initializers import he_normal
from minidl.visualize.saliency.methods import saliency
from minidl.visualize.scalars import value

TRIALS = 20
OWN = 2018  # in the seed, lest the fresh weights be those that a network's training began with


def randomized(network, seed=0):
    """The network with fresh weights: kernels by He's rule, biases and shifts 0, scales 1, running
    moments 0 and 1."""
    rng = np.random.default_rng(seed)
    return network._replace(
        steps=tuple(step._replace(layer=_fresh(step.layer, rng)) for step in network.steps)
    )


def _fresh(layer, rng):
    if layer is None:
        return None
    layer = copy.deepcopy(layer)
    for name, parameter in layer.named_parameters().items():
        drawn = (
            to_numpy(he_normal(rng, parameter.shape))
            if parameter.ndim > 1
            else float("gamma" in name)
        )
        parameter.data = _like(parameter.data, drawn)
    for module in layer.named_modules().values():
        for name in module.buffers:
            if is_array(old := getattr(module, name)):
                setattr(module, name, _like(old, float(name == "variance")))
    return layer.freeze()


def _like(array, numbers):
    """The numbers as an array of this one's shape, dtype and device"""
    return to_device(np.broadcast_to(numbers, array.shape).astype(array.dtype), device_of(array))


def changes(scalar, picture, maps, settings=None, seed=0):
    """Yield (method, rank correlation) of each Map, as `saliency` gave them, with the one of
    randomized weights.

    Of random weights about half leave a unit behind a ReLU at 0, whatever the picture: the first
    that do not are taken.
    """
    for trial in range(TRIALS):
        other = scalar._replace(network=randomized(scalar.network, (OWN, seed, trial)))
        if read_numbers(value(other, picture[None])) != [0.0]:
            break
    anew = saliency(other, picture, [each.method for each in maps], settings)
    for before, after in zip(maps, anew, strict=True):
        yield before.method, rank_correlation(before.values, after.values)


def rank_correlation(a, b):
    """Spearman's ρ: the correlation of the numbers' ranks, ties sharing their mean rank; 0 where
    all of one are alike.

    >>> rank_correlation(np.array([1., 2., 3.]), np.array([10., 20., 900.]))
    1.0
    """
    a, b = (ranks - ranks.mean() for ranks in (_ranks(a), _ranks(b)))
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale else 0.0


def _ranks(numbers):
    _, places, counts = np.unique(numbers.ravel(), return_inverse=True, return_counts=True)
    return (counts.cumsum() - (counts - 1) / 2)[places]
