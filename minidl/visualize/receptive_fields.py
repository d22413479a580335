"""Receptive fields: the part of a picture that a position of a layer depends on.

Along one axis, position o of a layer whose windows have reach r, stride s and padding p reads r
adjacent positions of the layer below, from  o·s - p  on (shapes.py). If position i of the layer
below depends on n pixels from  i·S + O  on, then position o depends on

    n + (r - 1) S  pixels  from  o·(S s) + (O - p S)  on

(Araujo, Norris & Sim 2019, "Computing Receptive Fields of Convolutional Neural Networks", Distill).
Layers that enlarge their input read between its positions; then S can be a fraction
(layers/reading.py).

The formula holds for a picture without borders. In a finite picture the field ends at the border,
and it can be smaller still: a pooling can leave out the last row, and dilated windows skip pixels.
`Field.seen` therefore walks from the position down to the picture and collects, axis by axis, the
positions that each layer reads.
"""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from math import floor, lcm
from typing import Any, NamedTuple

from minidl.errors import ShapeError
from minidl.layers import Flatten, GlobalAvgPool, GlobalMaxPool
from minidl.layers.reading import Reading, reading_of
from minidl.typing import Shape
from minidl.visualize.network import Network, Step

JOIN = Flatten, GlobalAvgPool, GlobalMaxPool  # layers whose output has no positions

Slices = tuple[slice, ...]


class Field(NamedTuple):
    """The receptive fields of the positions of a layer, one entry per axis.

    size: the number of pixels that a position depends on, in a picture without borders; the largest
        number, if it differs
    stride: the distance in pixels between the fields of two adjacent positions, an int or a
        Fraction
    offset: the first pixel of the field of position 0; negative if it is in the padding
    extent: the spatial size of the picture
    out: the spatial size of the layer
    readings: what all layers from the picture up to this one read

    size, stride, offset and out are () for a layer without positions, such as a dense layer.
    """

    size: Shape
    stride: tuple[Any, ...]
    offset: Shape
    extent: Shape
    out: Shape
    readings: tuple[Reading, ...] = ()

    def seen(self, position: Sequence[int] = ()) -> Slices:
        """Return slices of the picture, one per axis, from the first to the last pixel that a
        position of the layer depends on; () stands for the whole layer.

        >>> from minidl.layers.reading import reading_over
        >>> from minidl.shapes import windows_over
        >>> reading = reading_over(windows_over((5,), 2, stride=2))
        >>> Field((), (), (), (5,), (2,), (reading,)).seen((1,))
        (slice(2, 4, None),)
        """
        pixels = [[*self._levels(axis, position)][-1] for axis in range(len(self.extent))]
        return tuple(slice(min(i, default=0), max(i, default=-1) + 1) for i in pixels)

    def around(self, position: Sequence[int] = ()) -> tuple[Slices, Shape]:
        """Return a part of the picture that gives the same number at a position as the whole
        picture, and that position in the layer's map of the part.

        The part contains `seen`, and leads to the positions of each layer that the number depends
        on, so that the padding at its ends replaces no pixel that is read. At each end, only
        multiples of the `grain` of all layers are left out, so that all windows keep their places.
        It is the whole picture if the outputs of a layer depend on the length of its input.
        """
        if not position or not all(reading.is_local for reading in self.readings):
            return tuple(slice(0, length) for length in self.extent), tuple(position)
        part, position_in_part = [], []
        for axis, (o, length) in enumerate(zip(position, self.extent, strict=True)):
            strides, grain = self._strides(axis)
            before, after = length, length  # pixels that can be left out
            for positions, stride, out in zip(
                self._levels(axis, position), strides, self._lengths(axis), strict=True
            ):
                before = min(before, floor(min(positions, default=0) * stride))
                after = min(after, floor((out - 1 - max(positions, default=out - 1)) * stride))
            before -= before % grain
            part.append(slice(before, length - max(0, after - after % grain)))
            position_in_part.append(o - int(before / strides[0]))
        return tuple(part), tuple(position_in_part)

    def _levels(self, axis, position):
        """Yield the positions along an axis on which this one depends, from the layer down to the
        picture; () stands for all positions."""
        yield (positions := {position[axis]} if position else set(range(self._lengths(axis)[0])))
        for reading in reversed(self.readings):
            yield (positions := reading.positions(axis, positions))

    def _lengths(self, axis):
        """Return the lengths along an axis, from the layer down to the picture."""
        return [r.out[axis] for r in reversed(self.readings)] + [self.extent[axis]]

    def _strides(self, axis):
        """Return the distances in pixels of adjacent positions, from the layer down to the picture,
        and the least number of pixels whose multiples are whole grains of all layers."""
        strides, grains = [Fraction(1)], [1]
        for reading in self.readings:
            grains.append((strides[-1] * reading.grain[axis]).numerator)
            strides.append(strides[-1] * reading.stride[axis] / reading.spread[axis])
        return strides[::-1], lcm(*grains)


def receptive_fields(
    network: Network, extent: Sequence[int], layers: Iterable[str] | None = None
) -> dict[str, Field]:
    """Return the Fields of some layers by the names in `layers`, or of all steps of the network.
    Only shapes are computed.

    extent: the spatial size of the picture, such as (H, W)

    Raises ArgumentError for an unknown name, and ShapeError if the picture is too small for one of
    these layers.
    """
    names = {
        name: network.canonical(name) for name in layers or [step.name for step in network.steps]
    }
    by_step: dict[str, Field] = {}
    fields = _fields(network, tuple(extent))
    while not by_step.keys() >= set(names.values()):
        step, field = next(fields)
        by_step[step.name] = field
    return {name: by_step[step_name] for name, step_name in names.items()}


def fields_that_fit(network: Network, extent: Sequence[int]) -> Iterator[tuple[Step, Field]]:
    """Yield (Step, Field) of the steps in order, up to the first that the picture is too small
    for. extent: the spatial size of the picture."""
    try:
        yield from _fields(network, tuple(extent))
    except ShapeError:
        return


def _fields(network, extent):
    rank = len(extent)
    field = Field((1,) * rank, (1,) * rank, (0,) * rank, extent, extent)
    for step in network.steps:
        if isinstance(step.layer, JOIN) and not getattr(step.layer, "keepdims", False):
            field = field._replace(size=(), stride=(), offset=(), out=())
        elif field.out and (reading := reading_of(step.layer, field.out)):
            field = _above(field, reading)
        yield step, field


def _above(field, reading):
    """Return the Field of a layer that reads the layer of `field`."""
    size, stride = reading.fields(field.size, field.stride)
    first = zip(field.offset, reading.before, reading.spread, field.stride, strict=True)
    return Field(
        size=size,
        stride=stride,
        offset=tuple(floor(begin - p // m * S) for begin, p, m, S in first),
        extent=field.extent,
        out=reading.out,
        readings=(*field.readings, reading),
    )
