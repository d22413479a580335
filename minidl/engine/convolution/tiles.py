"""Tiles: from a picture to the points of Winograd's algorithm and back.

A tile is 4 outputs long on each axis and reads 6 inputs; neighbours overlap by two. A map along an
axis is a product of a small matrix with the numbers of that axis, for all positions of the others
at once. Arrays are laid out so that the rows of every such product are runs of memory: nothing is
gathered or scattered, and no tile is ever copied by itself.

At the points an array has the shape (6^(rank-1), tiles, 6, channels): the points of all axes but
the last, the tiles, the points of the last axis.
"""

import functools
from itertools import cycle
from math import prod

import numpy as np

from minidl.backend import array_module
from minidl.engine.memory import scratch
from minidl.engine.patches import cut
from minidl.engine.strips import equal_parts, strips
from minidl.engine.threads import get_threads, share

TILE, INPUTS = 4, 6  # along each axis: outputs of a tile; inputs of a tile, and points
LEAST_TILES = 128  # of one strip: a matrix product of fewer rows is slow
STRIP = 1 << 20  # numbers at the points of one strip
BLOCK = 1 << 23  # numbers at the points of a block of tiles, in dw
SMALL = 10**6  # multiply-adds up to which OpenBLAS multiplies without first copying the matrices


def tiles_of(out):
    """How many tiles cover the outputs of each axis."""
    return [-(-n // TILE) for n in out]


def inputs_at_points(matrix, x, images, rows, tiles, before, room, out=None, whole=()):
    """(N, *extent, C) -> (6^(rank-1), tiles, 6, C): the matrix (Bᵀ or A) along each axis of every
    tile of some rows of tiles

    whole: so many positions of the last axes are not cut into tiles; they and the channels make one
    axis.
    """
    tiles = [rows.stop - rows.start, *tiles[1:]]
    taken = matrix.shape[1]  # numbers along an axis that a tile reads: 6 inputs, or 4 outputs
    begin = [TILE * rows.start - before[0], *(-b for b in before[1:])]
    V = cut(x, images, begin, [*(TILE * (n - 1) + taken for n in tiles), *whole], room)
    (n, *lengths, channels), points = V.shape, 1
    for axis, count in enumerate(tiles):
        rest = prod(lengths[axis + 1 :]) * channels
        windows = _windows(V.reshape(points, n, lengths[axis], rest), count, taken)
        if axis == len(tiles) - 1:
            V = room(points, n * count, INPUTS, rest) if out is None else out
            _apply(matrix, windows, V.reshape(points, n, count, INPUTS, rest))
        else:
            V = room(points, INPUTS, n, count, rest)
            _apply(matrix, windows, V.transpose(0, 2, 3, 1, 4))
            points, n = points * INPUTS, n * count
    return V


def outputs_from_points(matrix, M, y, room):
    """(6^(rank-1), tiles, 6, K) -> y (n, *out, K): the matrix (Aᵀ) along each axis, the last first.

    What tiles have beyond y is dropped.
    """
    points, (n, *out, rest) = M.shape[0], y.shape
    tiles = tiles_of(out)
    for axis in reversed(range(1, len(out))):
        Y = room(points, M.shape[1], TILE, rest)
        _apply(matrix, M, Y)
        rest, points = rest * TILE * tiles[axis], points // INPUTS
        M = Y.reshape(points, INPUTS, -1, rest).swapaxes(1, 2)
    into_place = y.flags.c_contiguous and all(length % TILE == 0 for length in out)
    Y = y.reshape(n, tiles[0], TILE, rest) if into_place else room(n, tiles[0], TILE, rest)
    _apply(matrix, M.reshape(n, tiles[0], INPUTS, rest), Y)
    if not into_place:
        whole = Y.reshape(n, *(TILE * count for count in tiles), y.shape[-1])
        y[...] = whole[(slice(None), *map(slice, out))]


def map_kernels(matrix, kernels, out):
    """The matrix along each axis of kernels (j, .., j, C, K) -> (i, .., i, C, K), some input
    channels at a time"""
    xp, (*size, channels, _) = array_module(kernels), kernels.shape

    def work(some):
        room, part, last = (
            two_rooms(xp, out.dtype),
            kernels[..., some, :].reshape(*size, -1),
            out[..., some, :],
        )
        for axis in range(len(size)):
            shape = (*last.shape[: axis + 1], *part.shape[axis + 1 :])
            to = last.reshape(shape) if axis == len(size) - 1 else room(*shape)
            _apply(matrix, xp.moveaxis(part, axis, -2), xp.moveaxis(to, axis, -2))
            part = to

    share(xp, work, equal_parts(channels, STRIP // 2 * channels // max(kernels.size, out.size)))


def strips_of_tiles(images, tiles, inputs, outputs):
    """(images, rows of tiles, output channels): where there are fewer strips than cores, they share
    the outputs too, and each computes the inputs at the points for itself."""
    parts = _parts(images, tiles, inputs, outputs)
    channels = (
        equal_parts(outputs, outputs * len(parts) // get_threads())
        if len(parts) < get_threads()
        else [slice(0, outputs)]
    )
    return [(*part, some) for part in parts for some in channels]


def blocks_of_tiles(images, tiles, inputs, outputs):
    """Lists of strips (images, rows of tiles, their place among the tiles of the list)"""
    most, blocks, end = BLOCK // (INPUTS ** len(tiles) * max(inputs, outputs)), [], 0
    for images_, rows in _parts(images, tiles, inputs, outputs):
        count = (images_.stop - images_.start) * (rows.stop - rows.start) * prod(tiles[1:])
        if not blocks or end + count > most:
            blocks.append([])
            end = 0
        blocks[-1].append((images_, rows, slice(end, end + count)))
        end += count
    return blocks


def two_rooms(xp, dtype):
    """room(*shape): an array to be filled, good until the next but one: each map reads the last and
    fills the next."""
    names = cycle(("one", "other"))
    return lambda *shape: scratch(xp, next(names), shape, dtype)


def _parts(images, tiles, inputs, outputs):
    few, fitting = (
        SMALL // (inputs * outputs),
        STRIP // (INPUTS ** len(tiles) * max(inputs, outputs)),
    )
    most = min(few, fitting) if few >= LEAST_TILES else max(LEAST_TILES, fitting)
    return strips(images, tiles[0], prod(tiles[1:]), most)


def _windows(V, count, taken):
    """(points, n, length, rest) -> (points, n, count, taken, rest): overlapping views, TILE
    apart"""
    points, n, length, rest = V.strides
    shape = (*V.shape[:2], count, taken, V.shape[-1])
    return array_module(V).lib.stride_tricks.as_strided(
        V, shape, (points, n, TILE * length, length, rest)
    )


def _apply(matrix, x, out):
    """out[..., i, r] = Σ_j matrix[i, j] x[..., j, r], in slices of r for which BLAS copies
    nothing"""
    xp = array_module(x)
    matrix = _placed(xp, x.dtype, matrix.tobytes(), matrix.shape)
    width = SMALL // matrix.size
    for first in range(0, x.shape[-1], width):
        some = (..., slice(first, first + width))
        xp.matmul(matrix, x[some], out=out[some])


@functools.lru_cache(100)
def _placed(xp, dtype, numbers, shape):
    """A matrix of float64, in bytes, on the device: what goes to a GPU waits for it, and goes but
    once"""
    return xp.asarray(np.frombuffer(numbers).reshape(shape), dtype=dtype)
