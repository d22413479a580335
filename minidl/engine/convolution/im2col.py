"""This algorithm computes a convolution as one matrix product (Chellapilla, Puri, Simard 2006).

Write the inputs that each window reads into one row of a matrix: columns[o, (t,c)] =
x[o·stride + t·dilation - before, c]. With the kernel as a matrix W[(t,c), k], the definition is a
matrix product, and so are its gradients:

    y = columns W,      dcolumns = dy Wᵀ,      dW = columnsᵀ dy

dx adds each entry of dcolumns to the input position from which it was copied:

    dx[i,c] = Σ_{o,t: i = o·stride + t·dilation - before} dcolumns[o, (t,c)]

With groups, there is one smaller product for each group. They are computed as a batch.

**Strips.** `columns` contains every input once for each tap. It is therefore made in strips that
fit the processor's cache, and the threads compute the strips in parallel. For a 1x1 convolution
without stride and padding, columns is a view of x.

**dx.** The entries are added tap by tap. Within one tap, no two windows read the same position, so
that the adjoint of the copy adds to a strided view. Two adjacent strips add to the same rows of
dx if their windows overlap. The strips are therefore divided into groups of strips that do not
overlap, and only the strips of one group are computed in parallel.

Cost: N·out·taps·C·K / groups multiply-adds. Writes and reads N·out·taps·C numbers of columns.
"""

from math import prod

import numpy as np

from minidl.backend import array_module
from minidl.engine.convolution.algorithm import Algorithm
from minidl.engine.memory import empty, scratch
from minidl.engine.patches import inputs_of_strip
from minidl.engine.strips import non_overlapping, strips_of_windows
from minidl.engine.threads import parallel_map, parallel_sum

# With fewer channels, dx is computed as one plane of pixels per channel: NumPy adds rows of pixels
# faster than many short rows of channels.
FEW = 16

COPY, ADD = 60, 160  # cost of one number of columns, copied from x or added to dx
COPY_RUN = 6  # further cost of each run of contiguous numbers that is copied, in numbers


def applies(problem):
    """Return True: this algorithm computes every convolution."""
    return True


def cost(problem):
    """Return the cost of the products and copies. On a GPU, return a constant above winograd's."""
    if problem.on_gpu:
        return 1
    windows, inputs = problem.windows, problem.inputs
    columns = problem.images * prod(windows.out) * prod(windows.size) * inputs
    copying = ADD if problem.map == "dx" else COPY * (1 + COPY_RUN / (windows.size[-1] * inputs))
    return columns * (problem.outputs + copying)


def forward(x, w, windows, groups, epilogue):
    """(N, *extent, C), (*kernel, C / groups, K) -> (N, *out, K):  y = columns W"""
    xp, W = array_module(x, w), _kernel_matrices(w, groups)
    y = empty(xp, (x.shape[0], *windows.out, w.shape[-1]), xp.result_type(x.dtype, w.dtype))

    def work(strip):
        images, rows, strip_windows = strip
        columns, y_part = _columns(x, images, rows, strip_windows, groups), y[images, rows]
        xp.matmul(columns, W, out=_to_groups(y_part, groups))
        epilogue(y_part, slice(None))

    parallel_map(xp, work, _strips(xp, x.shape[0], windows, x.shape[-1], w.shape[-1]))
    return y


def dx(dy, w, windows, groups):
    """(N, *out, K), (*kernel, C / groups, K) -> (N, *extent, C):  dcolumns = dy Wᵀ"""
    xp, W = array_module(dy, w), _kernel_matrices(w, groups)
    n, channels, dtype = dy.shape[0], w.shape[-2] * groups, xp.result_type(dy.dtype, w.dtype)
    as_planes = channels < FEW and xp is np
    shape = (n, channels, *windows.padded) if as_planes else (n, *windows.padded, channels)
    dx = xp.zeros(shape, dtype)
    padded = xp.moveaxis(dx, 1, -1) if as_planes else dx

    def work(strip):
        images, rows, strip_windows = strip
        dy_part = _to_groups(dy[images, rows], groups)
        if as_planes:
            dcolumns = scratch(xp, "columns", (*W.shape[:2], dy_part.shape[1]), dtype).mT
            xp.matmul(W, dy_part.mT, out=dcolumns.mT)
        else:
            dcolumns = scratch(xp, "columns", (groups, dy_part.shape[1], W.shape[1]), dtype)
            xp.matmul(dy_part, W.mT, out=dcolumns)
        dx_part = padded[images, rows.start * windows.stride[0] :]
        _add_columns(dx_part, dcolumns, strip_windows, groups)

    for strips in non_overlapping(_strips(xp, n, windows, channels, w.shape[-1]), windows):
        parallel_map(xp, work, strips)
    return xp.ascontiguousarray(windows.unpad(padded))


def dw(dy, x, windows, groups):
    """(N, *out, K), (N, *extent, C) -> (*kernel, C / groups, K):  dW = Σ columnsᵀ dy over strips"""
    xp, inputs = array_module(dy, x), x.shape[-1] // groups
    shape = (groups, prod(windows.size) * inputs, dy.shape[-1] // groups)

    def work(strip):
        images, rows, strip_windows = strip
        columns = _columns(x, images, rows, strip_windows, groups)
        return columns.mT @ _to_groups(dy[images, rows], groups)

    strips = _strips(xp, x.shape[0], windows, x.shape[-1], dy.shape[-1])
    dW = parallel_sum(xp, work, strips, shape, xp.result_type(dy.dtype, x.dtype))
    return xp.moveaxis(dW, 0, 1).reshape(*windows.size, inputs, dy.shape[-1])


def _strips(xp, images, windows, channels, outputs):
    return strips_of_windows(xp, images, windows, max(prod(windows.size) * channels, outputs))


def _columns(x, images, rows, strip_windows, groups):
    """(N, *extent, C) -> (G, n·out, taps·C/G), for the windows of one strip: a view of x if
    possible, and otherwise a copy in scratch memory"""
    xp, inputs = array_module(x), x.shape[-1] // groups
    patch = inputs_of_strip(x, images, rows, strip_windows)
    image, *positions, channel = patch.strides
    out = [position * s for position, s in zip(positions, strip_windows.stride, strict=True)]
    taps = [position * d for position, d in zip(positions, strip_windows.dilation, strict=True)]
    shape = (patch.shape[0], *strip_windows.out, *strip_windows.size, groups, inputs)
    strides = (image, *out, *taps, channel * inputs, channel)
    view = xp.lib.stride_tricks.as_strided(patch, shape, strides)
    columns = xp.moveaxis(view, -2, 0)
    if groups * prod(strip_windows.size) > 1:
        view, columns = columns, scratch(xp, "columns", columns.shape, x.dtype)
        columns[...] = view
    return columns.reshape(groups, -1, prod(strip_windows.size) * inputs)


def _add_columns(dx, dcolumns, strip_windows, groups):
    """Add dcolumns (G, n·out, taps·C/G) to dx (n, *read, C), the inputs that the strip reads. This
    is the adjoint of `_columns`."""
    xp, (n, *_, channels) = array_module(dx), dx.shape
    inputs = channels // groups
    for number, tap in enumerate(strip_windows.taps):
        of_tap = xp.moveaxis(dcolumns[..., number * inputs : (number + 1) * inputs], 0, -2)
        dx[strip_windows.under(tap)] += of_tap.reshape(n, *strip_windows.out, channels)


def _kernel_matrices(w, groups):
    """(*kernel, C/G, K) -> (G, taps·C/G, K/G)"""
    *size, inputs, outputs = w.shape
    matrices = w.reshape(prod(size) * inputs, groups, outputs // groups)
    return array_module(w).moveaxis(matrices, 1, 0)


def _to_groups(y, groups):
    """(N, *out, K) -> (G, N·out, K/G), a view"""
    return array_module(y).moveaxis(y.reshape(-1, groups, y.shape[-1] // groups), 1, 0)


IM2COL = Algorithm("im2col", "all convolutions", applies, cost, forward, dx, dw)
