"""Winograd's algorithm on a GPU, for pictures: the maps of winograd.py are kernels (winograd.cu), and between them the products
at all 36 points go to the GPU's BLAS in one call.

Bias and ReLU are applied, and the mask of a ReLU's gradient, while a tile is in a thread's registers. The points take 2.25
times the memory of the pictures, so large ones are worked off some tiles at a time.
"""

from math import prod
from pathlib import Path

from minidl.backend import array_module
from minidl.frozen import is_frozen, once_for_each
from minidl.kernels import Kernels, number, structure
from minidl.ops.convolutions.fused import Rectified
from minidl.ops.convolutions.tiles import INPUTS, tiles_of
from minidl.ops.strips import GPU_STRIP, equal_parts

KERNELS = Kernels(Path(__file__).with_name("winograd.cu"))
POINTS = INPUTS**2


def runs(a, b):
    """Whether the kernels run on these arrays: x or dy, and w."""
    return len(a.shape) == 4 and KERNELS.run(*_with_mask(a), b)


def correlate(x, w, turn, before, out, finish):
    """(N, H, W, C), (3, 3, C, K) -> (N, *out, K); turn: w by 180°, with C and K exchanged"""
    xp, (x, mask), tiles = array_module(x, w), _contiguous(x), tiles_of(out)
    U = (_kept_kernels if is_frozen(w) else _kernels)(w, turn)
    y = xp.empty((x.shape[0], *out, U.shape[-1]), x.dtype)
    bias, rectify = None if finish.b is None else xp.ascontiguousarray(finish.b, x.dtype), number(finish.rectify)
    for some in _strips(x.shape[0], tiles, max(U.shape[1:])):
        V = _at_points("inputs_at_points", x, mask, some, tiles, before)
        M, tiling = xp.ascontiguousarray(xp.matmul(V, U)), _tiling(some, tiles, y.shape, [0, 0])
        KERNELS.launch("outputs_from_points", _threads(some, y), M, bias, y, rectify, tiling)
    return y


def dw(dy, x, before):
    """(N, H', W', K), (N, H, W, C) -> (3, 3, C, K)"""
    xp, (dy, mask), (x, _) = array_module(dy, x), _contiguous(dy), _contiguous(x)
    tiles, shape = tiles_of(dy.shape[1:-1]), (x.shape[-1], dy.shape[-1])
    dU, dw = xp.zeros((POINTS, *shape), x.dtype), xp.empty((3, 3, *shape), x.dtype)
    for some in _strips(x.shape[0], tiles, max(shape)):
        V = _at_points("inputs_at_points", x, None, some, tiles, before)
        dM = _at_points("gradients_at_points", dy, mask, some, tiles, [0, 0])
        dU += xp.matmul(V.mT, dM)
    KERNELS.launch("kernels_from_points", prod(shape), xp.ascontiguousarray(dU), dw, number(prod(shape)))
    return dw


def _kernels(w, turn):
    """(3, 3, C, K) -> (36, C, K) or, turned, (36, K, C)"""
    xp, (inputs, outputs) = array_module(w), w.shape[-2:]
    U = xp.empty((POINTS, outputs, inputs) if turn else (POINTS, inputs, outputs), w.dtype)
    sizes = number(inputs), number(outputs)
    KERNELS.launch("kernels_at_points", inputs * outputs, xp.ascontiguousarray(w), U, number(turn), *sizes)
    return U


_kept_kernels = once_for_each(_kernels)


def _at_points(name, x, mask, some, tiles, before):
    """(N, H, W, C) -> (36, tiles, C), for some of the tiles"""
    points = array_module(x).empty((POINTS, some.stop - some.start, x.shape[-1]), x.dtype)
    KERNELS.launch(name, _threads(some, x), x, mask, points, _tiling(some, tiles, x.shape, before))
    return points


def _strips(images, tiles, channels):
    """Slices of all tiles of all images, of at most GPU_STRIP numbers at the points"""
    return equal_parts(images * prod(tiles), GPU_STRIP // (POINTS * channels), cores=1)


def _threads(some, x):
    return (some.stop - some.start) * x.shape[-1]


def _tiling(some, tiles, shape, before):
    return structure(
        first=some.start, tiles=some.stop - some.start, rows=tiles[0], columns=tiles[1], height=shape[1], width=shape[2],
        channels=shape[3], above=before[0], left=before[1],
    )  # fmt: skip


def _contiguous(x):
    """(x, mask): dy and y where x is dy·[y > 0], else x and None"""
    xp = array_module(x)
    return [None if a is None else xp.ascontiguousarray(a) for a in (*_with_mask(x), None)[:2]]


def _with_mask(x):
    return (x.dy, x.y) if isinstance(x, Rectified) else (x,)
