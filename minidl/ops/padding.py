"""Padding makes each axis longer. The new positions get a constant or copies of numbers of x.

Source: Harris et al. 2020, "Array programming with NumPy" (`numpy.pad`); for the modes in
convolutional networks, Innamorati, Ritschel, Weyrich, Mitra 2018, "Learning on the Edge: Explicit
Boundary Handling in CNNs".
"""

from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

from minidl.autograd import differentiable
from minidl.backend import array_module
from minidl.errors import ArgumentError, ShapeError, brief, one_of
from minidl.shapes import is_int
from minidl.typing import Operand, Result

Mode: TypeAlias = Literal["constant", "reflect", "replicate", "circular"]


def pad(
    x: Operand,
    width: Sequence[tuple[int, int]],
    value: float = 0,
    mode: Mode = "constant",
) -> Result:
    """(...) -> (...), each axis longer by its width

    y[i] = x[j] with j = i - before, where 0 ≤ j < L

    i: position along an axis of y. L: length of this axis of x. mode: what y is elsewhere:

        "constant"     y[i] = value
        "reflect"      y[i] = x[-j] before x, and x[2 (L - 1) - j] after it: the mirror image
        "replicate"    y[i] = x[0] before x, and x[L - 1] after it: the nearest number
        "circular"     y[i] = x[j mod L]: x repeated

    The axes are padded one after another, so that a corner gets copies of copies.

    width: a (before, after) pair for each axis. "reflect" wants less than L, because the numbers at
    the ends are not repeated. "circular" wants at most L.

    Cost: no arithmetic; each number of y is copied. Raises ShapeError for other widths, and
    ArgumentError for an unknown mode, or a value with a mode that does not use it.

    >>> pad(np.array([1., 2.]), [(1, 2)])
    array([0., 1., 2., 0., 0.])
    >>> pad(np.array([1., 2., 3.]), [(2, 1)], mode="reflect")
    array([3., 2., 1., 2., 3., 2.])
    """
    y = array_module(x).pad(x, width, constant_values=value)
    for i, j in copies(x.shape, width, mode):
        y[i] = y[j]
    return y


def pad_dx(dy, x_shape, width, mode):
    """dx[j] = Σ_{i: y[i] is x[j]} dy[i]

    Each border adds its dy to the position that it is a copy of, one axis after another. What is
    then inside is dx. A constant border has no gradient.
    """
    dx = dy if mode == "constant" else dy.copy()
    for i, j in copies(x_shape, width, mode):
        dx[j] += dx[i]
    return dx[tuple(slice(b, b + n) for n, (b, _) in zip(x_shape, width, strict=True))]


def copies(x_shape, width, mode):
    """Yield (index of a border of y, index of what is copied there), one position along one axis
    each."""
    if mode == "constant":
        return
    for axis, (L, (before, after)) in enumerate(zip(x_shape, width, strict=True)):
        for j in [*range(-before, 0), *range(L, L + after)]:
            whole = (slice(None),) * axis
            yield (*whole, before + j), (*whole, before + source(j, L, mode))


def source(j, L, mode):
    """Return the position of x that is copied to position j beyond it."""
    return {
        "reflect": -j if j < 0 else 2 * (L - 1) - j,
        "replicate": 0 if j < 0 else L - 1,
        "circular": j % L,
    }[mode]


def check(x, width, value=0, mode="constant"):
    """Raise an error unless `width` has a pair of ints for each axis of x that the mode allows."""
    one_of("mode", mode, get_args(Mode))
    pairs = width if isinstance(width, (tuple, list)) else ()
    are_pairs = all(isinstance(pair, (tuple, list)) and len(pair) == 2 for pair in pairs)
    if (
        not are_pairs
        or len(pairs) != x.ndim
        or not all(is_int(n) and n >= 0 for p in pairs for n in p)
    ):
        raise ShapeError(
            f"pad of shape {x.shape} by {brief(width)}; wanted a (before, after) pair of ints of "
            "at least 0 for each axis"
        )
    if mode == "constant":
        return
    if value != 0:
        raise ArgumentError(
            f"the value of pad is {brief(value)} and its mode {mode!r}; only the mode 'constant' "
            "has a value: leave out one of them"
        )
    for length, (before, after) in zip(x.shape, pairs, strict=True):
        most = {"reflect": length - 1, "replicate": before + after, "circular": length}[mode]
        if (before or after) and (max(before, after) > most or not length):
            raise ShapeError(
                f"pad of shape {x.shape} by {brief(width)} with the mode {mode!r}; wanted at most "
                f"{max(most, 0)} positions on each side of an axis of length {length}: use less "
                "padding, or the mode 'replicate' or 'constant'"
            )


pad = differentiable(pad, dx=pad_dx, check=check)
