"""Convolution by Winograd's F(4, 3): four outputs of three taps for six multiplications instead of twelve, and in two
dimensions sixteen for 36 instead of 144 (Winograd 1980; Lavin & Gray 2015, arXiv 1509.09308).

**One dimension.** Four outputs of a kernel g of three taps, y[o] = Σ_t d[o+t] g[t], read six inputs d. Look at the sum the
other way round: in L = Σ_o dy[o] y[o] the input d[i] stands beside e[i] = Σ_{o+t=i} dy[o] g[t], which is the product of two
polynomials, dy[0] + dy[1] z + dy[2] z² + dy[3] z³ and g[0] + g[1] z + g[2] z². The product has degree 5, so its values at six
points determine it, and each value takes one multiplication. The points are 0, 1, -1, 2, -2 and ∞ (the highest coefficient):

    rows of A, which evaluates dy at the points:             1, p, p², p³
    rows of G, which evaluates g:                            1, p, p²,   divided by n(p) = Π_{q≠p} (p - q)
    columns of B, which find the product from its values:    the coefficients of Π_{q≠p} (z - q)      (Lagrange)

so e = B [(A dy) * (G g)], and since that is L's derivative by d, y is the same maps, transposed:

    y = Aᵀ [(Bᵀ d) * (G g)]

>>> d, g = np.array([0., 1., 2., 3., 4., 5.]), np.array([1., 2., 3.])
>>> A.T @ ((B.T @ d) * (G @ g))             # 0·1 + 1·2 + 2·3 = 8, 1·1 + 2·2 + 3·3 = 14, ...
array([ 8., 14., 20., 26.])

**Several dimensions.** The maps are applied along each axis. A tile of 4x4 outputs reads 6x6 inputs, and neighbouring tiles
overlap by two: Y = Aᵀ [(G g Gᵀ) * (Bᵀ d B)] A.

**Channels.** At each of the 36 points the product becomes a sum over the input channels, for all tiles at once: 36 matrix
products V U of V (tiles, C), the inputs at that point, with U (C, K), the kernels there. BLAS does these, and they are nearly
all of the work: 36/16 = 2.25 multiplications for each output and pair of channels, where the definition has 9.

**Gradients.** dx is a convolution of the same kind, of dy with the kernel turned by 180° and its channels exchanged. For dw the
maps run backwards: M = V U gives dU = Vᵀ dM, and Y = Aᵀ M A gives dM = A dY Aᵀ, U = G g Gᵀ gives dg = Gᵀ dU G.

**The error.** A sum of terms as large as 2³ = 8 times the inputs cancels to an output of their own size: some 5e-6 of the
largest output in float32, where the definition has 1e-6. More points would save more products and cancel more digits.

Cost: N·out·C·K·2.25 multiply-adds in two dimensions (3 in one, 3.375 of 27 in three) and the maps, which are matrix products
too, of matrices so flat that they cost what reading and writing their numbers costs.
"""

from itertools import cycle
from math import prod

import numpy as np

from minidl.backend import array_module
from minidl.cores import get_threads, share
from minidl.memory import empty, scratch
from minidl.ops.convolutions.frozen import is_frozen, once_for_each
from minidl.ops.padding import cut
from minidl.ops.strips import equal_parts, strips

POINTS = (0, 1, -1, 2, -2)  # and ∞
TILE, TAPS, INPUTS = 4, 3, 6  # along each axis: outputs of a tile, taps of the kernel, inputs of a tile and points


def _maps():
    """A, B and G of the derivation above."""
    evaluate, infinity = np.vander(POINTS, INPUTS, increasing=True), np.eye(INPUTS)[-1:]
    n = [prod(p - q for q in POINTS if q != p) for p in POINTS]
    lagrange = [[*np.poly([q for q in POINTS if q != p])[::-1], 0] for p in POINTS]
    A = np.vstack([evaluate[:, :TILE], infinity[:, -TILE:]])
    G = np.vstack([evaluate[:, :TAPS] / np.reshape(n, (-1, 1)), infinity[:, -TAPS:]])
    B = np.vstack([lagrange, np.poly(POINTS)[::-1]]).T
    return A, B, G


A, B, G = _maps()

TILES = 128  # the least tiles of one strip: a matrix product of fewer rows is slow
KEEP = 1 << 30  # multiply-adds of the products below which frozen kernels stay at the points, at 4 times their size
STRIP = 1 << 20  # numbers at the points of one strip
BLOCK = 1 << 23  # numbers at the points of a block of tiles, in dw
SMALL = 10**6  # multiply-adds up to which OpenBLAS multiplies without first copying the matrices


def fits(windows, groups):
    """Whether this algorithm can: three taps on each axis, stride 1, dilation 1, no groups."""
    return (*windows.size, *windows.stride, *windows.dilation, groups) == (TAPS,) * len(windows.size) + (1,) * (
        2 * len(windows.size) + 1
    )


def tiles_of(images, out):
    """How many tiles cover so many images' outputs."""
    return images * prod(-(-n // TILE) for n in out)


def keeps(w, images, out):
    """Whether the kernels at the points are computed once for good: w is frozen, and they are a tenth of the work or more."""
    return is_frozen(w) and tiles_of(images, out) * INPUTS ** len(out) * w.shape[-2] * w.shape[-1] < KEEP


def forward(x, w, windows, groups, finish):
    """(N, *extent, C), (3, .., 3, C, K) -> (N, *out, K)"""
    before = [before for before, _ in windows.padding]
    return _correlate(x, w, False, before, windows.out, finish)


def dx(dy, w, windows, groups):
    """(N, *out, K), (3, .., 3, C, K) -> (N, *extent, C)"""
    before = [TAPS - 1 - before for before, _ in windows.padding]
    return _correlate(dy, w, True, before, windows.extent, lambda y, outputs: None)


def _correlate(x, w, turn, before, out, finish):
    """(N, *extent, C), (3, .., 3, C, K) -> (N, *out, K); turn: by 180°, with C and K exchanged"""
    xp, tiles = array_module(x, w), [-(-n // TILE) for n in out]
    U = (_kept_kernels if keeps(w, x.shape[0], out) else _kernels)(w, turn)
    outputs = U.shape[-1]
    y = empty(xp, (x.shape[0], *out, outputs), xp.result_type(x.dtype, w.dtype))

    def work(strip):
        images, rows, channels = strip
        room = _two_rooms(xp, y.dtype)
        V = _inputs_at_points(B.T, x, images, rows, tiles, before, room)
        M = room(*V.shape[:-1], channels.stop - channels.start)
        xp.matmul(V.swapaxes(1, 2), U[..., channels], out=M.swapaxes(1, 2))
        part = y[images, TILE * rows.start : TILE * rows.stop, ..., channels]
        _outputs_from_points(M, part, room)
        finish(part, channels)

    share(xp, work, _strips(x.shape[0], tiles, *U.shape[-2:]))
    return y


def dw(dy, x, windows, groups):
    """(N, *out, K), (N, *extent, C) -> (3, .., 3, C, K)"""
    xp, rank = array_module(dy, x), len(windows.out)
    channels, outputs, dtype = x.shape[-1], dy.shape[-1], xp.result_type(dy.dtype, x.dtype)
    dU = scratch(xp, "U", (INPUTS ** (rank - 1), INPUTS, channels, outputs), dtype)
    dU[...] = 0
    for block in _blocks(dy.shape[0], [-(-n // TILE) for n in windows.out], channels, outputs):
        _add_block(dU, block, dy, x, windows)
    return _kernels_from_points(dU, rank)


def _add_block(dU, block, dy, x, windows):
    """dU += Vᵀ dM, over the tiles of a block of strips: first V and dM, strip by strip, then the products, point by point"""
    xp, tiles = array_module(dU), [-(-n // TILE) for n in windows.out]
    before, nothing_before = [before for before, _ in windows.padding], [0] * len(tiles)
    _, end = block[-1]
    V = scratch(xp, "V", (len(dU), end, INPUTS, x.shape[-1]), dU.dtype)
    dM = scratch(xp, "dM", (len(dU), end, INPUTS, dy.shape[-1]), dU.dtype)

    def transform(strip):
        (images, rows), end = strip
        begin = end - (images.stop - images.start) * (rows.stop - rows.start) * prod(tiles[1:])
        room = _two_rooms(xp, dU.dtype)
        _inputs_at_points(B.T, x, images, rows, tiles, before, room, V[:, begin:end])
        _inputs_at_points(A, dy, images, rows, tiles, nothing_before, room, dM[:, begin:end])

    def multiply(point):
        i, j = divmod(point, INPUTS)
        dU[i, j] += V[i, :, j].T @ dM[i, :, j]

    share(xp, transform, block)
    share(xp, multiply, range(len(dU) * INPUTS))


def _kernels(w, turn):
    """(3, .., 3, C, K) -> (6^(rank-1), 6, C, K) or, turned, (6^(rank-1), 6, K, C): G along each axis"""
    w = w[(slice(None, None, -1),) * (w.ndim - 2)].swapaxes(-1, -2) if turn else w
    xp, (*size, channels, outputs) = array_module(w), w.shape
    U = scratch(xp, "U", (*[INPUTS] * len(size), channels, outputs), w.dtype)
    _along_the_axes(G, w, U)
    return U.reshape(-1, INPUTS, channels, outputs)


@once_for_each
def _kept_kernels(w, turn):
    return _kernels(w, turn).copy()


def _kernels_from_points(dU, rank):
    """(6^(rank-1), 6, C, K) -> (3, .., 3, C, K): Gᵀ along each axis"""
    dw = array_module(dU).empty((TAPS,) * rank + dU.shape[-2:], dtype=dU.dtype)
    _along_the_axes(G.T, dU.reshape((INPUTS,) * rank + dU.shape[-2:]), dw)
    return dw


def _along_the_axes(matrix, kernels, out):
    """The matrix along each axis of kernels (j, .., j, C, K) -> (i, .., i, C, K), some input channels at a time"""
    xp, (*size, channels, _) = array_module(kernels), kernels.shape

    def work(some):
        room, part, last = _two_rooms(xp, out.dtype), kernels[..., some, :].reshape(*size, -1), out[..., some, :]
        for axis in range(len(size)):
            shape = (*last.shape[: axis + 1], *part.shape[axis + 1 :])
            to = last.reshape(shape) if axis == len(size) - 1 else room(*shape)
            _apply(matrix, xp.moveaxis(part, axis, -2), xp.moveaxis(to, axis, -2))
            part = to

    share(xp, work, equal_parts(channels, STRIP // 2 * channels // max(kernels.size, out.size)))


def _inputs_at_points(matrix, x, images, rows, tiles, before, room, out=None):
    """(N, *extent, C) -> (6^(rank-1), tiles, 6, C): the matrix (Bᵀ or A) along each axis of every tile of some rows of tiles

    The points of an axis go to the front, but for the last axis: there each tile stays together, so that the rows of every
    matrix are runs of memory, and no tile is ever copied by itself.
    """
    tiles = [rows.stop - rows.start, *tiles[1:]]
    taken = matrix.shape[1]  # numbers along an axis that a tile reads: 6 inputs, or 4 outputs
    begin = [TILE * rows.start - before[0], *(-b for b in before[1:])]
    V = cut(x, images, begin, [TILE * (n - 1) + taken for n in tiles], room)
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


def _outputs_from_points(M, y, room):
    """(6^(rank-1), tiles, 6, K) -> (n, *out, K): Aᵀ along each axis, the last first; what tiles have beyond y is left out"""
    points, (n, *out, rest) = M.shape[0], y.shape
    tiles = [-(-length // TILE) for length in out]
    for axis in reversed(range(1, len(out))):
        Y = room(points, M.shape[1], TILE, rest)
        _apply(A.T, M, Y)
        rest, points = rest * TILE * tiles[axis], points // INPUTS
        M = Y.reshape(points, INPUTS, -1, rest).swapaxes(1, 2)
    into_place = y.flags.c_contiguous and all(length % TILE == 0 for length in out)
    Y = y.reshape(n, tiles[0], TILE, rest) if into_place else room(n, tiles[0], TILE, rest)
    _apply(A.T, M.reshape(n, tiles[0], INPUTS, rest), Y)
    if not into_place:
        whole = Y.reshape(n, *(TILE * count for count in tiles), y.shape[-1])
        y[...] = whole[(slice(None), *map(slice, out))]


def _windows(V, count, taken):
    """(points, n, length, rest) -> (points, n, count, taken, rest): overlapping views, TILE apart"""
    points, n, length, rest = V.strides
    shape = (*V.shape[:2], count, taken, V.shape[-1])
    return array_module(V).lib.stride_tricks.as_strided(V, shape, (points, n, TILE * length, length, rest))


def _apply(matrix, x, out):
    """out[..., i, r] = Σ_j matrix[i, j] x[..., j, r], in slices of r for which BLAS copies nothing"""
    xp = array_module(x)
    matrix = xp.asarray(matrix, dtype=x.dtype)
    width = SMALL // matrix.size
    for first in range(0, x.shape[-1], width):
        some = (..., slice(first, first + width))
        xp.matmul(matrix, x[some], out=out[some])


def _strips(images, tiles, inputs, outputs):
    """(images, rows of tiles, output channels): where there are fewer strips than cores, they share the channels too."""
    parts = _strips_of_tiles(images, tiles, inputs, outputs)
    channels = (
        equal_parts(outputs, outputs * len(parts) // get_threads()) if len(parts) < get_threads() else [slice(0, outputs)]
    )
    return [(*part, some) for part in parts for some in channels]


def _strips_of_tiles(images, tiles, inputs, outputs):
    few = SMALL // (inputs * outputs)
    most = few if few >= TILES else max(TILES, STRIP // (INPUTS ** len(tiles) * max(inputs, outputs)))
    return strips(images, tiles[0], prod(tiles[1:]), most)


def _blocks(images, tiles, inputs, outputs):
    """Lists of strips, each with the number of tiles in its block up to its end"""
    most, blocks, end = BLOCK // (INPUTS ** len(tiles) * max(inputs, outputs)), [], 0
    for images_, rows in _strips_of_tiles(images, tiles, inputs, outputs):
        count = (images_.stop - images_.start) * (rows.stop - rows.start) * prod(tiles[1:])
        if not blocks or end + count > most:
            blocks.append([])
            end = 0
        end += count
        blocks[-1].append(((images_, rows), end))
    return blocks


def _two_rooms(xp, dtype):
    """room(*shape): an array to be filled. There are two, in turn, since each map reads one and fills the other."""
    names = cycle(("one", "other"))
    return lambda *shape: scratch(xp, next(names), shape, dtype)
