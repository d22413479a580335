"""Winograd's F(4, 3) computes four outputs of three taps with six multiplications instead of
twelve, and in two dimensions 16 outputs with 36 instead of 144 (Winograd 1980; Lavin & Gray 2015,
arXiv 1509.09308).

**One dimension.** Four outputs of a kernel g with three taps, y[o] = Σ_t d[o+t] g[t], read six
inputs d. Let L = Σ_o dy[o] y[o]. In L, the factor of the input d[i] is e[i] = Σ_{o+t=i} dy[o] g[t].
These e[i] are the coefficients of the product of two polynomials, dy[0] + dy[1] z + dy[2] z² +
dy[3] z³ and g[0] + g[1] z + g[2] z². The product has degree 5. Its values at six points therefore
determine it, and each value takes one multiplication. Five of the points p are 0, 1, -1, 2 and -2.
With q for the four others of these five points:

    row of A, which evaluates dy at p:              1, p, p², p³
    row of G, which evaluates g at p:               1, p, p², divided by n(p) = Π_q (p - q)
    column of B, which interpolates (Lagrange):     the coefficients of Π_q (z - q)

The sixth point is ∞. The value there is the highest coefficient. The row of A is (0, 0, 0, 1), and
the row of G is (0, 0, 1). The column of B contains the coefficients of Π_p (z - p) over all five
points, which is 0 at each of them. The other columns are polynomials of degree 4 and do not change
the coefficient of z⁵. In numbers,

    Bᵀ = [4  0 -5  0 1 0]    G = [ 1/4     0    0  ]    Aᵀ = [1 1  1 1  1 0]
         [0 -4 -4  1 1 0]        [-1/6  -1/6  -1/6 ]         [0 1 -1 2 -2 0]
         [0  4 -4 -1 1 0]        [-1/6   1/6  -1/6 ]         [0 1  1 4  4 0]
         [0 -2 -1  2 1 0]        [ 1/24  1/12  1/6 ]         [0 1 -1 8 -8 1]
         [0  2 -1 -2 1 0]        [ 1/24 -1/12  1/6 ]
         [0  4  0 -5 0 1]        [ 0     0     1   ]

Therefore e = B [(A dy) * (G g)], where * is the product of corresponding numbers, and L = dᵀ e. y
is the derivative of L with respect to dy. It consists of the same transforms, transposed:

    y = Aᵀ [(Bᵀ d) * (G g)]

>>> d, g = np.array([0., 1., 2., 3., 4., 5.]), np.array([1., 2., 3.])
>>> A.T @ ((B.T @ d) * (G @ g))             # 0·1 + 1·2 + 2·3 = 8, 1·1 + 2·2 + 3·3 = 14, ...
array([ 8., 14., 20., 26.])

**Several dimensions.** The transforms are applied along each axis. A tile of 4x4 outputs reads 6x6
inputs, and adjacent tiles overlap by two inputs: Y = Aᵀ [(G g Gᵀ) * (Bᵀ d B)] A.

**Channels.** There are 36 points: 6 along one axis, combined with 6 along the other. At each of
them, the product becomes a sum over the input channels, for all tiles at once. These are 36 matrix
products V U, where V (tiles, C) contains the inputs at the point and U (C, K) the kernels. BLAS
computes them. They are nearly all of the work: 36/16 = 2.25 multiplications for each output and
pair of channels, where the definition has 9.

**Gradients.** dx is a convolution of the same kind, of dy with the kernel rotated by 180° and its
channels exchanged. dw uses the adjoint of each transform. From M = V U follows dU = Vᵀ dM, from
Y = Aᵀ M A follows dM = A dY Aᵀ, and from U = G g Gᵀ follows dg = Gᵀ dU G.

**Errors.** Bᵀ adds inputs with weights up to 5, and y[3] takes the products at ±2 eight times.
These large terms cancel to outputs of the size of the inputs, but their rounding errors remain. For
the activations of VGG19 in float32, the error is at most 6e-6 of the largest output. More points
would need fewer products and cancel more digits. All numbers of a tile are combined, so that a NaN
or an infinity spreads to the outputs of every tile that reads it.

Cost: N·out·C·K·(6/4)^rank multiply-adds for the products: 1.5 instead of 3 in one dimension, 2.25
instead of 9 in two, 3.375 instead of 27 in three. The transforms are matrix products too, with such
small matrices that their time is the time to read and write the numbers.
"""

from math import inf, prod

import numpy as np

from minidl.backend import array_module
from minidl.engine.convolution import winograd_gpu
from minidl.engine.convolution.algorithm import Algorithm
from minidl.engine.convolution.tiles import (
    INPUTS,
    TILE,
    alternating_buffers,
    blocks_of_tiles,
    inputs_at_points,
    map_kernels,
    outputs_from_points,
    strips_of_tiles,
    tiles_of,
)
from minidl.engine.epilogue import Epilogue
from minidl.engine.kept import cached_per_array
from minidl.engine.memory import empty, scratch
from minidl.engine.threads import parallel_map
from minidl.frozen import is_frozen

POINTS = (0, 1, -1, 2, -2)  # and ∞
TAPS = 3


def _transforms():
    """Return A, B and G of the derivation above."""
    evaluate, infinity = np.vander(POINTS, INPUTS, increasing=True), np.eye(INPUTS)[-1:]
    n = [prod(p - q for q in POINTS if q != p) for p in POINTS]
    lagrange = [[*np.poly([q for q in POINTS if q != p])[::-1], 0] for p in POINTS]
    A = np.vstack([evaluate[:, :TILE], infinity[:, -TILE:]])
    G = np.vstack([evaluate[:, :TAPS] / np.reshape(n, (-1, 1)), infinity[:, -TAPS:]])
    B = np.vstack([lagrange, np.poly(POINTS)[::-1]]).T
    return A, B, G


A, B, G = _transforms()

KEEP = 1 << 30  # with fewer multiply-adds than these, frozen kernels are cached at the points
TRANSFORM, KERNEL = 80, 60  # cost of one number at the points; of one number of the kernels there
START = 1e8  # cost of the many small calls
LEAST_ON_GPU = 16  # channels in and out


def applies(problem):
    """Return whether the kernel has 3 taps on each axis, and stride, dilation and groups are 1."""
    windows, rank = problem.windows, len(problem.windows.size)
    has_steps_of_one = windows.stride == windows.dilation == (1,) * rank
    return windows.size == (TAPS,) * rank and has_steps_of_one and problem.groups == 1


def cost(problem):
    """Return the cost of the products, the transforms and, unless they are cached, the kernels at
    the points. On a GPU, return 0 if the kernels of winograd_gpu.py apply and save more time than
    the transforms take, and infinity otherwise."""
    windows, inputs, outputs = problem.windows, problem.inputs, problem.outputs
    if not problem.accurate:
        return inf
    if problem.on_gpu:
        is_worthwhile = len(windows.out) == 2 and min(inputs, outputs) >= LEAST_ON_GPU
        return 0 if is_worthwhile else inf
    out = windows.extent if problem.map == "dx" else windows.out
    numbers = _numbers_at_points(problem.images, out)
    products, transforms = numbers * inputs * outputs, numbers * TRANSFORM * (inputs + outputs)
    is_cached = problem.frozen and products < KEEP
    kernels = 0 if is_cached else INPUTS ** len(out) * inputs * outputs * KERNEL
    return products + transforms + kernels + START


def keeps(w, images, out):
    """Return whether the kernels at the points are cached: w is frozen, and the products take so
    little time that computing the kernels again would matter.

    images: number of images; out: outputs along each axis
    """
    products = _numbers_at_points(images, out) * w.shape[-2] * w.shape[-1]
    return is_frozen(w) and products < KEEP


def _numbers_at_points(images, out):
    """Return how many numbers one channel of these outputs has at the points."""
    return images * prod(tiles_of(out)) * INPUTS ** len(out)


def forward(x, w, windows, groups, epilogue):
    """(N, *extent, C), (3, .., 3, C, K) -> (N, *out, K):  Y = Aᵀ [(G g Gᵀ) * (Bᵀ d B)] A"""
    return _correlate(x, w, False, windows.before, windows.out, epilogue)


def dx(dy, w, windows, groups):
    """(N, *out, K), (3, .., 3, C, K) -> (N, *extent, C):  the forward with the rotated kernel"""
    before = [TAPS - 1 - before for before in windows.before]
    return _correlate(dy, w, True, before, windows.extent, Epilogue())


def _correlate(x, w, turn, before, out, epilogue):
    """(N, *extent, C), (3, .., 3, C, K) -> (N, *out, K)

    turn: whether to rotate w by 180° and exchange C and K; before: padding before each axis; out:
    outputs along each axis
    """
    if winograd_gpu.fit(x, w):
        return winograd_gpu.correlate(x, w, turn, before, out, epilogue)
    xp, tiles = array_module(x, w), tiles_of(out)
    dtype = xp.result_type(x.dtype, w.dtype)
    U = (_kept_kernels if keeps(w, x.shape[0], out) else _kernels)(w, turn, dtype)
    y = empty(xp, (x.shape[0], *out, U.shape[-1]), dtype)

    def work(strip):
        images, rows, outputs = strip
        buffer = alternating_buffers(xp, y.dtype)
        V = inputs_at_points(B.T, x, images, rows, tiles, before, buffer)
        M = buffer(*V.shape[:-1], outputs.stop - outputs.start)
        xp.matmul(V.swapaxes(1, 2), U[..., outputs], out=M.swapaxes(1, 2))
        y_part = y[images, TILE * rows.start : TILE * rows.stop, ..., outputs]
        outputs_from_points(A.T, M, y_part, buffer)
        epilogue(y_part, outputs)

    if y.size:
        parallel_map(xp, work, strips_of_tiles(x.shape[0], tiles, *U.shape[-2:]))
    return y


def dw(dy, x, windows, groups):
    """(N, *out, K), (N, *extent, C) -> (3, .., 3, C, K):  dU = Σ Vᵀ dM,  dg = Gᵀ dU G"""
    if winograd_gpu.fit(dy, x):
        return winograd_gpu.dw(dy, x, windows.before)
    xp, rank = array_module(dy, x), len(windows.out)
    channels, outputs, dtype = x.shape[-1], dy.shape[-1], xp.result_type(dy.dtype, x.dtype)
    dU = scratch(xp, "U", (INPUTS ** (rank - 1), INPUTS, channels, outputs), dtype)
    dU[...] = 0
    for block in blocks_of_tiles(dy.shape[0], tiles_of(windows.out), channels, outputs):
        _add_block(dU, block, dy, x, windows)
    return _kernels_from_points(dU, rank)


def _add_block(dU, block, dy, x, windows):
    """dU += Vᵀ dM over the tiles of a block of strips. First compute V and dM, strip by strip, and
    then the products, point by point."""
    xp, tiles = array_module(dU), tiles_of(windows.out)
    no_padding = [0] * len(tiles)
    _, _, last = block[-1]
    V = scratch(xp, "V", (len(dU), last.stop, INPUTS, x.shape[-1]), dU.dtype)
    dM = scratch(xp, "dM", (len(dU), last.stop, INPUTS, dy.shape[-1]), dU.dtype)

    def transform(strip):
        images, rows, in_block = strip
        buffer = alternating_buffers(xp, dU.dtype)
        inputs_at_points(B.T, x, images, rows, tiles, windows.before, buffer, V[:, in_block])
        inputs_at_points(A, dy, images, rows, tiles, no_padding, buffer, dM[:, in_block])

    def multiply(point):
        dU[point] += xp.matmul(V[point].transpose(1, 2, 0), dM[point].transpose(1, 0, 2))

    parallel_map(xp, transform, block)
    parallel_map(xp, multiply, range(len(dU)))


def _kernels(w, turn, dtype):
    """(3, .., 3, C, K) -> (6^(rank-1), 6, C, K) or, with `turn`, (6^(rank-1), 6, K, C): G along
    each axis"""
    w = w.astype(dtype, copy=False)
    w = turned(w) if turn else w
    xp, (*size, channels, outputs) = array_module(w), w.shape
    U = scratch(xp, "U", (*[INPUTS] * len(size), channels, outputs), dtype)
    map_kernels(G, w, U)
    return U.reshape(-1, INPUTS, channels, outputs)


def turned(w):
    """(3, .., 3, C, K) -> (3, .., 3, K, C): the kernel rotated by 180°, with C and K exchanged"""
    return w[(slice(None, None, -1),) * (w.ndim - 2)].swapaxes(-1, -2)


@cached_per_array
def _kept_kernels(w, turn, dtype):
    return _kernels(w, turn, dtype).copy()


def _kernels_from_points(dU, rank):
    """(6^(rank-1), 6, C, K) -> (3, .., 3, C, K): Gᵀ along each axis"""
    dw = array_module(dU).empty((TAPS,) * rank + dU.shape[-2:], dtype=dU.dtype)
    map_kernels(G.T, dU.reshape((INPUTS,) * rank + dU.shape[-2:]), dw)
    return dw


WINOGRAD = Algorithm(
    "winograd",
    "kernels of 3 taps on each axis, stride 1, dilation 1, groups 1",
    applies,
    cost,
    forward,
    dx,
    dw,
)
