"""These ops repeat numbers: repeat, tile.

Each number of x is copied to several places of y. Its gradient is the sum of dy over these places.

Cost: no arithmetic. Each number of y is a copy. The gradients make one addition per number of dy.

Source: Harris et al. 2020, "Array programming with NumPy".
"""

from collections.abc import Sequence
from math import prod

import numpy as np

from minidl.autograd import differentiable, plain
from minidl.backend import array_module, is_array
from minidl.errors import ArgumentError, brief
from minidl.ops.reductions import axes_of, must_be_one_axis
from minidl.shapes import is_int
from minidl.typing import Operand, PerAxis, Result


def repeat(x: Operand, repeats: int | Sequence[int], axis: int | None = None) -> Result:
    """(..., L, ...) -> (..., Σ_k r[k], ...)

    y[i] = x[k] where b[k] ≤ i < b[k] + r[k],      b[k] = Σ_{m: m < k} r[m]

    repeats: r, how often each number follows itself: one int, or a list of one for each place along
    the axis. axis: along which i and k are places. None repeats all numbers in row-major order, and
    y has one axis. Raises ArgumentError for other values.

    >>> repeat(np.array([1., 2.]), 2), repeat(np.array([1., 2.]), [0, 3])
    (array([1., 1., 2., 2.]), array([2., 2., 2.]))
    """
    return x.repeat(numbers(repeats), axis=axis)


def repeat_dx(dy, x_shape, repeats, axis):
    """dx[k] = Σ_{i: b[k] ≤ i < b[k] + r[k]} dy[i]

    If all r[k] = r, dy is reshaped so that the r copies of a number have an axis of their own.
    Otherwise, the first copies of all numbers are added, then the second ones, and so on.
    """
    before, length, after = around(x_shape, axis)
    repeats = numbers(repeats)
    if is_int(repeats):
        return dy.reshape(before, length, repeats, after).sum(axis=2).reshape(x_shape)
    xp, counts = array_module(dy), np.array(repeats, int)
    begins = counts.cumsum() - counts
    dx = xp.zeros((before, length, after), dy.dtype)
    dy = dy.reshape(before, counts.sum(), after)
    for copy in range(counts.max(initial=0)):
        places = np.flatnonzero(counts > copy)
        dx[:, xp.asarray(places)] += dy[:, xp.asarray(begins[places] + copy)]
    return dx.reshape(x_shape)


def numbers(option):
    """Return an array or Tensor of integers as a list or int of Python, and any other option as it
    is."""
    array = plain(option)
    return array.tolist() if is_array(array) else option


def around(shape, axis):
    """Return (the product of the lengths before the axis, its length, that of those after it). None
    is the only axis of all numbers."""
    if axis is None:
        return 1, prod(shape), 1
    [axis] = axes_of(axis, len(shape))
    return prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :])


def must_be_repeats(x, repeats, axis=None):
    """Raise ArgumentError unless `repeats` is an int of at least 0, or a list of one for each place
    along the axis."""
    must_be_one_axis(x, axis)
    _, length, _ = around(x.shape, axis)
    repeats = numbers(repeats)
    several = repeats if isinstance(repeats, (tuple, list)) else [repeats] * length
    if len(several) != length or not all(is_int(r) and r >= 0 for r in several):
        raise ArgumentError(
            f"repeats is {brief(repeats)}; wanted an int of at least 0, or a list of {length} of "
            "them, one for each place along the axis"
        )


repeat = differentiable(repeat, dx=repeat_dx, check=must_be_repeats)


def tile(x: Operand, counts: PerAxis) -> Result:
    """(..., L, ...) -> (..., r L, ...)

    y[i] = x[i mod L], for each axis

    counts: r, how often x follows itself along each axis: an int for the last axis, or a list. If
    it is shorter than the axes of x, it is for the last of them. If it is longer, y has new axes in
    front. L: length of x along an axis. Raises ArgumentError for other values.

    >>> tile(np.array([1., 2.]), 2), tile(np.array([1., 2.]), (2, 1)).shape
    (array([1., 2., 1., 2.]), (2, 2))
    """
    return array_module(x).tile(x, numbers(counts))


def tile_dx(dy, x_shape, counts):
    """dx[j] = Σ_{i: i mod L = j} dy[i]

    dy is reshaped so that the r copies along an axis have an axis of their own, before that of x.
    """
    counts = (numbers(counts),) if is_int(counts) else tuple(numbers(counts))
    ndim = dy.ndim
    counts = (1,) * (ndim - len(counts)) + counts
    lengths = (1,) * (ndim - len(x_shape)) + x_shape
    copies = dy.reshape([n for pair in zip(counts, lengths, strict=True) for n in pair])
    return copies.sum(axis=tuple(range(0, 2 * ndim, 2))).reshape(x_shape)


def must_be_counts(x, counts):
    """Raise ArgumentError unless `counts` is an int of at least 0, or a list of such."""
    counts = numbers(counts)
    several = counts if isinstance(counts, (tuple, list)) else [counts]
    if not all(is_int(count) and count >= 0 for count in several):
        raise ArgumentError(
            f"counts is {brief(counts)}; wanted an int of at least 0, or a list with one for each "
            "axis"
        )


tile = differentiable(tile, dx=tile_dx, check=must_be_counts)
