"""Tiles: the transforms of Winograd's algorithm from an image to the points and back.

A tile has 4 outputs along each axis and reads 6 inputs. Adjacent tiles read two common inputs. A
transform along an axis is the product of a small matrix with the numbers along that axis, for all
positions of the other axes at once. The arrays are laid out so that each row of such a product is a
run of contiguous numbers. No tile has to be copied on its own.

At the points, an array has the shape (6^(rank-1), tiles, 6, channels): the points of all axes but
the last, the tiles, and the points of the last axis.

Functions here take `buffer`, a function that returns a scratch array of a shape. See
`alternating_buffers`.
"""

import functools
from itertools import cycle
from math import prod

import numpy as np

from minidl.backend import array_module
from minidl.engine.memory import scratch
from minidl.engine.patches import padded_slice
from minidl.engine.strips import equal_parts, strips
from minidl.engine.threads import get_threads, parallel_map

TILE = 4  # outputs of a tile along each axis
INPUTS = 6  # inputs of a tile along each axis, which is also the number of points
LEAST_TILES = 128  # of one strip: a matrix product of fewer rows is slow
STRIP = 1 << 20  # numbers at the points of one strip
BLOCK = 1 << 23  # numbers at the points of a block of strips, in dw
SMALL = 10**6  # OpenBLAS computes products of at most so many multiply-adds without copying


def tiles_of(out):
    """Return the number of tiles along each axis that cover so many outputs."""
    return [-(-n // TILE) for n in out]


def inputs_at_points(matrix, x, images, rows, tiles, before, buffer, out=None, untiled=()):
    """(N, *extent, C) -> (6^(rank-1), tiles, 6, C): apply a matrix along each axis of every tile.

    matrix: Bᵀ (6, 6), or A (6, 4), which maps tiles of outputs
    images, rows: the strip: slices of the images, and of the rows of tiles
    tiles: number of tiles along each axis
    before: padding before each axis
    out: array for the result, or None
    untiled: lengths that are read along the last axes, if these are not divided into tiles. These
        axes and the channels are treated as one axis of channels.
    """
    tiles = [rows.stop - rows.start, *tiles[1:]]
    length = matrix.shape[1]  # of a tile along each axis: 6 inputs, or 4 outputs
    begin = [TILE * rows.start - before[0], *(-b for b in before[1:])]
    lengths = [*(TILE * (n - 1) + length for n in tiles), *untiled]
    V = padded_slice(x, images, begin, lengths, buffer)
    n, channels, points = V.shape[0], V.shape[-1], 1
    for axis, count in enumerate(tiles):
        inner = prod(lengths[axis + 1 :]) * channels  # numbers at one position of this axis
        windows = _windows(V.reshape(points, n, lengths[axis], inner), count, length)
        if axis == len(tiles) - 1:
            V = buffer(points, n * count, INPUTS, inner) if out is None else out
            _apply(matrix, windows, V.reshape(points, n, count, INPUTS, inner))
        else:
            V = buffer(points, INPUTS, n, count, inner)
            _apply(matrix, windows, V.transpose(0, 2, 3, 1, 4))
            points, n = points * INPUTS, n * count
    return V


def outputs_from_points(matrix, M, y, buffer):
    """(6^(rank-1), tiles, 6, K) -> y (n, *out, K): apply Aᵀ along each axis, the last one first.

    Outputs of the last tiles that are outside y are discarded.
    """
    points, (n, *out, inner) = M.shape[0], y.shape
    tiles = tiles_of(out)
    for axis in reversed(range(1, len(out))):
        Y = buffer(points, M.shape[1], TILE, inner)
        _apply(matrix, M, Y)
        inner, points = inner * TILE * tiles[axis], points // INPUTS
        M = Y.reshape(points, INPUTS, -1, inner).swapaxes(1, 2)
    in_place = y.flags.c_contiguous and all(length % TILE == 0 for length in out)
    shape = (n, tiles[0], TILE, inner)
    Y = y.reshape(shape) if in_place else buffer(*shape)
    _apply(matrix, M.reshape(n, tiles[0], INPUTS, inner), Y)
    if not in_place:
        all_outputs = Y.reshape(n, *(TILE * count for count in tiles), y.shape[-1])
        y[...] = all_outputs[(slice(None), *map(slice, out))]


def map_kernels(matrix, kernels, out):
    """(j, .., j, C, K) -> (i, .., i, C, K): apply a matrix (i, j) along each axis but the channels,
    and write the result to `out`. The threads divide the channels C."""
    xp, (*size, channels, _) = array_module(kernels), kernels.shape

    def work(inputs):
        buffer, result = alternating_buffers(xp, out.dtype), out[..., inputs, :]
        mapped = kernels[..., inputs, :].reshape(*size, -1)
        for axis in range(len(size)):
            shape = (*result.shape[: axis + 1], *mapped.shape[axis + 1 :])
            is_last = axis == len(size) - 1
            target = result.reshape(shape) if is_last else buffer(*shape)
            _apply(matrix, xp.moveaxis(mapped, axis, -2), xp.moveaxis(target, axis, -2))
            mapped = target

    most = STRIP // 2 * channels // max(kernels.size, out.size)
    parallel_map(xp, work, equal_parts(channels, most))


def strips_of_tiles(images, tiles, inputs, outputs):
    """Return strips (slice of the images, slice of the rows of tiles, slice of the output
    channels).

    If there are fewer strips than threads, the threads also divide the output channels. Each of
    them then computes the inputs at the points for itself.
    """
    parts, channels = _parts(images, tiles, inputs, outputs), [slice(0, outputs)]
    if len(parts) < get_threads():
        channels = equal_parts(outputs, outputs * len(parts) // get_threads())
    return [(*part, of_part) for part in parts for of_part in channels]


def blocks_of_tiles(images, tiles, inputs, outputs):
    """Return blocks, which are lists of strips (slice of the images, slice of the rows of tiles,
    slice of the tiles of the block). A block has at most BLOCK numbers at the points, or one
    strip."""
    most, end = BLOCK // (INPUTS ** len(tiles) * max(inputs, outputs)), 0
    blocks: list[list[tuple[slice, slice, slice]]] = []
    for part, rows in _parts(images, tiles, inputs, outputs):
        count = (part.stop - part.start) * (rows.stop - rows.start) * prod(tiles[1:])
        if not blocks or end + count > most:
            blocks.append([])
            end = 0
        blocks[-1].append((part, rows, slice(end, end + count)))
        end += count
    return blocks


def alternating_buffers(xp, dtype):
    """Return buffer(*shape), which returns one of two scratch arrays in turn. Each transform reads
    the one and writes to the other. The call after the next one overwrites an array."""
    names = cycle(("even buffer", "odd buffer"))
    return lambda *shape: scratch(xp, next(names), shape, dtype)


def _parts(images, tiles, inputs, outputs):
    """Return strips (slice of the images, slice of the rows of tiles) that fit the cache and, if
    that leaves enough tiles, whose products OpenBLAS computes without copying."""
    uncopied = SMALL // (inputs * outputs)
    fitting = STRIP // (INPUTS ** len(tiles) * max(inputs, outputs))
    most = min(uncopied, fitting) if uncopied >= LEAST_TILES else max(LEAST_TILES, fitting)
    return strips(images, tiles[0], prod(tiles[1:]), most)


def _windows(V, count, length):
    """(points, n, positions, inner) -> (points, n, count, length, inner): the inputs of `count`
    tiles, TILE positions apart, as a view"""
    points, n, position, inner = V.strides
    shape = (*V.shape[:2], count, length, V.shape[-1])
    strides = (points, n, TILE * position, position, inner)
    return array_module(V).lib.stride_tricks.as_strided(V, shape, strides)


def _apply(matrix, x, out):
    """out[..., i, r] = Σ_j matrix[i, j] x[..., j, r], in slices of r that BLAS multiplies without
    copying"""
    xp = array_module(x)
    matrix = _on_device(xp, x.dtype, matrix.tobytes(), matrix.shape)
    width = SMALL // matrix.size
    for first in range(0, x.shape[-1], width):
        part = (..., slice(first, first + width))
        xp.matmul(matrix, x[part], out=out[part])


@functools.lru_cache(100)
def _on_device(xp, dtype, numbers, shape):
    """Return a matrix of float64, given as bytes, on the device. The cache avoids that each call
    waits for a copy to the GPU."""
    return xp.asarray(np.frombuffer(numbers).reshape(shape), dtype=dtype)
