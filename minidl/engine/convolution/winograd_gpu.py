"""Winograd's algorithm on a GPU, for pictures: the maps of winograd.py are kernels (winograd.cu),
and between them the products at all 36 points go to the GPU's BLAS in one call.

Bias and ReLU are applied, and the mask of a ReLU's gradient, while a tile is in a thread's
registers. The points take 2.25 times the memory of the pictures, so large ones are worked off some
tiles at a time.
"""

import functools
from math import prod
from pathlib import Path

from minidl.backend import array_module
from minidl.engine import strips
from minidl.engine.convolution.tiles import INPUTS, tiles_of
from minidl.engine.epilogue import Rectified
from minidl.engine.kept import once_for_each
from minidl.engine.kernels import Kernels, structure
from minidl.frozen import is_frozen

KERNELS = Kernels(Path(__file__).with_name("winograd.cu"))
POINTS = INPUTS**2


def fit(a, b):
    """Whether the kernels can take these arrays: x or dy, and another."""
    return len(a.shape) == 4 and KERNELS.fit(
        *(array for array in (*_and_mask(a), b) if array is not None)
    )


def correlate(x, w, turn, before, out, epilogue):
    """(N, H, W, C), (3, 3, C, K) -> (N, *out, K); turn: w by 180°, with C and K exchanged"""
    xp, tiles = array_module(x, w), tiles_of(out)
    U = (_kept_kernels if is_frozen(w) else _kernels)(w, turn)
    y = xp.empty((x.shape[0], *out, U.shape[-1]), x.dtype)
    bias = None if epilogue.b is None else xp.ascontiguousarray(epilogue.b, x.dtype)
    for some in _parts(x.shape[0], tiles, max(U.shape[1:])):
        V, M = (
            _at_points("inputs_at_points", x, some, tiles, before),
            xp.empty((POINTS, len(some), U.shape[-1]), x.dtype),
        )
        xp.matmul(V, U, out=M)
        tiling = _tiling(some, *tiles, *y.shape[1:], 0, 0)
        KERNELS.launch(
            "outputs_from_points",
            len(some) * y.shape[-1],
            M,
            bias,
            y,
            int(epilogue.rectify),
            tiling,
        )
    return y


def dw(dy, x, before):
    """(N, H', W', K), (N, H, W, C) -> (3, 3, C, K)"""
    xp, tiles, shape = array_module(dy, x), tiles_of(dy.shape[1:-1]), (x.shape[-1], dy.shape[-1])
    dU, dw = xp.zeros((POINTS, *shape), x.dtype), xp.empty((3, 3, *shape), x.dtype)
    for some in _parts(x.shape[0], tiles, max(shape)):
        V, dM = (
            _at_points("inputs_at_points", x, some, tiles, before),
            _at_points("gradients_at_points", dy, some, tiles),
        )
        dU += xp.matmul(V.mT, dM)
    KERNELS.launch("kernels_from_points", prod(shape), dU, dw, prod(shape))
    return dw


def _kernels(w, turn):
    """(3, 3, C, K) -> (36, C, K) or, turned, (36, K, C)"""
    xp, (inputs, outputs) = array_module(w), w.shape[-2:]
    U = xp.empty((POINTS, outputs, inputs) if turn else (POINTS, inputs, outputs), w.dtype)
    KERNELS.launch(
        "kernels_at_points",
        inputs * outputs,
        xp.ascontiguousarray(w),
        U,
        int(turn),
        inputs,
        outputs,
    )
    return U


_kept_kernels = once_for_each(_kernels)


def _at_points(kernel, x, some, tiles, before=(0, 0)):
    """(N, H, W, C) -> (36, tiles, C), for some of the tiles; x: an array, or dy·[y ≠ 0]"""
    xp = array_module(x)
    points = xp.empty((POINTS, len(some), x.shape[-1]), x.dtype)
    x, mask = (a if a is None else xp.ascontiguousarray(a) for a in _and_mask(x))
    KERNELS.launch(
        kernel,
        len(some) * x.shape[-1],
        x,
        mask,
        points,
        _tiling(some, *tiles, *x.shape[1:], *before),
    )
    return points


def _parts(images, tiles, channels):
    """Ranges of all tiles of all images, of at most GPU_STRIP numbers at the points each"""
    count = images * prod(tiles)
    return [
        range(count)[part]
        for part in strips.equal_parts(count, strips.GPU_STRIP // (POINTS * channels), cores=1)
    ]


@functools.lru_cache(1000)
def _tiling(some, rows, columns, height, width, channels, above, left):
    return structure(
        first=some.start, tiles=len(some), rows=rows, columns=columns, height=height, width=width, channels=channels,
        above=above, left=left,
    )  # fmt: skip


def _and_mask(x):
    """(x, None), or (dy, y) of dy·[y ≠ 0]"""
    return (x.dy, x.y) if isinstance(x, Rectified) else (x, None)
