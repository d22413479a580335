"""This algorithm combines Winograd's F(4, 3) along all axes but the last with runs along the last,
for few channels (Winograd 1980; Lavin & Gray 2015, arXiv 1509.09308; Cho & Brand 2017, arXiv
1706.06873).

A row of an image has W positions with C channels each. For the other axes, the row is one position
with W·C channels. Winograd's transforms along these axes therefore give rows at the points. At each
point, a convolution of the rows of inputs with the rows of kernels along the last axis remains to
be computed. It needs no transforms, because its windows are runs (runs.py). In two dimensions, with
the matrices of winograd.py and * for the convolution along the last axis,

    V = Bᵀ x,      U = G w,      M[p] = V[p] * U[p] at each point p,      y = Aᵀ M

This is the definition, because the transforms combine rows. They apply to each place of the last
axis alone, and the sum over the taps of that axis may be taken before or after them.

dx = dy * w' is the same computation of dy, with the kernel w' rotated by 180° and its channels
exchanged. dw uses the adjoint of each transform, as in winograd.py: dM = A dy, dU[p] is the
gradient of V[p] * U[p] with respect to U[p], and dw = Gᵀ dU.

Each axis with transforms halves the number of multiplications and stores 6/4 times as many numbers
at the points. An axis of runs changes neither. With few channels, reading and writing the numbers
at the points takes more time than the multiplications. One axis fewer with transforms is then
faster.

Cost: N·out·C·K·(6/4)^(rank-1)·3 multiply-adds, in two dimensions 4.5 instead of 9. The transforms
take half of the time of winograd's.
"""

from math import inf, prod

from minidl.backend import array_module
from minidl.engine.convolution import winograd
from minidl.engine.convolution.algorithm import Algorithm
from minidl.engine.convolution.runs import runs, spaced_rows
from minidl.engine.convolution.tiles import (
    INPUTS,
    TILE,
    alternating_buffers,
    inputs_at_points,
    map_kernels,
    outputs_from_points,
    tiles_of,
)
from minidl.engine.convolution.winograd import TAPS, A, B, G
from minidl.engine.epilogue import Epilogue
from minidl.engine.memory import empty, scratch
from minidl.engine.strips import fair_strip, strips
from minidl.engine.threads import parallel_map, parallel_sum

STRIP = 1 << 22  # numbers at the points of one strip
TRANSFORM, START = 75, 1e7  # cost of one number at the points; of the calls
FEW_TILES = 20  # a product of so few tiles costs twice as much as its multiply-adds


def applies(problem):
    """Return whether winograd applies, and there are at least two axes."""
    return len(problem.windows.size) > 1 and winograd.applies(problem)


def cost(problem):
    """Return the cost of the products, the transforms and the kernels at the points. Return
    infinity on a GPU."""
    if problem.on_gpu or not problem.accurate:
        return inf
    windows, inputs, outputs = problem.windows, problem.inputs, problem.outputs
    *tiled, width = windows.extent if problem.map == "dx" else windows.out
    tiles, points = problem.images * prod(tiles_of(tiled)), INPUTS ** len(tiled)
    products = TAPS * inputs * outputs * (1 + FEW_TILES / max(1, tiles))
    kernels = TAPS * inputs * outputs * winograd.KERNEL
    return points * (tiles * width * (products + TRANSFORM * (inputs + outputs)) + kernels) + START


def forward(x, w, windows, groups, epilogue):
    """(N, *extent, C), (3, .., 3, C, K) -> (N, *out, K)"""
    return _correlate(x, w, windows.before, windows.out, epilogue)


def dx(dy, w, windows, groups):
    """(N, *out, K), (3, .., 3, C, K) -> (N, *extent, C):  the forward with the turned kernel"""
    before = [TAPS - 1 - before for before in windows.before]
    return _correlate(dy, winograd.turned(w), before, windows.extent, Epilogue())


def _correlate(x, w, before, out, epilogue):
    """(N, *extent, C), (3, .., 3, C, K) -> (N, *out, K)

    before: padding before each axis; out: outputs along each axis
    """
    xp, (*tiled, width), (*_, channels, outputs) = array_module(x, w), out, w.shape
    dtype, tiles, read = xp.result_type(x.dtype, w.dtype), tiles_of(tiled), [width + TAPS - 1]
    U, y = _kernels(w, dtype), empty(xp, (x.shape[0], *out, outputs), dtype)

    def work(strip):
        images, rows = strip
        buffer = alternating_buffers(xp, dtype)
        V = inputs_at_points(B.T, x, images, rows, tiles, before, buffer, untiled=read)
        M = spaced_rows(xp, "M", (*V.shape[:-1], width, outputs), dtype)
        xp.matmul(_runs(V, channels, TAPS), U, out=runs(M.swapaxes(1, 2)))
        y_part = y[images, TILE * rows.start : TILE * rows.stop]
        outputs_from_points(A.T, _joined(M), _joined(y_part), buffer)
        epilogue(y_part, slice(None))

    if y.size:
        parallel_map(xp, work, _strips(xp, x.shape[0], out, max(channels, outputs)))
    return y


def dw(dy, x, windows, groups):
    """(N, *out, K), (N, *extent, C) -> (3, .., 3, C, K)"""
    xp, (*tiled, width) = array_module(dy, x), windows.out
    channels, outputs, dtype = x.shape[-1], dy.shape[-1], xp.result_type(dy.dtype, x.dtype)
    tiles, axes, read = tiles_of(tiled), len(tiled), width + TAPS - 1
    no_padding = [0] * len(windows.out)

    def work(strip):
        images, rows = strip
        count = (images.stop - images.start) * (rows.stop - rows.start) * prod(tiles[1:])
        at_points = (INPUTS ** (axes - 1), count, INPUTS)
        V = scratch(xp, "V", (*at_points, read * channels), dtype)
        dM = spaced_rows(xp, "dM", (*at_points, width, outputs), dtype)
        buffer, geometry = alternating_buffers(xp, dtype), (images, rows, tiles)
        inputs_at_points(B.T, x, *geometry, windows.before, buffer, V, [read])
        inputs_at_points(A, dy, *geometry, no_padding, buffer, _joined(dM), [width])
        return (_runs(V, channels, TAPS).mT @ runs(dM.swapaxes(1, 2))).sum(axis=2)

    shape = (INPUTS ** (axes - 1), INPUTS, TAPS * channels, outputs)
    parts = _strips(xp, x.shape[0], windows.out, max(channels, outputs))
    dU = parallel_sum(xp, work, parts, shape, dtype)
    dw = xp.empty((*windows.size[:-1], TAPS * channels, outputs), dtype)
    map_kernels(G.T, dU.reshape((INPUTS,) * axes + dU.shape[2:]), dw)
    return dw.reshape(*windows.size, channels, outputs)


def _kernels(w, dtype):
    """(3, .., 3, C, K) -> (6^(rank-2), 6, 1, 3·C, K): G along each axis but the last. The taps of
    the last axis and the channels make one axis."""
    xp, (*size, taps, channels, outputs) = array_module(w), w.shape
    U = scratch(xp, "U", (*[INPUTS] * len(size), taps * channels, outputs), dtype)
    map_kernels(G, w.astype(dtype, copy=False).reshape(*size, taps * channels, outputs), U)
    return U.reshape(-1, INPUTS, 1, taps * channels, outputs)


def _joined(x):
    """(.., width, C) -> (.., width·C)"""
    return x.reshape(*x.shape[:-2], -1)


def _runs(rows, channels, taps):
    """(points, tiles, 6, width·C) -> (points, 6, places, tiles, taps·C), a view"""
    return runs(rows.reshape(*rows.shape[:-1], -1, channels).swapaxes(1, 2), taps)


def _strips(xp, images, out, channels):
    """Return strips (slice of the images, slice of the rows of tiles)."""
    tiles = tiles_of(out[:-1])
    row = prod(tiles[1:]) * INPUTS ** len(tiles) * out[-1] * channels
    return strips(images, tiles[0], row, fair_strip(xp, images * tiles[0] * row, STRIP))


WINOGRAD_RUNS = Algorithm(
    "winograd_runs",
    "kernels of 3 taps on each of two axes or more, stride 1, dilation 1, groups 1",
    applies,
    cost,
    forward,
    dx,
    dw,
)
