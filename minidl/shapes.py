"""Integer shape arithmetic: where a window that slides over an array begins, and how often.

One axis of length L, a window of k taps that are d apart (dilation), moved by s (stride), p0 and p1
positions of padding:

    out = floor((L + p0 + p1 - d(k - 1) - 1) / s) + 1                    (Dumoulin & Visin 2016, relationship 15)

Output o reads through tap t the position  o·s + t·d - p0  of the input. That one line is the
geometry of convolution, of pooling, and of all their gradients.
"""

from dataclasses import dataclass
from itertools import product
from math import ceil as round_up

from minidl.backend import array_module
from minidl.errors import ArgumentError, ShapeError, brief


@dataclass(frozen=True)
class Windows:
    """The windows over the spatial axes of an array; every field holds one entry per axis.

    extent: lengths of the input; size: taps of the window; out: number of windows; padding:
    (before, after) as asked for; overhang: positions past the padding that the last window of a
    `ceil` pooling reaches into.
    """

    extent: tuple
    size: tuple
    stride: tuple
    dilation: tuple
    padding: tuple
    overhang: tuple
    out: tuple

    @property
    def taps(self):
        """All taps, in row-major order: (0, 0), (0, 1), ..."""
        return product(*map(range, self.size))

    def under(self, tap):
        """Return the index of a *padded* array (N, *padded, C) that gives (N, *out, C): what all
        windows read through a tap. It selects a strided view."""
        return (
            slice(None),
            *(
                slice(t * d, t * d + (o - 1) * s + 1, s)
                for t, d, o, s in zip(tap, self.dilation, self.out, self.stride, strict=True)
            ),
        )

    def pad(self, x, value=0):
        """(N, *extent, C) -> (N, *padded, C): x with its padding, in a new array"""
        padded = array_module(x).full((len(x), *self.padded, x.shape[-1]), value, x.dtype)
        padded[self.inside] = x
        return padded

    def unpad(self, padded):
        """(N, *padded, C) -> (N, *extent, C): the view without the padding, the adjoint of `pad`"""
        return padded[self.inside]

    def meeting(self, axis, tap):
        """(slice of the outputs, slice of the input) along an axis: what meets through a tap,
        without the padding.

        >>> windows_over((6,), 3, stride=2, padding=1).meeting(axis=0, tap=0)      # outputs 1, 2 read positions 1, 3
        (slice(1, 3, None), slice(1, 4, 2))
        """
        length, s, out = self.extent[axis], self.stride[axis], self.out[axis]
        ahead = tap * self.dilation[axis] - self.padding[axis][0]
        first = max(0, -(ahead // s))
        end = max(first, min(out, (length - 1 - ahead) // s + 1))
        return slice(first, end), slice(first * s + ahead, max(0, (end - 1) * s + ahead + 1), s)

    def taps_inside(self, and_padding=False):
        """Per axis, how many taps of each window lie in the input (or, on request, in the input and
        its padding).

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
    def reach(self):
        """Positions from the first tap of a window to its last, both included."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.size, self.dilation, strict=True))

    @property
    def padded(self):
        """Lengths of the input with its padding and overhang."""
        return tuple(
            before + length + after + over
            for length, (before, after), over in zip(
                self.extent, self.padding, self.overhang, strict=True
            )
        )

    @property
    def inside(self):
        """Return the index of a padded array (N, *padded, C) that gives the input itself."""
        insides = (slice(b, b + n) for n, (b, _) in zip(self.extent, self.padding, strict=True))
        return slice(None), *insides


def windows_over(extent, size, stride=1, padding=0, dilation=1, ceil=False):
    """The windows of `size` taps over an array of lengths `extent`.

    size, stride, dilation: an int or one per axis. padding: an int, one per axis, a (before, after)
    pair per axis, "valid" (none) or "same" (out = ceil(L / s), the odd position after, as Keras and
    TensorFlow pad). ceil: round the number of windows up; a last window that would begin past the
    input and its padding before is left out, as in PyTorch. A window that is longer than the padded
    input by less than the stride therefore gives one window. Raises ShapeError where no window
    fits.

    >>> windows_over((14, 14), 5).out, windows_over((7,), 2, stride=2, ceil=True).out
    ((10, 10), (4,))
    """
    rank = len(extent)
    size = per_axis("window", size, rank, least=1)
    stride = per_axis("stride", stride, rank, least=1)
    dilation = per_axis("dilation", dilation, rank, least=1)
    reach = tuple(d * (k - 1) + 1 for k, d in zip(size, dilation, strict=True))
    padding = _pairs(padding, extent, stride, reach)
    out, overhang = [], []
    for length, (before, after), step, width in zip(extent, padding, stride, reach, strict=True):
        room = length + before + after - width
        if room < 0 and not (ceil and room + step > 0):
            raise ShapeError(
                f"a window that reaches over {_times(reach)} does not fit an input of {_times(extent)} with padding "
                f"{_in_words(padding)}; enlarge the input, or use a smaller window, dilation or more padding"
            )
        n = room // step + 1
        if ceil:
            n = round_up(room / step) + 1
            n -= (n - 1) * step >= length + before
        if n < 1:
            raise ShapeError(
                f"an input of {_times(extent)} holds no window of {_times(size)}; wanted at least 1 position an axis"
            )
        out.append(n)
        overhang.append(max(0, (n - 1) * step - room))
    return Windows(tuple(extent), size, stride, dilation, padding, tuple(overhang), tuple(out))


def per_axis(name, value, rank, least):
    """An int for every axis, or a sequence of `rank` ints, as a tuple.

    >>> per_axis("stride", 2, rank=3, least=1)
    (2, 2, 2)
    """
    values = (value,) * rank if is_int(value) else value
    ok = (
        isinstance(values, (tuple, list))
        and len(values) == rank
        and all(is_int(v) and v >= least for v in values)
    )
    if not ok:
        raise ArgumentError(
            f"{name} is {brief(value)}; wanted an int of at least {least}, or {rank} of them, one per spatial axis"
        )
    return tuple(int(v) for v in values)


def _pairs(padding, extent, stride, reach):
    rank = len(extent)
    if isinstance(padding, str) and padding == "same":
        totals = (
            max((round_up(length / s) - 1) * s + r - length, 0)
            for length, s, r in zip(extent, stride, reach, strict=True)
        )
        return tuple((total // 2, total - total // 2) for total in totals)
    each = 0 if isinstance(padding, str) and padding == "valid" else padding
    each = (each,) * rank if is_int(each) else each
    if isinstance(each, (tuple, list)) and len(each) == rank:
        pairs = tuple((p, p) if is_int(p) else p for p in each)
        if all(
            isinstance(p, (tuple, list)) and len(p) == 2 and all(is_int(n) and n >= 0 for n in p)
            for p in pairs
        ):
            return tuple((int(before), int(after)) for before, after in pairs)
    raise ArgumentError(
        f"padding is {brief(padding)}; wanted an int of at least 0, one for each of {rank} spatial axes, a (before, after) "
        "pair for each, 'same' or 'valid'"
    )


def can_broadcast(a_shape, b_shape):
    """Whether arrays of these shapes broadcast: from the last axis on, lengths are equal or 1.

    >>> can_broadcast((2, 3), (3,)), can_broadcast((2, 3), (2,))
    (True, False)
    """
    return all(m == n or 1 in (m, n) for m, n in zip(reversed(a_shape), reversed(b_shape)))  # noqa: B905  the shorter ends


def is_int(value):
    """Whether it is a whole number, of Python's or of NumPy's: no truth value, no array of
    several."""
    return (
        hasattr(value, "__index__")
        and not isinstance(value, bool)
        and not getattr(value, "shape", ())
    )


def _times(lengths):
    return "x".join(map(str, lengths))


def _in_words(padding):
    return " and ".join(f"{before}+{after}" for before, after in padding)
