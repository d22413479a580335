"""What to ask about where nobody says."""

import numpy as np

from minidl.backend import current_device, to_device, to_numpy
from minidl.data.images import PICTURES
from minidl.errors import ArgumentError
from minidl.visualize.opening import read_for
from minidl.visualize.units import Unit

SMALL = 112  # pixels of the longer side at which channels are compared


def unit_for(network, path):
    """The Unit to ask about in a picture file: of a network with classes the likeliest one; else that channel of the deepest
    layer which this picture excites most above what the pictures that ship do. All are compared at the same small size."""
    if network.classes:
        return likeliest_class(network, small_example(network, path))
    picture = small_example(network, path)
    return most_particular(network, deepest_layer(network, picture), picture, shipped_examples(network))


def shipped_examples(network):
    """[(H, W, 3)]: the pictures that ship, as `small_example` gives them"""
    return [small_example(network, path) for path in sorted(PICTURES.iterdir()) if path.suffix != ".md"]


def deepest_layer(network, picture, before=None):
    """The name of the deepest layer behind a ReLU that has positions; before: a layer that it must come before, or None.

    picture: (*spatial, C). Raises ArgumentError where there is none.
    """
    names = [step.name for step in network.steps]
    end = len(names) if before is None else names.index(network.canonical(before))
    rectified = [step.name for step in network.steps[:end] if step.layer is None]
    found = network.activations(picture[None], rectified)
    with_positions = [name for name in rectified if found[name].ndim > 2]
    if not with_positions:
        raise ArgumentError(f"no layer behind a ReLU has positions before {before or 'the end'}; name another layer or unit")
    return with_positions[-1]


def likeliest_class(network, picture):
    """The Unit of the class with the highest score. picture: (*spatial, C); the network has classes."""
    [scores] = network.activations(picture[None], [network.steps[-1].name]).values()
    return Unit(network.steps[-1].name, int(to_numpy(scores)[0].argmax()))


def most_particular(network, layer, picture, others):
    """The Unit of the layer's channel whose mean activation is the furthest above what it is, on average, in other pictures

    picture: (*spatial, C); others: a list of such, of about the same size: it changes how strongly channels fire.
    """
    here, *there = (_mean_activations(network, layer, each) for each in (picture, *others))
    return Unit(network.canonical(layer), int((here - np.mean(there, axis=0)).argmax()))


def _mean_activations(network, layer, picture):
    [y] = network.activations(picture[None], [layer]).values()
    return to_numpy(y[0].mean(axis=tuple(range(y.ndim - 2))))


def small_example(network, path):
    """(H, W, 3): a picture file, SMALL, as the network takes it, on the current device"""
    return to_device(read_for(network, path, SMALL), current_device())
