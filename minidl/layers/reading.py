"""Which positions of its input each output of a layer reads, and the receptive fields that follow.

Along an axis, output o of a convolution reads the positions o·s + t·d - p (shapes.py). Layers that
enlarge their input read between its positions. Imagine m - 1 empty positions between each two of
its own, which are then the multiples of m. Output o reads those of the positions

    o·s + t·d - p,      t = 0, 1, .., k - 1

that are multiples of m. A transposed convolution of stride m has s = 1. Adaptive pooling of L
positions to S has s = L and m = S, both divided by their greatest common divisor.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, gcd
from typing import Any

from minidl.ops.padding import source
from minidl.shapes import Windows
from minidl.typing import Shape


@dataclass(frozen=True)
class Reading:
    """The positions that the outputs of a layer read. Each field of ints has one for each axis.

    extent, out: lengths of the input and of the output. taps, stride, dilation, before, spread: k,
    s, d, p and m above. mode: what is read beyond the input, as for `ops.pad`. is_local: whether a
    part of the input gives the same outputs as the whole, but for those at the ends of the part.
    """

    extent: Shape
    out: Shape
    taps: Shape
    stride: Shape
    dilation: Shape
    before: Shape
    spread: Shape
    mode: str = "constant"
    is_local: bool = True

    def positions(self, axis: int, outputs: Iterable[int]) -> set[int]:
        """Return the positions of the input that these outputs read along an axis.

        >>> from minidl.shapes import windows_over
        >>> reading_over(windows_over((5,), 3, padding=1)).positions(0, {0, 3})
        {0, 1, 2, 3, 4}
        """
        k, s, d, p, m, length = (
            lengths[axis]
            for lengths in (
                self.taps, self.stride, self.dilation, self.before, self.spread, self.extent
            )
        )  # fmt: skip
        read = set()
        for first in (o * s - p for o in outputs):
            step = d if d > 1 else m
            start = first if d > 1 else first + -first % m
            read |= {i // m for i in range(start, first + d * (k - 1) + 1, step) if i % m == 0}
        inside = {q for q in read if 0 <= q < length}
        if self.mode != "constant":
            inside |= {source(q, length, self.mode) for q in read - inside}
        return inside

    @property
    def grain(self) -> Shape:
        """Cutting off a multiple of so many positions of the input removes whole outputs."""
        return tuple(s // gcd(s, m) for s, m in zip(self.stride, self.spread, strict=True))

    def fields(self, sizes: Sequence[int], steps: Sequence[Any]) -> tuple[Shape, tuple[Any, ...]]:
        """Return (sizes, steps) of the receptive fields of the outputs along each axis, from those
        of the input. size: the number of pixels of a field. step: the distance in pixels of
        adjacent fields, which may be a Fraction.

        An output reads at most 1 + ⌊d (k - 1) / m⌋ positions. If outputs read different numbers of
        pixels, the size is the largest.
        """
        reach = zip(self.taps, self.dilation, self.spread, strict=True)
        more = [d * (k - 1) // m for k, d, m in reach]
        own = zip(self.stride, self.spread, strict=True)
        return (
            tuple(n + ceil(q * step) for n, q, step in zip(sizes, more, steps, strict=True)),
            tuple(whole(Fraction(step) * s / m) for step, (s, m) in zip(steps, own, strict=True)),
        )


def whole(number: Fraction) -> int | Fraction:
    """Return a Fraction as an int, if it is one."""
    return number.numerator if number.denominator == 1 else number


def reading_over(windows: Windows, mode: str = "constant") -> Reading:
    """Return the Reading of windows. mode: as for `Reading`; what is mirrored or repeated depends
    on where the input ends."""
    spread, is_local = (1,) * len(windows.extent), mode in ("constant", "replicate")
    geometry = windows.size, windows.stride, windows.dilation, windows.before, spread
    return Reading(windows.extent, windows.out, *geometry, mode, is_local)


def reading_onto(windows: Windows) -> Reading:
    """Return the Reading of a transposed convolution, of the windows over its output. Output i is
    added to by the inputs o with i = o·m + t·d - before, so that o·m = i + before - t·d."""
    before = tuple(r - 1 - b for r, b in zip(windows.reach, windows.before, strict=True))
    ones = (1,) * len(before)
    geometry = windows.size, ones, windows.dilation, before, windows.stride
    return Reading(windows.out, windows.extent, *geometry)


def reading_of(layer: Any, extent: Shape) -> Reading | None:
    """Return the Reading of a layer for an input of these lengths along the spatial axes, or None
    if each output reads the same position of the input."""
    if hasattr(layer, "reading"):
        return layer.reading(extent)
    return reading_over(layer.windows(extent)) if hasattr(layer, "windows") else None
