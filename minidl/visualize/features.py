"""Activation maps show the activations of the channels of a layer as pictures."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minidl.backend import current_device, to_device, to_numpy
from minidl.errors import ArgumentError, one_of
from minidl.grids import grid
from minidl.typing import Array, Shape
from minidl.visualize.classes import Prediction, predictions
from minidl.visualize.drawing import percent, short
from minidl.visualize.drawing.heat import as_picture, sized
from minidl.visualize.network import Network, must_be_finite
from minidl.visualize.receptive_fields import Field, fields_that_fit, receptive_fields

SCALES = {
    "map": "each map is scaled separately: black is 0, cream is its largest number",
    "layer": (
        "all maps of a layer are scaled together: black is 0, "
        "cream is the largest number of the layer"
    ),
}
NEGATIVE = "; negative numbers are blue"
SIDE = 144  # pixels: the longer side of a map in the grid
COLUMNS = 32  # numbers in a row of the map of a layer without positions
BEST = 5  # classes that are named


class Maps(NamedTuple):
    """The strongest channels of a layer.

    maps: (n, *spatial), the activations of these channels, the strongest channel first; for a layer
        without positions one map of all its numbers, COLUMNS in a row
    channels: (n,), the indices of the channels; None for a layer without positions
    top: (n,), the absolute value of each map that is drawn lightest
    shape: shape of the activations of the whole layer
    field: receptive fields of the layer
    best: of the scores of classes, the likeliest ones; of another layer, none
    """

    layer: str
    maps: np.ndarray
    channels: np.ndarray | None
    top: np.ndarray
    shape: Shape
    field: Field
    best: Sequence[Prediction] = ()

    @property
    def label(self) -> str:
        """The layer's name, its shape and the size of its receptive fields, in three lines."""
        shape, size = ("x".join(map(str, lengths)) for lengths in (self.shape, self.field.size))
        return f"{self.layer}\n{shape}\nfield {size or 'all'}"

    def captions(self) -> list[str]:
        """Return the text below each map: the channel and the range of its numbers."""
        if self.channels is None:
            best = "".join(f"\n{found.name} {percent(found.probability)}" for found in self.best)
            return [f"all {self.shape[-1]:,} numbers\n{_range(self.maps)}{best}"]
        return [
            f"channel {channel}\n{_range(values)}"
            for channel, values in zip(self.channels, self.maps, strict=True)
        ]

    def pictures(self) -> list[np.ndarray]:
        """Return each map as a picture (h, w, 3), 0..255, as `as_picture` draws it."""
        return [
            as_picture(values, top, SIDE) for values, top in zip(self.maps, self.top, strict=True)
        ]


def default_layers(network: Network, extent: Sequence[int]) -> list[str]:
    """Return the name of the last ReLU of each spatial size that the layers have. extent: the
    spatial size of the picture, such as (H, W)."""
    last = {}
    for step, field in fields_that_fit(network, extent):
        if field.out and step.layer is None:
            last[field.out] = step.name
    return list(last.values())


def features(
    network: Network,
    example: Array,
    layers: Sequence[str] | None = None,
    channels: int = 8,
    scale: str = "map",
) -> tuple[list[Maps], dict[str, np.ndarray]]:
    """Return the Maps of each layer, and the activations of all its channels by the layer's name.

    example: (*spatial, C); pictures are RGB, 0..255
    layers: names in any order; by default `default_layers`
    channels: how many channels of each layer: those with the largest mean |activation|, in
        descending order; equal channels stay in their order
    scale: "map" scales each map separately, "layer" all maps of a layer together

    Raises ArgumentError for an unknown scale or layer or less than 1 channel, ShapeError if the
    example is too small for a layer, and NonFiniteError if an activation is not finite.
    """
    one_of("scale", scale, SCALES)
    if channels < 1:
        raise ArgumentError(f"the number of channels of a layer is {channels}; wanted at least 1")
    extent = example.shape[:-1]
    layers = layers or default_layers(network, extent)
    fields = receptive_fields(network, extent, layers)
    batch = to_device(example, current_device())[None]
    activations = {
        name: must_be_finite(name, to_numpy(y)[0])
        for name, y in network.activations(batch, layers).items()
    }
    maps = [_maps(name, y, fields[name], channels, scale) for name, y in activations.items()]
    if network.classes:
        last = network.steps[-1].name
        maps = [
            of_layer._replace(best=predictions(network, batch[0], BEST))
            if network.canonical(of_layer.layer) == last
            else of_layer
            for of_layer in maps
        ]
    return maps, activations


def _maps(layer, activations, field, count, scale):
    if activations.ndim == 1:
        width = min(COLUMNS, len(activations))
        padded = np.pad(activations, (0, -len(activations) % width))
        maps, channels = padded.reshape(1, -1, width), None
    else:
        strengths = abs(activations).mean(axis=tuple(range(activations.ndim - 1)), dtype=np.float64)
        channels = np.argsort(-strengths, kind="stable")[:count]
        maps = np.moveaxis(activations[..., channels], -1, 0)
    largest = abs(maps).reshape(len(maps), -1).max(axis=1)
    top = largest if scale == "map" else np.full(len(maps), abs(activations).max())
    return Maps(layer, maps, channels, top, activations.shape, field)


def figure(example: np.ndarray, name: str, maps: Sequence[Maps], scale: str) -> np.ndarray:
    """Return a labelled grid (H, W, 3), 0..255: the example in the first row, and the maps of each
    layer in a row below it. name: of the example; scale: as for `features`."""
    has_negative = any((layer.maps < 0).any() for layer in maps)
    title = (
        f"{name}: the channels with the largest mean |activation|; "
        f"{SCALES[scale]}{NEGATIVE if has_negative else ''}"
    )
    return grid(
        rows=[[_example(example)], *(layer.pictures() for layer in maps)],
        captions=[[None], *(layer.captions() for layer in maps)],
        labels=["x".join(map(str, example.shape)), *(layer.label for layer in maps)],
        title=title,
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
