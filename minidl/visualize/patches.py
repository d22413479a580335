"""What excites a unit: the patches of pictures where it fires most strongly, and what in them makes
it fire (Zeiler & Fergus 2014, "Visualizing and Understanding Convolutional Networks", figure 2).

Beside each patch stands the way back from that one activation to the picture, by one of the rules
of rectifiers.py:

    dx = ∂y[position, channel]/∂x, or what takes the derivative's place where a ReLU's way back is
    another

"deconvnet" is their deconvolution: it goes back through max-pooling to where the maximum was, and
transposes the kernels.
"""

from typing import NamedTuple

import numpy as np

from minidl.autograd import Tensor
from minidl.backend import array_module, current_device, to_device, to_numpy
from minidl.errors import one_of
from minidl.visualize.drawing.grids import PAPER, grid
from minidl.visualize.drawing.heat import sized
from minidl.visualize.drawing.words import short
from minidl.visualize.receptive_fields import receptive_fields
from minidl.visualize.rectifiers import RECTIFIERS
from minidl.visualize.strongest import Hit
from minidl.visualize.units import Unit

SIDE, BETWEEN = 64, 3  # pixels: of a patch in the figure, and between two
PAIRS = 3  # units beside each other
PERCENTILE = 99  # of the sizes of a way back: a few sharp peaks shall not leave all the rest grey
WORDS = {"gradient": "gradient", "deconvnet": "deconvolution", "guided": "guided gradient"}
SCALED = "each scaled alone, grey is 0, the largest 1 % cut off"


class Patch(NamedTuple):
    """picture, back: (h, w, 3), the part that the unit sees, of the picture (0..255) and of the way
    back to it (any numbers); place: the slices that they are of the picture."""

    hit: Hit
    picture: np.ndarray
    back: np.ndarray
    place: tuple


def choose_units(found, per_layer):
    """[Unit] of {layer: Strongest}: of each layer the `choosiest`"""
    return [
        Unit(layer, channel)
        for layer, each in found.items()
        for channel in each.choosiest(per_layer)
    ]


def patches(network, album, unit, hits, backward="deconvnet"):
    """A Patch for each Hit of a Unit in an album (albums.py), cropped by the exact receptive field,
    which ends at the border. backward: one of RECTIFIERS."""
    one_of("backward", backward, RECTIFIERS)
    found = []
    for hit in hits:
        number, part = hit.picture
        picture = album.read(number)[part]
        field = receptive_fields(network, picture.shape[:-1], [unit.layer])[unit.layer]
        place = field.seen(hit.position)
        back = way_back(network, unit, picture, field.around(hit.position), backward)
        found.append(Patch(hit, picture[place], back[place], place))
    return found


def way_back(network, unit, picture, around, backward="deconvnet"):
    """(*spatial, C) -> (*spatial, C): from the unit at one position back to the picture. around: of
    that position, as `Field.around` gives it: only that part of the picture is computed; no other
    has a share."""
    part, position = around
    x = Tensor(to_device(picture[part][None], current_device()), requires_grad=True)
    y = network.activations(x, [unit.layer], RECTIFIERS[backward])[unit.layer]
    dy = array_module(y.data).zeros_like(y.data)
    dy[(0, *position, unit.channel)] = 1
    y.backward(dy, release=True)
    back = np.zeros_like(picture)
    back[part] = to_numpy(x.grad)[0]
    return back


def figure(network, units, fields, title, backward):
    """A labelled grid (H, W, 3), 0..255: a row for each layer, and for each unit its patches, three
    beside each other, and then their ways back. units: {Unit: [Patch]}, of which those without are
    left out; fields: {layer: its Field}."""
    rows, captions, labels = [], [], []
    for layer in dict.fromkeys(unit.layer for unit in units):
        of_layer = [(unit, found) for unit, found in units.items() if unit.layer == layer and found]
        for begin in range(0, len(of_layer), PAIRS):
            some = of_layer[begin : begin + PAIRS]
            rows.append([picture for _, found in some for picture in _pair(found, fields[layer])])
            captions.append(
                [text for unit, found in some for text in _captions(network, unit, found, backward)]
            )
            seen = "x".join(map(str, fields[layer].size)) or "all"
            labels.append(None if begin else f"{layer}\nsees {seen}")
    return grid(rows, captions, labels, title=title, side=1)


def _captions(network, unit, found, backward):
    name = network.class_name(unit) or f"channel {unit.channel}"
    return (
        f"{name}: {short(found[0].hit.value)} to {short(found[-1].hit.value)}",
        f"its {WORDS[backward]}",
    )


def _pair(found, field):
    """Two squares of nine: the patches, and the ways back"""
    size = [
        min(n, length) for n, length in zip(field.size or field.extent, field.extent, strict=True)
    ]
    return _square([patch.picture for patch in found], size), _square(
        [scaled(patch.back) for patch in found], size
    )


def scaled(back):
    """Any numbers -> 0..255, grey for 0"""
    top = np.percentile(abs(back), PERCENTILE) or abs(back).max() or 1
    return 127.5 * (1 + np.clip(back / top, -1, 1))


def _square(parts, size):
    """Rows of three; what the border has cut off is left empty"""
    cells = []
    for part in parts:
        whole = np.empty((*size, 3), np.float32)
        whole[...] = PAPER
        top, left = ((length - n) // 2 for length, n in zip(size, part.shape, strict=False))
        whole[top : top + part.shape[0], left : left + part.shape[1]] = part
        cells.append(sized(whole, SIDE))
    height, width = cells[0].shape[:2]
    rows = -(-len(cells) // 3)
    canvas = np.empty(
        (rows * (height + BETWEEN) - BETWEEN, 3 * (width + BETWEEN) - BETWEEN, 3), np.float32
    )
    canvas[...] = PAPER
    for number, cell in enumerate(cells):
        y, x = (number // 3) * (height + BETWEEN), (number % 3) * (width + BETWEEN)
        canvas[y : y + height, x : x + width] = cell
    return canvas
