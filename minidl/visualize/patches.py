"""This file finds the patches of pictures that activate a unit most, and the parts of each patch
that activate it (Zeiler & Fergus 2014, "Visualizing and Understanding Convolutional Networks",
figure 2).

The patch is the receptive field of the unit at one position. The parts are shown by the gradient of
this one activation, ∂y[position, channel]/∂x, with one of the rules of rectifiers.py for the
gradient of a ReLU. The rule "deconvnet" gives the deconvolution of Zeiler and Fergus: their
transposed kernels and their switches are the gradients of convolution and of max-pooling.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from minidl import ops
from minidl.backend import current_device, to_device, to_numpy
from minidl.errors import one_of
from minidl.grids import PAPER, grid
from minidl.typing import Shape
from minidl.visualize.albums import Album
from minidl.visualize.drawing import short
from minidl.visualize.drawing.frames import HATCHED, frames, in_frame
from minidl.visualize.drawing.shades import shares
from minidl.visualize.network import Network
from minidl.visualize.receptive_fields import Field, Slices, receptive_fields
from minidl.visualize.rectifiers import RECTIFIERS
from minidl.visualize.scalars import value_and_gradient
from minidl.visualize.strongest import Hit, Strongest
from minidl.visualize.units import Unit

SIDE, BETWEEN = 64, 3  # pixels: side of a patch in the figure, and distance between two
PER_SIDE = 3  # patches in a row of a unit
PAIRS = 3  # units in a row of the figure
WORDS = {"gradient": "gradient", "deconvnet": "deconvolution", "guided": "guided gradient"}
SCALED = "each scaled separately (grey is 0, the largest 1 % are clipped)"


class Patch(NamedTuple):
    """One patch that activates a unit.

    picture: (h, w, 3), 0..255, the receptive field
    gradient: (h, w, 3), of the activation
    place: the slices of the patch in the whole picture
    """

    hit: Hit
    picture: np.ndarray
    gradient: np.ndarray
    place: Slices


def choose_units(by_layer: Mapping[str, Strongest], per_layer: int) -> list[Unit]:
    """Return the `most_selective` Units, `per_layer` of each layer.

    by_layer: as `strongest` returns it
    """
    return [
        Unit(layer, channel)
        for layer, search in by_layer.items()
        for channel in search.most_selective(per_layer)
    ]


def patches(
    network: Network, album: Album, unit: Unit, hits: Iterable[Hit], backward: str = "deconvnet"
) -> list[Patch]:
    """Return a Patch for each Hit of a Unit in an album.

    backward: the rule for the gradient of a ReLU, a key of RECTIFIERS

    Raises ArgumentError for an unknown rule, and FileError if a file has become unreadable.
    """
    one_of("backward", backward, RECTIFIERS)
    result = []
    for hit in hits:
        number, part = hit.picture
        picture = album.read(number)[part]
        field = receptive_fields(network, picture.shape[:-1], [unit.layer])[unit.layer]
        place = field.seen(hit.position)
        around = field.around(hit.position)
        gradient = activation_gradient(network, unit, picture, around, backward)
        result.append(Patch(hit, picture[place], gradient[place], place))
    return result


def activation_gradient(
    network: Network,
    unit: Unit,
    picture: np.ndarray,
    around: tuple[Slices, Shape],
    backward: str = "deconvnet",
) -> np.ndarray:
    """Return the gradient (*spatial, C) of a unit's activation at one position with respect to a
    picture (*spatial, C).

    around: `Field.around` of the position; only this part of the picture is computed, because the
        gradient of all other pixels is 0
    backward: the rule for the gradient of a ReLU, a key of RECTIFIERS
    """
    part, position = around

    def activation(pictures, rectifier=ops.relu):
        y = network.activations(pictures, [unit.layer], rectifier)[unit.layer]
        return y[(0, *position, unit.channel)]

    batch = to_device(picture[part][None], current_device())
    _, gradients = value_and_gradient(activation, batch, RECTIFIERS[backward])
    gradient = np.zeros_like(picture)
    gradient[part] = to_numpy(gradients)[0]
    return gradient


def figure(
    network: Network,
    units: Mapping[Unit, Sequence[Patch]],
    fields: Mapping[str, Field],
    title: str,
    backward: str,
) -> np.ndarray:
    """Return a labelled grid (H, W, 3), 0..255: the units of each layer in rows of PAIRS, each unit
    as a square of its patches and a square of their gradients.

    units: the patches of each unit; units without patches are left out
    fields: receptive fields by the layer's name
    title: the line above the grid
    backward: the rule for the gradient of a ReLU, a key of RECTIFIERS
    """
    rows, captions, labels, hatched = [], [], [], ""
    for layer in dict.fromkeys(unit.layer for unit in units):
        of_layer = [(unit, own) for unit, own in units.items() if unit.layer == layer and own]
        field = fields[layer]
        drawn = [patch for _, own in of_layer for patch in own]
        of_drawn = frames(field, [patch.hit.position for patch in drawn])
        if any(frame.cuts(patch.place) for frame, patch in zip(of_drawn, drawn, strict=True)):
            hatched = f"; {HATCHED}"
        framed = iter(of_drawn)
        for begin in range(0, len(of_layer), PAIRS):
            in_row = of_layer[begin : begin + PAIRS]
            rows.append([picture for _, own in in_row for picture in _pair(own, framed)])
            captions.append(
                [text for unit, own in in_row for text in _captions(network, unit, own, backward)]
            )
            size = "x".join(map(str, field.size)) or "all"
            labels.append(None if begin else f"{layer}\nfield {size}")
    return grid(rows, captions, labels, title=title + hatched, side=1)


def _captions(network, unit, own, backward):
    name = network.class_name(unit) or f"channel {unit.channel}"
    strongest, weakest = short(own[0].hit.value), short(own[-1].hit.value)
    return f"{name}: {strongest} to {weakest}", f"its {WORDS[backward]}"


def _pair(own, framed):
    """Return the patches of a unit as one picture, and their gradients as another.

    framed: iterator over the Frames of the patches
    """
    pictures, gradients = [], []
    for patch in own:
        frame = next(framed)
        pictures.append(in_frame(patch.picture, patch.place, frame, SIDE))
        gradients.append(in_frame(scaled(patch.gradient), patch.place, frame, SIDE))
    return _square(pictures), _square(gradients)


def scaled(gradient: np.ndarray) -> np.ndarray:
    """Return a gradient as pixels 0..255, in which 0 is grey. The largest absolute values are
    clipped (`shares`)."""
    share, _ = shares(gradient)
    return 127.5 * (1 + share)


def _square(cells):
    """Return pictures of one size as one picture, in rows of PER_SIDE."""
    height, width = (length + BETWEEN for length in cells[0].shape[:2])
    canvas = _empty(-(-len(cells) // PER_SIDE) * height - BETWEEN, PER_SIDE * width - BETWEEN)
    for number, cell in enumerate(cells):
        y, x = number // PER_SIDE * height, number % PER_SIDE * width
        canvas[y : y + cell.shape[0], x : x + cell.shape[1]] = cell
    return canvas


def _empty(height, width):
    return np.broadcast_to(np.array(PAPER, np.float32), (height, width, 3)).copy()
