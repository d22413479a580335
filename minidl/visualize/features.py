"""Activation maps: what the channels of a layer make of a picture, a signal or a volume."""

from typing import NamedTuple

import numpy as np

from minidl.backend import current_device, to_device, to_numpy
from minidl.errors import ArgumentError, one_of
from minidl.visualize.drawing.grids import grid
from minidl.visualize.drawing.heat import as_picture, sized
from minidl.visualize.drawing.words import short
from minidl.visualize.network import must_be_finite
from minidl.visualize.receptive_fields import receptive_fields, with_room

SCALES = {
    "map": "each map is scaled alone: black is 0, cream its largest number",
    "layer": "all maps of a layer are scaled together: black is 0, cream the largest number of the layer",
}
NEGATIVE = "; what is negative is blue"
SIDE = 144  # pixels: the longer side of a map in the grid
FOLDED = 32  # numbers in a row of a layer without positions


class Maps(NamedTuple):
    """Of one layer, the strongest channels first. maps: (n, *spatial), of these channels; a layer
    without positions is one map of all its numbers, in rows of 32; channels: (n,), or None then;
    top: (n,), the number that is drawn in cream; shape: of the whole layer; field: its Field."""

    layer: str
    maps: np.ndarray
    channels: np.ndarray | None
    top: np.ndarray
    shape: tuple
    field: tuple

    @property
    def label(self):
        shape, seen = ("x".join(map(str, lengths)) for lengths in (self.shape, self.field.size))
        return f"{self.layer}\n{shape}\nsees {seen or 'all'}"

    def captions(self):
        if self.channels is None:
            return [f"all {self.shape[-1]:,} numbers\n{_range(self.maps)}"]
        return [
            f"channel {channel}\n{_range(values)}"
            for channel, values in zip(self.channels, self.maps, strict=True)
        ]

    def pictures(self, longest=SIDE):
        """[(h, w, 3)], 0..255, as `as_picture` draws them"""
        return [
            as_picture(values, top, longest)
            for values, top in zip(self.maps, self.top, strict=True)
        ]


def default_layers(network, extent):
    """Of each size that layers have, the last one behind a ReLU; extent: of the picture, such as
    (H, W)"""
    last = {}
    for step, (name, field) in zip(network.steps, with_room(network, extent), strict=False):
        if field.out and step.layer is None:
            last[field.out] = name
    return list(last.values())


def features(network, example, layers=None, channels=8, scale="map"):
    """([Maps], {layer: its activations, whole}) of one example

    example: (*spatial, C), a picture RGB, 0..255; layers: by name, in any order, by default
    `default_layers`; channels: how many of each, those with the largest mean |activation| first, of
    equals the earlier; scale: one of SCALES.
    """
    one_of("scale", scale, SCALES)
    if channels < 1:
        raise ArgumentError(f"{channels} channels of a layer are wanted; wanted at least 1")
    extent = example.shape[:-1]
    layers = layers or default_layers(network, extent)
    fields = receptive_fields(network, extent, layers)
    activations = network.activations(to_device(example, current_device())[None], layers)
    found = {name: must_be_finite(name, to_numpy(y)[0]) for name, y in activations.items()}
    return [_maps(name, y, fields[name], channels, scale) for name, y in found.items()], found


def _maps(layer, activations, field, count, scale):
    if activations.ndim == 1:
        width = min(FOLDED, len(activations))
        maps, channels = (
            np.pad(activations, (0, -len(activations) % width)).reshape(1, -1, width),
            None,
        )
    else:
        strengths = abs(activations).mean(axis=tuple(range(activations.ndim - 1)), dtype=np.float64)
        channels = np.argsort(-strengths, kind="stable")[:count]
        maps = np.moveaxis(activations[..., channels], -1, 0)
    sizes = abs(maps).reshape(len(maps), -1).max(axis=1)
    top = sizes if scale == "map" else np.full(len(maps), abs(activations).max())
    return Maps(layer, maps, channels, top, activations.shape, field)


def figure(example, name, found, scale):
    """A labelled grid (H, W, 3), 0..255: the example, and below it a row for each layer. name: of
    the example; found: [Maps]"""
    has_negative = any((each.maps < 0).any() for each in found)
    words = f"{name}: the channels with the largest mean |activation|; {SCALES[scale]}{NEGATIVE if has_negative else ''}"
    rows = [[_example(example)], *(each.pictures() for each in found)]
    captions = [[None], *(each.captions() for each in found)]
    return grid(
        rows,
        captions,
        labels=["x".join(map(str, example.shape)), *(each.label for each in found)],
        title=words,
        side=SIDE,
    )


def _range(values):
    """
    >>> _range(np.array([-0.25, 1234.5]))
    '-0.25 to 1,234'
    """
    return f"{short(values.min())} to {short(values.max())}"


def _example(example):
    if example.ndim == 3 and example.shape[-1] == 3:
        return sized(example, SIDE)
    numbers = example[..., 0]
    return as_picture(numbers, abs(numbers).max(), SIDE)
