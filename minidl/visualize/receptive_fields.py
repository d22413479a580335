"""Receptive fields: which part of a picture a position of a layer sees.

Along one axis: a window of reach r that reads the positions from  o·s - p  on (shapes.py), on top
of a layer whose position i sees n pixels from  i·S + O  on, sees

    n + (r - 1) S  pixels  from  o·(S s) + (O - p S)  on

(Araujo, Norris & Sim 2019, "Computing Receptive Fields of Convolutional Neural Networks", Distill).
That is what a position would see of a picture without end. What it does see ends at the border, and
can end before: where a pooling leaves out the last row, no position above it sees that row, and
dilated windows skip pixels. So `seen` does not cut the formula off: it walks from the position down
to the picture and gathers, axis by axis, what each window reads there.
"""

from typing import NamedTuple

from minidl.errors import ShapeError
from minidl.layers import Flatten


class Field(NamedTuple):
    """Of the positions of a layer, one entry per axis: how many pixels one sees where no border
    cuts that off, by how many pixels the next one's are further on, and the first pixel of position
    0, negative before the picture. All three are () for dense layers, which have no positions and
    see all that their input sees.

    extent: of the picture; out: of the layer, () without positions; windows: of the layers from the
    picture up to it.
    """

    size: tuple
    stride: tuple
    offset: tuple
    extent: tuple
    out: tuple
    windows: tuple = ()

    def seen(self, position=()):
        """Slices of the picture, one per axis: from the first to the last pixel that the number at
        this position depends on.

        >>> from minidl.shapes import windows_over
        >>> Field((), (), (), (5,), (2,), (windows_over((5,), 2, stride=2),)).seen((1,))
        (slice(2, 4, None),)
        """
        ends = []
        for axis, length in enumerate(self.extent):
            below = self.windows[-1].out[axis] if self.windows else length
            places = {position[axis]} if position else set(range(below))
            for windows in reversed(self.windows):
                places = _read(windows, axis, places)
            ends.append(slice(min(places, default=0), max(places, default=-1) + 1))
        return tuple(ends)

    def around(self, position=()):
        """(slices of the picture, the position in the layer's map of that part alone): a part in
        which the network makes the same number of the same pixels as in the whole picture. It holds
        what is `seen`, begins and ends whole strides from the picture's ends, so that all windows
        fall as they do there, and no seen pixel has another border near than its own.
        """
        if not position:
            return tuple(slice(0, length) for length in self.extent), ()
        part, within = [], []
        for place, o, length, stride in zip(
            self.seen(position), position, self.extent, self.stride, strict=True
        ):
            # strides that are left out
            before, after = place.start // stride, (length - place.stop) // stride
            part.append(slice(before * stride, length - after * stride))
            within.append(o - before)
        return tuple(part), tuple(within)


def receptive_fields(network, extent, layers=None):
    """{name: Field} of some layers of a Network, by the names that were asked for, or of all its
    steps. extent: of the picture, such as (H, W). Nothing is computed but lengths.

    Raises ArgumentError for an unknown name, ShapeError where the picture is too small for a layer
    that was asked for.
    """
    names = {
        name: network.canonical(name) for name in layers or [step.name for step in network.steps]
    }
    found, fields = {}, _fields(network, tuple(extent))
    while not found.keys() >= set(names.values()):
        name, field = next(fields)
        found[name] = field
    return {name: found[known] for name, known in names.items()}


def with_room(network, extent):
    """(name, Field) of the steps that have room in such a picture, in order: it is too small for
    those that are left out"""
    try:
        yield from _fields(network, tuple(extent))
    except ShapeError:
        return


def _fields(network, extent):
    rank = len(extent)
    field = Field((1,) * rank, (1,) * rank, (0,) * rank, extent, extent)
    for name, layer in network.steps:
        if isinstance(layer, Flatten):
            field = field._replace(size=(), stride=(), offset=(), out=())
        elif hasattr(layer, "windows"):
            field = _above(field, layer.windows(field.out))
        yield name, field


def _above(field, windows):
    size, stride, offset = [], [], []
    for n, S, P, r, s, (p, _) in zip(
        field.size,
        field.stride,
        field.offset,
        windows.reach,
        windows.stride,
        windows.padding,
        strict=True,
    ):
        size.append(n + (r - 1) * S)
        stride.append(S * s)
        offset.append(P - p * S)
    return Field(
        tuple(size),
        tuple(stride),
        tuple(offset),
        field.extent,
        windows.out,
        (*field.windows, windows),
    )


def _read(windows, axis, outputs):
    """The positions of the input that these outputs read, along one axis"""
    stride, dilation, taps = windows.stride[axis], windows.dilation[axis], windows.size[axis]
    first = (o * stride - windows.padding[axis][0] for o in outputs)
    return {
        i
        for start in first
        for i in range(start, start + dilation * taps, dilation)
        if 0 <= i < windows.extent[axis]
    }
