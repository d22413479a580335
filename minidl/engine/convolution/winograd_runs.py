"""Winograd's F(4, 3) along all axes but the last, and runs of memory along the last: for few
channels.

A picture's row of W positions with C channels each is, for the other axes, one position of W·C
channels. So Winograd's maps along these give rows at their points; and at each point a convolution
of one axis is left, of the rows with the kernel's rows there. That one needs no maps: its windows
are runs of memory (runs.py).

Each axis with maps saves half of the multiplications and multiplies the numbers by 6/4 on the way;
an axis of runs saves none and adds nothing. With few channels the numbers cost more than the
multiplications, so one axis less of maps is the faster way.

Cost: N·out·C·K·(6/4)^(rank-1)·3 multiply-adds: in two dimensions 4.5 of 9; and half of winograd's
maps.
"""

from math import inf, prod

from minidl.backend import array_module
from minidl.engine.convolution import winograd
from minidl.engine.convolution.algorithm import Algorithm
from minidl.engine.convolution.runs import rows_apart, runs
from minidl.engine.convolution.tiles import (
    INPUTS,
    TILE,
    inputs_at_points,
    map_kernels,
    outputs_from_points,
    tiles_of,
    two_rooms,
)
from minidl.engine.convolution.winograd import TAPS, A, B, G
from minidl.engine.epilogue import Epilogue
from minidl.engine.memory import empty, scratch
from minidl.engine.strips import fair_strip, strips
from minidl.engine.threads import share, share_sum

STRIP = 1 << 22  # numbers at the points of one strip
MAP, START = 75, 1e7  # cost of one number at the points; of the calls
FEW_TILES = 20  # with so few tiles in a product it costs twice as much


def applies(problem):
    """Whether winograd applies, on two axes or more"""
    return len(problem.windows.size) > 1 and winograd.applies(problem)


def cost(problem):
    """The products, the maps and the kernels at the points. Infinite on a GPU."""
    if problem.on_gpu or not problem.accurate:
        return inf
    windows, inputs, outputs = problem.windows, problem.inputs, problem.outputs
    *tiled, width = windows.extent if problem.map == "dx" else windows.out
    tiles, points = problem.images * prod(tiles_of(tiled)), INPUTS ** len(tiled)
    products = TAPS * inputs * outputs * (1 + FEW_TILES / max(1, tiles))
    kernels = TAPS * inputs * outputs * winograd.KERNEL
    return points * (tiles * width * (products + MAP * (inputs + outputs)) + kernels) + START


def forward(x, w, windows, groups, epilogue):
    """(N, *extent, C), (3, .., 3, C, K) -> (N, *out, K)"""
    return _correlate(x, w, [before for before, _ in windows.padding], windows.out, epilogue)


def dx(dy, w, windows, groups):
    """(N, *out, K), (3, .., 3, C, K) -> (N, *extent, C)"""
    turned = w[(slice(None, None, -1),) * len(windows.size)].swapaxes(-1, -2)
    return _correlate(
        dy, turned, [TAPS - 1 - before for before, _ in windows.padding], windows.extent, Epilogue()
    )


def _correlate(x, w, before, out, epilogue):
    xp, (*tiled, width), (*_, channels, outputs) = array_module(x, w), out, w.shape
    dtype = xp.result_type(x.dtype, w.dtype)
    U, y = _kernels(w, dtype), empty(xp, (x.shape[0], *out, outputs), dtype)

    def work(strip):
        images, rows = strip
        room = two_rooms(xp, dtype)
        V = inputs_at_points(
            B.T, x, images, rows, tiles_of(tiled), before, room, whole=[width + TAPS - 1]
        )
        M = rows_apart(xp, "M", (*V.shape[:-1], width, outputs), dtype)
        xp.matmul(_runs(V, channels, TAPS), U, out=runs(M.swapaxes(1, 2)))
        part = y[images, TILE * rows.start : TILE * rows.stop]
        outputs_from_points(
            A.T, M.reshape(*M.shape[:-2], -1), part.reshape(*part.shape[:-2], -1), room
        )
        epilogue(part, slice(None))

    if y.size:
        share(xp, work, _strips(xp, x.shape[0], out, max(channels, outputs)))
    return y


def dw(dy, x, windows, groups):
    """(N, *out, K), (N, *extent, C) -> (3, .., 3, C, K)"""
    xp, (*tiled, width), channels, outputs = (
        array_module(dy, x),
        windows.out,
        x.shape[-1],
        dy.shape[-1],
    )
    tiles, before, nothing_before = (
        tiles_of(tiled),
        [before for before, _ in windows.padding],
        [0] * len(windows.out),
    )
    dtype, axes = xp.result_type(dy.dtype, x.dtype), len(tiles)

    def work(strip):
        images, rows = strip
        room, count = (
            two_rooms(xp, dtype),
            (images.stop - images.start) * (rows.stop - rows.start) * prod(tiles[1:]),
        )
        V = scratch(
            xp, "V", (INPUTS ** (axes - 1), count, INPUTS, (width + TAPS - 1) * channels), dtype
        )
        dM = rows_apart(xp, "dM", (INPUTS ** (axes - 1), count, INPUTS, width, outputs), dtype)
        inputs_at_points(B.T, x, images, rows, tiles, before, room, V, [width + TAPS - 1])
        inputs_at_points(
            A,
            dy,
            images,
            rows,
            tiles,
            nothing_before,
            room,
            dM.reshape(*dM.shape[:-2], -1),
            [width],
        )
        return (_runs(V, channels, TAPS).mT @ runs(dM.swapaxes(1, 2))).sum(axis=2)

    parts = _strips(xp, x.shape[0], windows.out, max(channels, outputs))
    dU = share_sum(xp, work, parts, (INPUTS ** (axes - 1), INPUTS, TAPS * channels, outputs), dtype)
    dw = xp.empty((*windows.size[:-1], TAPS * channels, outputs), dtype)
    map_kernels(G.T, dU.reshape((INPUTS,) * axes + dU.shape[2:]), dw)
    return dw.reshape(*windows.size, channels, outputs)


def _kernels(w, dtype):
    """(3, .., 3, C, K) -> (6^(rank-2), 6, 1, 3·C, K): G along each axis but the last, whose taps go
    with the channels"""
    xp, (*size, taps, channels, outputs) = array_module(w), w.shape
    U = scratch(xp, "U", (*[INPUTS] * len(size), taps * channels, outputs), dtype)
    map_kernels(G, w.astype(dtype, copy=False).reshape(*size, taps * channels, outputs), U)
    return U.reshape(-1, INPUTS, 1, taps * channels, outputs)


def _runs(rows, channels, taps):
    """(points, tiles, 6, width·C) -> (points, 6, places, tiles, taps·C), a view"""
    return runs(rows.reshape(*rows.shape[:-1], -1, channels).swapaxes(1, 2), taps)


def _strips(xp, images, out, channels):
    """(images, rows of tiles)"""
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
