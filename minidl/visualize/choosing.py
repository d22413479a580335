"""The units and layers that are shown if the user names none."""

from collections.abc import Iterable, Sequence

import numpy as np

from minidl import typing
from minidl.backend import current_device, to_device, to_numpy
from minidl.data import image_size
from minidl.data.images import ENDINGS, PICTURES
from minidl.errors import ArgumentError
from minidl.typing import Array
from minidl.visualize.arrays import is_array
from minidl.visualize.classes import predictions
from minidl.visualize.network import Network, must_be_finite
from minidl.visualize.opening import read_for
from minidl.visualize.receptive_fields import fields_that_fit
from minidl.visualize.units import Unit

# Pixels: the longer side of the pictures in which channels are compared, and the least length of
# the shorter side. VGG19's deepest layers need 16.
SMALL, LEAST = 112, 32


def unit_for(network: Network, path: typing.Path, picture: Array) -> Unit:
    """Return the default Unit for a picture file.

    For a network with classes it is the class with the highest score. Otherwise it is the channel
    of the deepest layer that `most_distinctive` finds among the pictures that minidl ships. They
    are compared at one small size (`small_example`).

    path: of the file
    picture: (*spatial, C), the file as `read_for` reads it, on the current device
    """
    if network.classes:
        return likeliest_class(network, picture)
    layer = deepest_layer(network, picture)
    example = small_example(network, path)
    [unit] = most_distinctive(network, [layer], example, shipped_examples(network))
    return unit


def shipped_examples(network: Network) -> list[Array]:
    """Return the pictures that minidl ships, each (H, W, 3) as `small_example` reads it."""
    return [
        small_example(network, path)
        for path in sorted(PICTURES.iterdir())
        if path.suffix in ENDINGS
    ]


def deepest_layer(network: Network, picture: Array, before: str | None = None) -> str:
    """Return the name of the deepest ReLU that has positions and fits the picture.

    picture: (*spatial, C)
    before: name of a layer that the ReLU must precede, or None

    Raises ArgumentError if there is none.
    """
    end = before and network.canonical(before)
    deepest = None
    for step, field in fields_that_fit(network, picture.shape[:-1]):
        if step.name == end:
            break
        if step.layer is None and field.out:
            deepest = step.name
    if deepest is None:
        raise ArgumentError(
            f"no layer behind a ReLU has positions before {before or 'the end'}; "
            "name another layer or unit"
        )
    return deepest


def preferred_layers(network: Network, picture: Array, layers: Iterable[str]) -> list[str]:
    """Return the names among `layers` that the network has and that fit the picture (*spatial, C),
    or the `deepest_layer` if there are none."""
    known = {step.name for step, _ in fields_that_fit(network, picture.shape[:-1])}
    return [name for name in layers if name in known] or [deepest_layer(network, picture)]


def likeliest_class(network: Network, picture: Array) -> Unit:
    """Return the Unit of the class with the highest score for a picture (*spatial, C). The network
    must have classes. Raise NonFiniteError if a score is not finite."""
    [likeliest] = predictions(network, picture, 1)
    return likeliest.unit


def most_distinctive(
    network: Network, layers: Sequence[str], picture: Array, others: Sequence[Array]
) -> list[Unit]:
    """Return for each layer the Unit of the channel whose mean activation in a picture exceeds its
    average over other pictures by the most.

    layers: their names
    picture: (*spatial, C)
    others: pictures of the same form and of about the same size, because activations depend on the
        scale

    Raises NonFiniteError if an activation is not finite.
    """
    means = [_mean_activations(network, layers, example) for example in (picture, *others)]
    units = []
    for layer in layers:
        mean, *of_others = (must_be_finite(layer, of_picture[layer]) for of_picture in means)
        channel = int((mean - np.mean(of_others, axis=0)).argmax())
        units.append(Unit(network.canonical(layer), channel))
    return units


def _mean_activations(network, layers, picture):
    """Return {layer: mean of each channel over the positions}."""
    activations = network.activations(picture[None], layers)
    return {
        layer: to_numpy(y[0].mean(axis=tuple(range(y.ndim - 2))))
        for layer, y in activations.items()
    }


def small_example(network: Network, path: typing.Path) -> Array:
    """Return the picture file `path`, (H, W, 3), as the network takes it, on the current device.

    Its longer side has at most SMALL pixels, or more if the shorter side would otherwise have fewer
    than LEAST. It is never enlarged. An .npy file is not resized.
    """
    longest = None
    if not is_array(path):
        shorter, longer = sorted(image_size(path))
        longest = max(SMALL, -(-LEAST * longer // shorter))
    return to_device(read_for(network, path, longest), current_device())
