"""What to ask about where nobody says."""

import numpy as np

from minidl.backend import current_device, to_device, to_numpy
from minidl.data import image_size
from minidl.data.images import ENDINGS, PICTURES
from minidl.errors import ArgumentError
from minidl.visualize.network import must_be_finite
from minidl.visualize.opening import is_array, read_for
from minidl.visualize.receptive_fields import with_room
from minidl.visualize.units import Unit

SMALL = 112  # pixels of the longer side at which channels are compared
# pixels of the shorter side, of a longish picture: with fewer than 16 VGG19's deepest layers have
# no room
LEAST = 32


def unit_for(network, path, picture):
    """The Unit to ask about in a picture file: of a network with classes the likeliest one; else
    that channel of the deepest layer which this picture excites most above what the pictures that
    ship do. All are compared at the same small size, but for arrays, which stay as they are.

    picture: (*spatial, C), the file as the network is to see it, on the current device.
    """
    if network.classes:
        return likeliest_class(network, picture)
    layer = deepest_layer(network, picture)
    return most_particular(network, layer, small_example(network, path), shipped_examples(network))


def shipped_examples(network):
    """[(H, W, 3)]: the pictures that ship, as `small_example` gives them"""
    return [
        small_example(network, path)
        for path in sorted(PICTURES.iterdir())
        if path.suffix in ENDINGS
    ]


def deepest_layer(network, picture, before=None):
    """The name of the deepest layer behind a ReLU that has positions, and room in the picture;
    before: a layer that it must come before, or None.

    picture: (*spatial, C). Raises ArgumentError where there is none.
    """
    end = before and network.canonical(before)
    found = None
    for step, (name, field) in zip(
        network.steps, with_room(network, picture.shape[:-1]), strict=False
    ):
        if name == end:
            break
        if step.layer is None and field.out:
            found = name
    if found is None:
        raise ArgumentError(
            f"no layer behind a ReLU has positions before {before or 'the end'}; name another layer or unit"
        )
    return found


def preferred_layers(network, picture, layers):
    """Of some names those of layers that the network has, with room in the picture; the
    `deepest_layer` where there is none"""
    known = {name for name, _ in with_room(network, picture.shape[:-1])}
    return [name for name in layers if name in known] or [deepest_layer(network, picture)]


def likeliest_class(network, picture):
    """The Unit of the class with the highest score. picture: (*spatial, C); the network has
    classes."""
    last = network.steps[-1].name
    [scores] = network.activations(picture[None], [last]).values()
    return Unit(last, int(must_be_finite(last, to_numpy(scores)[0]).argmax()))


def most_particular(network, layer, picture, others):
    """The Unit of the layer's channel whose mean activation is the furthest above what it is, on
    average, in other pictures

    picture: (*spatial, C); others: a list of such, of about the same size: it changes how strongly
    channels fire.
    """
    here, *there = (_mean_activations(network, layer, each) for each in (picture, *others))
    return Unit(network.canonical(layer), int((here - np.mean(there, axis=0)).argmax()))


def _mean_activations(network, layer, picture):
    [y] = network.activations(picture[None], [layer]).values()
    return must_be_finite(layer, to_numpy(y[0].mean(axis=tuple(range(y.ndim - 2)))))


def small_example(network, path):
    """(H, W, 3): a picture file as the network takes it, with SMALL pixels on its longer side, but
    LEAST on the shorter one where it has so many; an array as it is. On the current device."""
    longest = None
    if not is_array(path):
        longer, shorter = max(image_size(path)), min(image_size(path))
        longest = max(SMALL, -(-LEAST * longer // shorter))
    return to_device(read_for(network, path, longest), current_device())
