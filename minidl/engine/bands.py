"""Linear maps along single axes, as products of small matrices.

Upsampling and adaptive averaging are linear along each axis: y[o] = Σ_q M[o,q] x[q]. The numbers of
M that are not 0 lie in a band, because an output reads a few adjacent inputs, and the next output
reads the same ones or the next. M is divided into blocks of adjacent rows. A block is a dense
matrix of the columns that are not 0 in its rows. BLAS multiplies it with the numbers along the
axis, for all positions of the other axes.

The gradient is the map by Mᵀ, which has a band as well. One block computes each number of dx.
Nothing is added to memory that several threads write to, and the result is always the same.

A block multiplies its zeros too, so that a NaN or an infinity spreads to all outputs of its block.
"""

import functools
from math import prod
from typing import NamedTuple

import numpy as np

from minidl.backend import array_module
from minidl.engine.memory import empty, scratch
from minidl.engine.strips import fair_strip, strips
from minidl.engine.threads import parallel_map
from minidl.ops import adaptive_pooling, upsampling
from minidl.typing import Array

HEIGHT, WIDTH = 8, 12  # of a block, at most, unless a single row is wider
RUN = 512  # numbers of a run that is multiplied at once, so that its rows fit the first cache
FEW = 8  # with fewer numbers at a position, several positions are multiplied as one row


class Block(NamedTuple):
    """A part of a matrix. rows, columns: slices of the outputs and inputs. matrix: (rows,
    columns)."""

    rows: slice
    columns: slice
    matrix: Array


def upsample(x, factor=None, *, size=None, method="nearest", align_corners=False):
    """(N, *spatial, C) -> (N, *size, C)"""
    axes = upsampling.axes_of(x.shape, factor, size)
    if method.startswith("nearest"):
        return _taken(x, axes, method)
    maps = [(_upsampling, *geometry, method, align_corners) for geometry in axes]
    return _mapped(x, [S for _, S, _ in axes], maps)


def upsample_dx(dy, x_shape, factor, size, method, align_corners):
    """(N, *size, C) -> (N, *spatial, C)"""
    axes = upsampling.axes_of(x_shape, factor, size)
    maps = [(_transposed, _upsampling, *geometry, method, align_corners) for geometry in axes]
    return _mapped(dy, x_shape[1:-1], maps)


def averages_several(dy, x_shape, size):
    """Return whether there are several bins. A single one is left to the definition."""
    return prod(adaptive_pooling.sizes(x_shape, size)) > 1


def adaptive_avg_pool(x, size):
    """(N, *spatial, C) -> (N, *size, C)"""
    sizes = adaptive_pooling.sizes(x.shape, size)
    axes = zip(x.shape[1:-1], sizes, strict=True)
    return _mapped(x, sizes, [(_averages, *axis) for axis in axes])


def adaptive_avg_pool_dx(dy, x_shape, size):
    """(N, *size, C) -> (N, *spatial, C)"""
    axes = zip(x_shape[1:-1], adaptive_pooling.sizes(x_shape, size), strict=True)
    return _mapped(dy, x_shape[1:-1], [(_transposed, _averages, *axis) for axis in axes])


def _upsampling(L, S, f, method, align_corners):
    """Return (rows, columns, numbers) of the matrix (S, L) of upsampling."""
    terms = upsampling.terms_of(np, L, S, f, method, align_corners)
    columns, numbers = (np.concatenate(arrays) for arrays in zip(*terms, strict=True))
    return np.tile(np.arange(S), len(terms)), columns, numbers


def _averages(L, S):
    """Return (rows, columns, numbers) of the matrix (S, L) of the means of bins."""
    bins = [np.arange(L)[adaptive_pooling.bin_of(o, L, S)] for o in range(S)]
    counts = np.array([len(bin) for bin in bins])
    return np.repeat(np.arange(S), counts), np.concatenate(bins), np.repeat(1 / counts, counts)


def _transposed(entries, *arguments):
    rows, columns, numbers = entries(*arguments)
    return columns, rows, numbers


def _mapped(x, lengths, maps):
    """Return x, mapped along each spatial axis to one of these lengths. A strip of blocks of the
    first axis is mapped along all axes while it is in the cache."""
    xp, (n, *extent, channels) = array_module(x), x.shape
    x, y = xp.ascontiguousarray(x), empty(xp, (n, *lengths, channels), x.dtype)
    blocks = {
        axis: _blocks(xp, x.dtype, _together(x, axis), length, entries)
        for axis, length, entries in zip(range(1, x.ndim - 1), lengths, maps, strict=True)
    }
    axes = [*blocks]
    if lengths[0] > extent[0]:  # the first axis has the longest runs, and is best where most is
        axes = axes[::-1]

    def work(strip):
        images, group = strip
        of_strip = {**blocks, 1: blocks[1][group]}
        rows, columns = _union(b.rows for b in of_strip[1]), _union(b.columns for b in of_strip[1])
        part = x[images, columns]
        for axis in axes:
            length = rows.stop - rows.start if axis == 1 else lengths[axis - 1]
            shape = (*part.shape[:axis], length, *part.shape[axis + 1 :])
            out = y[images, rows] if axis == axes[-1] else scratch(xp, str(axis), shape, x.dtype)
            starts = (rows.start, columns.start) if axis == 1 else (0, 0)
            _multiply(of_strip[axis], part, out, axis, *starts)
            part = out

    numbers = x.size + y.size
    row = numbers // max(1, n * len(blocks[1]))
    parallel_map(xp, work, strips(n, len(blocks[1]), row, fair_strip(xp, numbers)))
    return y


def _union(slices):
    slices = [*slices]
    return slice(min(s.start for s in slices), max(s.stop for s in slices))


def _multiply(blocks, x, y, axis, first_row, first_column):
    """Write x, mapped along an axis, to y. These rows and columns of the matrix are the first in y
    and in x."""
    xp, k = array_module(x), _together(x, axis)
    X, Y = ((_rows if k > 1 else _runs)(a, axis) for a in (x, y))
    for rows, columns, matrix in blocks:
        to = slice(k * (rows.start - first_row), k * (rows.stop - first_row))
        of = slice(k * (columns.start - first_column), k * (columns.stop - first_column))
        if k > 1:
            xp.matmul(X[..., of], matrix.T, out=Y[..., to])
        else:
            xp.matmul(matrix, X[..., of, :], out=Y[..., to, :])


def _together(x, axis):
    """Return how many numbers at a position a block multiplies as one row: all channels along the
    last axis, if they are few, and otherwise 1."""
    return x.shape[-1] if axis == x.ndim - 2 and 1 < x.shape[-1] < FEW else 1


def _rows(x, axis):
    """(.., L, *inner) -> (.., L·inner), a view"""
    return x.reshape(*x.shape[:axis], prod(x.shape[axis:]))


def _runs(x, axis):
    """(.., L, *inner) -> (.., runs, L, numbers of a run), a view"""
    run = inner = prod(x.shape[axis + 1 :])
    while run > RUN and run % 2 == 0:
        run //= 2
    return x.reshape(*x.shape[: axis + 1], inner // max(1, run), run).swapaxes(-3, -2)


@functools.lru_cache(100)
def _blocks(xp, dtype, together, length, entries):
    """Return the Blocks of a matrix with `length` rows. Each number of it stands for a multiple of
    the identity matrix of `together` rows.

    entries: (function that returns rows, columns, numbers of the matrix, its arguments)
    """
    rows, columns, numbers = entries[0](*entries[1:])
    first, last = np.full(length, np.inf), np.full(length, -1)
    np.minimum.at(first, rows, columns)
    np.maximum.at(last, rows, columns)
    blocks, begin, column = [], 0, 0
    while begin < length:
        low, high, end = first[begin], last[begin], begin + 1
        widest = max(WIDTH, high + 1 - low)
        while end < min(length, begin + HEIGHT):
            both = min(low, first[end]), max(high, last[end])
            if both[1] + 1 - both[0] > widest:
                break
            (low, high), end = both, end + 1
        low, column = (int(low), int(high) + 1) if high >= 0 else (column, column)  # rows of zeros
        matrix, inside = np.zeros((end - begin, column - low)), (rows >= begin) & (rows < end)
        np.add.at(matrix, (rows[inside] - begin, columns[inside] - low), numbers[inside])
        matrix = xp.asarray(np.kron(matrix, np.eye(together)), dtype)
        blocks.append(Block(slice(begin, end), slice(low, column), matrix))
        begin = end
    return blocks


def _taken(x, axes, method):
    """Return x with the nearest pixels along each axis. A strip of outputs of the first axis is
    taken along all axes while it is in the cache, along the first axis last, in the longest
    runs."""
    xp, (n, *_, channels) = array_module(x), x.shape
    y = empty(xp, (n, *(S for _, S, _ in axes), channels), x.dtype)
    pixels = [_pixels(xp, *geometry, method) for geometry in axes]
    on_host = _pixels(np, *axes[0], method)

    def work(strip):
        images, rows = strip
        first, last = int(on_host[rows.start]), int(on_host[rows.stop - 1])
        part = x[images, first : last + 1]
        for axis in range(x.ndim - 2, 1, -1):
            shape = (*part.shape[:axis], y.shape[axis], *part.shape[axis + 1 :])
            part = _take(part, pixels[axis - 1], axis, scratch(xp, str(axis), shape, x.dtype))
        _take(part, pixels[0][rows] - first, 1, y[images, rows])

    row = y.size // max(1, n * y.shape[1])
    parallel_map(xp, work, strips(n, y.shape[1], row, fair_strip(xp, y.size)))
    return y


def _take(x, places, axis, out):
    if isinstance(x, np.ndarray):
        return np.take(x, places, axis=axis, out=out, mode="clip")  # the other modes copy out
    out[...] = x.take(places, axis=axis)
    return out


@functools.lru_cache(100)
def _pixels(xp, L, S, f, method):
    [(pixels, _)] = upsampling.terms_of(xp, L, S, f, method, False)
    return pixels
