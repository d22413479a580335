"""Winograd's algorithm on a GPU, in two dimensions. The transforms of winograd.py are the kernels
of winograd.cu, and one call of the GPU's BLAS computes the products at all 36 points.

The kernels also apply the bias, the ReLU and the mask of the ReLU's gradient, while a tile is in
the registers of a thread. The numbers at the points take 2.25 times the memory of the images. Large
images are therefore computed in parts, which are ranges of tiles.
"""

import functools
from math import prod
from pathlib import Path

from minidl.backend import array_module
from minidl.engine import strips
from minidl.engine.convolution.tiles import INPUTS, tiles_of
from minidl.engine.epilogue import Rectified
from minidl.engine.kept import cached_per_array
from minidl.engine.kernels import Kernels, structure
from minidl.frozen import is_frozen

KERNELS = Kernels(Path(__file__).with_name("winograd.cu"))
POINTS = INPUTS**2


def fit(a, b):
    """Return whether the kernels can process these arrays: on a GPU, of one dtype, float32 or
    float64, with two spatial axes.

    a: x, or dy as an array or a Rectified; b: the other array that it reads
    """
    arrays = [array for array in (*_and_mask(a), b) if array is not None]
    return len(a.shape) == 4 and KERNELS.fit(*arrays)


def correlate(x, w, turn, before, out, epilogue):
    """(N, H, W, C), (3, 3, C, K) -> (N, *out, K)

    turn: whether to rotate w by 180° and exchange C and K; before: padding before each axis; out:
    outputs along each axis
    """
    xp, tiles = array_module(x, w), tiles_of(out)
    U = (_kept_kernels if is_frozen(w) else _kernels)(w, turn)
    outputs, rectify = U.shape[-1], int(epilogue.rectify)
    y = xp.empty((x.shape[0], *out, outputs), x.dtype)
    bias = None if epilogue.b is None else xp.ascontiguousarray(epilogue.b, x.dtype)
    for part in _parts(x.shape[0], tiles, max(U.shape[1:])):
        V = _at_points("inputs_at_points", x, part, tiles, before)
        M = xp.empty((POINTS, len(part), outputs), x.dtype)
        xp.matmul(V, U, out=M)
        tiling = _tiling(part, *tiles, *y.shape[1:], 0, 0)
        count = len(part) * outputs
        KERNELS.launch("outputs_from_points", count, M, bias, y, rectify, tiling)
    return y


def dw(dy, x, before):
    """(N, H', W', K), (N, H, W, C) -> (3, 3, C, K)

    before: padding before each axis
    """
    xp, tiles, shape = array_module(dy, x), tiles_of(dy.shape[1:-1]), (x.shape[-1], dy.shape[-1])
    dU, dw = xp.zeros((POINTS, *shape), x.dtype), xp.empty((3, 3, *shape), x.dtype)
    for part in _parts(x.shape[0], tiles, max(shape)):
        V = _at_points("inputs_at_points", x, part, tiles, before)
        dM = _at_points("gradients_at_points", dy, part, tiles)
        dU += xp.matmul(V.mT, dM)
    KERNELS.launch("kernels_from_points", prod(shape), dU, dw, prod(shape))
    return dw


def _kernels(w, turn):
    """(3, 3, C, K) -> (36, C, K) or, with `turn`, (36, K, C)"""
    xp, (C, K) = array_module(w), w.shape[-2:]
    U = xp.empty((POINTS, K, C) if turn else (POINTS, C, K), w.dtype)
    KERNELS.launch("kernels_at_points", C * K, xp.ascontiguousarray(w), U, int(turn), C, K)
    return U


_kept_kernels = cached_per_array(_kernels)


def _at_points(kernel, x, part, tiles, before=(0, 0)):
    """(N, H, W, C) -> (36, tiles, C), for a range of all tiles. x: an array, or a Rectified"""
    xp, channels = array_module(x), x.shape[-1]
    points = xp.empty((POINTS, len(part), channels), x.dtype)
    tiling = _tiling(part, *tiles, *x.shape[1:], *before)
    x, mask = (a if a is None else xp.ascontiguousarray(a) for a in _and_mask(x))
    KERNELS.launch(kernel, len(part) * channels, x, mask, points, tiling)
    return points


def _parts(images, tiles, channels):
    """Return ranges of all tiles of all images, of at most GPU_STRIP numbers at the points each."""
    count, most = images * prod(tiles), strips.GPU_STRIP // (POINTS * channels)
    return [range(count)[part] for part in strips.equal_parts(count, most, threads=1)]


@functools.lru_cache(1000)
def _tiling(part, rows, columns, height, width, channels, above, left):
    """Return the `Tiling` of winograd.cu for a range of all tiles."""
    return structure(
        first=part.start,
        tiles=len(part),
        rows=rows,
        columns=columns,
        height=height,
        width=width,
        channels=channels,
        above=above,
        left=left,
    )


def _and_mask(x):
    """Return (x, None) for an array, and (dy, y) for the Rectified dy·[y ≠ 0]."""
    return (x.dy, x.y) if isinstance(x, Rectified) else (x, None)
