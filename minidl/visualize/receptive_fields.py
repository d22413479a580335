"""Receptive fields: the part of a picture that a position of a layer depends on.

Along one axis, position o of a layer whose windows have reach r, stride s and padding p reads r
adjacent positions of the layer below, from  o·s - p  on (shapes.py). If position i of the layer
below depends on n pixels from  i·S + O  on, then position o depends on

    n + (r - 1) S  pixels  from  o·(S s) + (O - p S)  on

(Araujo, Norris & Sim 2019, "Computing Receptive Fields of Convolutional Neural Networks", Distill).

The formula holds for a picture without borders. In a finite picture the field ends at the border,
and it can be smaller still: a pooling can leave out the last row, and dilated windows skip pixels.
`Field.seen` therefore walks from the position down to the picture and collects, axis by axis, the
positions that each window reads.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from minidl.errors import ShapeError
from minidl.layers import Flatten
from minidl.shapes import Windows
from minidl.typing import Shape
from minidl.visualize.network import Network, Step

Slices = tuple[slice, ...]


class Field(NamedTuple):
    """The receptive fields of the positions of a layer, one entry per axis.

    size: the number of pixels that a position depends on, in a picture without borders
    stride: the distance in pixels between the fields of two adjacent positions
    offset: the first pixel of the field of position 0; negative if it is in the padding
    extent: the spatial size of the picture
    out: the spatial size of the layer
    windows: the windows of all layers from the picture up to this one

    size, stride, offset and out are () for a layer without positions, such as a dense layer.
    """

    size: Shape
    stride: Shape
    offset: Shape
    extent: Shape
    out: Shape
    windows: tuple[Windows, ...] = ()

    def seen(self, position: Sequence[int] = ()) -> Slices:
        """Return slices of the picture, one per axis, from the first to the last pixel that a
        position of the layer depends on; () stands for the whole layer.

        >>> from minidl.shapes import windows_over
        >>> Field((), (), (), (5,), (2,), (windows_over((5,), 2, stride=2),)).seen((1,))
        (slice(2, 4, None),)
        """
        slices = []
        for axis, length in enumerate(self.extent):
            below = self.windows[-1].out[axis] if self.windows else length
            positions = {position[axis]} if position else set(range(below))
            for windows in reversed(self.windows):
                positions = _read(windows, axis, positions)
            slices.append(slice(min(positions, default=0), max(positions, default=-1) + 1))
        return tuple(slices)

    def around(self, position: Sequence[int] = ()) -> tuple[Slices, Shape]:
        """Return a part of the picture that gives the same number at a position as the whole
        picture, and that position in the layer's map of the part.

        The part contains `seen`, so that the padding at its ends replaces no pixel that is read.
        Only whole strides are left out at each end, so that all windows keep their places.
        """
        if not position:
            return tuple(slice(0, length) for length in self.extent), ()
        part, position_in_part = [], []
        for seen, o, length, stride in zip(
            self.seen(position), position, self.extent, self.stride, strict=True
        ):
            before, after = seen.start // stride, (length - seen.stop) // stride  # in strides
            part.append(slice(before * stride, length - after * stride))
            position_in_part.append(o - before)
        return tuple(part), tuple(position_in_part)


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
        if isinstance(step.layer, Flatten):
            field = field._replace(size=(), stride=(), offset=(), out=())
        elif hasattr(step.layer, "windows"):
            field = _above(field, step.layer.windows(field.out))
        yield step, field


def _above(field, windows):
    """Return the Field of a layer whose windows read the layer of `field`."""
    axes = range(len(field.out))
    n, S, P = field.size, field.stride, field.offset
    r, s, p = windows.reach, windows.stride, windows.before
    return Field(
        size=tuple(n[axis] + (r[axis] - 1) * S[axis] for axis in axes),
        stride=tuple(S[axis] * s[axis] for axis in axes),
        offset=tuple(P[axis] - p[axis] * S[axis] for axis in axes),
        extent=field.extent,
        out=windows.out,
        windows=(*field.windows, windows),
    )


def _read(windows, axis, outputs):
    """Return the positions of the input that these outputs read, along one axis."""
    stride, dilation, taps = windows.stride[axis], windows.dilation[axis], windows.size[axis]
    first = (o * stride - windows.before[axis] for o in outputs)
    return {
        i
        for start in first
        for i in range(start, start + dilation * taps, dilation)
        if 0 <= i < windows.extent[axis]
    }
