"""Shape arithmetic computes the positions of a window that slides over an array.

Along one axis, the input has length L and is padded with p0 positions before and p1 after. A window
has k taps at a distance of d, the dilation, and moves in steps of s, the stride. The number of its
positions is

    out = floor((L + p0 + p1 - d (k - 1) - 1) / s) + 1    (Dumoulin & Visin 2016, relationship 15)

Through tap t, output o reads the input at position o·s + t·d - p0. Convolution, pooling and their
gradients follow from these two formulas.
"""

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import ceil as round_up
from typing import Any

from minidl.backend import array_module
from minidl.errors import ArgumentError, ShapeError, brief
from minidl.typing import Array, Padding, PerAxis, Shape


@dataclass(frozen=True)
class Windows:
    """The windows over the spatial axes of an array. Each field has one entry for each axis.

    extent: length of the input. size: number of taps of the window. padding: (before, after).
    overhang: number of positions after the padding that the last window covers if the number of
    windows was rounded up (`ceil`). out: number of windows.
    """

    extent: Shape
    size: Shape
    stride: Shape
    dilation: Shape
    padding: tuple[tuple[int, int], ...]
    overhang: Shape
    out: Shape

    @property
    def taps(self) -> Iterator[Shape]:
        """All taps, in row-major order: (0, 0), (0, 1), ..."""
        return product(*map(range, self.size))

    def under(self, tap: Shape) -> tuple[slice, ...]:
        """Return the index of a padded array (N, *padded, C) for one tap. It selects the view
        (N, *out, C) of the numbers that the windows read through this tap."""
        return (
            slice(None),
            *(
                slice(t * d, t * d + (o - 1) * s + 1, s)
                for t, d, o, s in zip(tap, self.dilation, self.out, self.stride, strict=True)
            ),
        )

    def pad(self, x: Array, value: float = 0) -> Array:
        """(N, *extent, C) -> (N, *padded, C): x with its padding, in a new array"""
        padded = array_module(x).full((len(x), *self.padded, x.shape[-1]), value, x.dtype)
        padded[self.inside] = x
        return padded

    def unpad(self, padded: Array) -> Array:
        """(N, *padded, C) -> (N, *extent, C): the view without the padding, the adjoint of `pad`"""
        return padded[self.inside]

    def meeting(self, axis: int, tap: int) -> tuple[slice, slice]:
        """Return (slice of the outputs, slice of the input) along an axis for one tap.

        The first selects the outputs that read the input itself through this tap, and not padding.
        The second selects the positions that they read.

        >>> windows = windows_over((6,), 3, stride=2, padding=1)
        >>> windows.meeting(axis=0, tap=0)                       # outputs 1, 2 read positions 1, 3
        (slice(1, 3, None), slice(1, 4, 2))
        """
        length, s, out = self.extent[axis], self.stride[axis], self.out[axis]
        offset = tap * self.dilation[axis] - self.before[axis]
        first = max(0, -(offset // s))
        end = max(first, min(out, (length - 1 - offset) // s + 1))
        return slice(first, end), slice(first * s + offset, max(0, (end - 1) * s + offset + 1), s)

    def taps_inside(self, and_padding: bool = False) -> list[list[int]]:
        """Return for each axis how many taps of each window are in the input.

        and_padding: count taps in the padding too.

        >>> windows_over((4,), 3, padding=1).taps_inside()
        [[2, 3, 3, 2]]
        """
        counts = []
        for length, k, s, d, (before, after), n in zip(
            self.extent, self.size, self.stride, self.dilation, self.padding, self.out, strict=True
        ):
            begin, end = (-before, length + after) if and_padding else (0, length)
            counts.append(
                [sum(begin <= o * s + t * d - before < end for t in range(k)) for o in range(n)]
            )
        return counts

    @property
    def before(self) -> Shape:
        """The padding before the input."""
        return tuple(before for before, _ in self.padding)

    @property
    def reach(self) -> Shape:
        """The number of positions from the first tap of a window to its last, both included."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.size, self.dilation, strict=True))

    @property
    def padded(self) -> Shape:
        """The lengths of the input with its padding and overhang."""
        return tuple(
            before + length + after + over
            for length, (before, after), over in zip(
                self.extent, self.padding, self.overhang, strict=True
            )
        )

    @property
    def inside(self) -> tuple[slice, ...]:
        """The index of a padded array (N, *padded, C) that selects the input itself."""
        insides = (slice(b, b + n) for n, b in zip(self.extent, self.before, strict=True))
        return slice(None), *insides


def windows_over(
    extent: Shape,
    size: PerAxis,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    ceil: bool = False,
) -> Windows:
    """Return the windows of `size` taps over an array of lengths `extent`.

    size, stride, dilation: an int, or one per axis.

    padding: an int, one per axis, a (before, after) pair per axis, "valid" or "same". "valid" is no
    padding. "same" makes the number of windows ⌈L/s⌉ for a length L and a stride s. If it needs an
    odd number of positions, the additional one is after the input, as in Keras and TensorFlow.

    ceil: round the number of windows up instead of down, but omit a last window that would begin
    after the input, in the padding or beyond it, as in PyTorch. If the padded input is shorter than
    the window, but by less than the stride, there is one window.

    Raises ShapeError if no window fits, and ArgumentError for other values.

    >>> windows_over((14, 14), 5).out, windows_over((7,), 2, stride=2, ceil=True).out
    ((10, 10), (4,))
    """
    rank = len(extent)
    size = per_axis("window", size, rank, least=1)
    stride = per_axis("stride", stride, rank, least=1)
    dilation = per_axis("dilation", dilation, rank, least=1)
    reach = tuple(d * (k - 1) + 1 for k, d in zip(size, dilation, strict=True))
    pairs = _pairs(padding, extent, stride, reach)
    out, overhang = [], []
    for length, (before, after), step, width in zip(extent, pairs, stride, reach, strict=True):
        beyond_first = length + before + after - width  # positions beyond the first window
        if beyond_first < 0 and not (ceil and beyond_first + step > 0):
            raise ShapeError(
                f"a window that reaches over {_times(reach)} does not fit an input of "
                f"{_times(extent)} with padding {_in_words(pairs)}; enlarge the input, or use a "
                "smaller window or dilation, or more padding"
            )
        n = beyond_first // step + 1
        if ceil:
            n = round_up(beyond_first / step) + 1
            n -= (n - 1) * step >= length + before
        if n < 1:
            raise ShapeError(
                f"an input of {_times(extent)} holds no window of {_times(size)}; wanted at least "
                "1 position along each axis"
            )
        out.append(n)
        overhang.append(max(0, (n - 1) * step - beyond_first))
    return Windows(tuple(extent), size, stride, dilation, pairs, tuple(overhang), tuple(out))


def windows_onto(
    out: Shape,
    size: PerAxis,
    stride: PerAxis = 1,
    padding: Padding = 0,
    output_padding: PerAxis = 0,
    dilation: PerAxis = 1,
) -> Windows:
    """Return windows of `size` taps, `out` along each axis, over an array that they determine: the
    output of a transposed convolution. In the terms above, L windows give it the length

        extent = (L - 1) s + d (k - 1) + 1 + output_padding - p0 - p1

    size, stride, dilation, padding: as for `windows_over`. "same" makes the length L·s.

    output_padding: the number of positions at the end, padding included, that no window reads. With
    a stride of s, L windows fit s different lengths, and this number says which one is meant. It is
    less than the stride, or less than the dilation.

    Raises ShapeError if nothing is left of the array, and ArgumentError for other values.

    >>> windows_onto((3,), 2, stride=2).extent, windows_onto((3,), 2, 2, output_padding=1).extent
    ((6,), (7,))
    """
    rank = len(out)
    size = per_axis("window", size, rank, least=1)
    stride = per_axis("stride", stride, rank, least=1)
    dilation = per_axis("dilation", dilation, rank, least=1)
    unread = per_axis("output_padding", output_padding, rank, least=0)
    reach = tuple(d * (k - 1) + 1 for k, d in zip(size, dilation, strict=True))
    pairs = _pairs(padding, tuple(n * s for n, s in zip(out, stride, strict=True)), stride, reach)
    if isinstance(padding, str) and padding == "same":
        if any(unread):
            raise ArgumentError(
                f"output_padding is {brief(output_padding)} and padding 'same'; wanted one of them,"
                " because 'same' makes the output as long as the input times the stride"
            )
        unread = tuple(max(0, s - r) for s, r in zip(stride, reach, strict=True))
    elif any(n >= max(s, d) for n, s, d in zip(unread, stride, dilation, strict=True)):
        raise ArgumentError(
            f"output_padding is {brief(output_padding)}; wanted less than the stride "
            f"{_times(stride)} or the dilation {_times(dilation)} along each axis"
        )
    extent = tuple(
        (n - 1) * s + r + over - before - after
        for n, s, r, over, (before, after) in zip(out, stride, reach, unread, pairs, strict=True)
    )
    if min(out, default=1) < 1 or min(extent, default=1) < 1:
        raise ShapeError(
            f"an input of {_times(out)} with windows that reach over {_times(reach)} and padding "
            f"{_in_words(pairs)} gives an output of {_times(extent)}; wanted at least 1 position "
            "along each axis: enlarge the input or the window, or use less padding"
        )
    return Windows(extent, size, stride, dilation, pairs, (0,) * rank, tuple(out))


def per_axis(name: str, value: Any, rank: int, least: int) -> Shape:
    """Return a tuple of `rank` ints: the value itself if it is a sequence, or one int repeated.

    name: of the argument, for the message. least: the smallest int that is allowed. Raises
    ArgumentError for other values.

    >>> per_axis("stride", 2, rank=3, least=1)
    (2, 2, 2)
    """
    values = (value,) * rank if is_int(value) else value
    is_sequence = isinstance(values, (tuple, list)) and len(values) == rank
    if not is_sequence or not all(is_int(v) and v >= least for v in values):
        raise ArgumentError(
            f"{name} is {brief(value)}; wanted an int of at least {least}, or {rank} of them, one "
            "per spatial axis"
        )
    return tuple(int(v) for v in values)


def _pairs(padding, extent, stride, reach):
    """Return the padding as a (before, after) pair for each axis. reach: as in `Windows`."""
    rank = len(extent)
    if isinstance(padding, str) and padding == "same":
        totals = (
            max((round_up(length / s) - 1) * s + r - length, 0)
            for length, s, r in zip(extent, stride, reach, strict=True)
        )
        return tuple((total // 2, total - total // 2) for total in totals)
    values: Any = 0 if isinstance(padding, str) and padding == "valid" else padding
    values = (values,) * rank if is_int(values) else values
    if isinstance(values, (tuple, list)) and len(values) == rank:
        pairs = tuple((p, p) if is_int(p) else p for p in values)
        if all(
            isinstance(p, (tuple, list)) and len(p) == 2 and all(is_int(n) and n >= 0 for n in p)
            for p in pairs
        ):
            return tuple((int(before), int(after)) for before, after in pairs)
    raise ArgumentError(
        f"padding is {brief(padding)}; wanted an int of at least 0, one for each of {rank} spatial "
        "axes, a (before, after) pair for each, 'same' or 'valid'"
    )


def can_broadcast(a_shape: Shape, b_shape: Shape) -> bool:
    """Return whether arrays of these shapes broadcast: from the last axis on, lengths are equal or
    1.

    >>> can_broadcast((2, 3), (3,)), can_broadcast((2, 3), (2,))
    (True, False)
    """
    pairs = zip(reversed(a_shape), reversed(b_shape), strict=False)
    return all(m == n or 1 in (m, n) for m, n in pairs)


def broadcasts_to(shape: Shape, wanted: Shape) -> bool:
    """Return whether an array of the first shape broadcasts to the second.

    >>> broadcasts_to((3,), (2, 3)), broadcasts_to((2, 3), (3,)), broadcasts_to((2, 1), (2, 3))
    (True, False, True)
    """
    pairs = zip(reversed(shape), reversed(wanted), strict=False)
    return len(shape) <= len(wanted) and all(m in (1, n) for m, n in pairs)


def is_int(value: Any) -> bool:
    """Return whether the value is an integer of Python or NumPy. Bools and arrays of several
    numbers are not."""
    has_axes = getattr(value, "shape", ()) != ()
    if isinstance(value, bool) or has_axes:
        return False
    try:
        operator.index(value)
    except TypeError:
        return False
    return True


def _times(lengths):
    return "x".join(map(str, lengths))


def _in_words(padding):
    return " and ".join(f"{before}+{after}" for before, after in padding)
