"""Convolution as one matrix product (Chellapilla, Puri, Simard 2006).

Lay the input that each window reads in a row: columns[o, (t,c)] = x[o·stride + t·dilation - before,
c]. With the kernel as a matrix W[(t,c), k] the definition is a product, and so are its gradients:

    y = columns W,      dcolumns = dy Wᵀ,      dW = columnsᵀ dy

and dx adds each entry of dcolumns to the input position it was copied from. Groups are a batch of
smaller products.

The columns hold every input number once per tap. So they are made in strips, which the processor's
caches can hold and its cores share. (Those of a 1x1 convolution without stride or padding are x
itself, not copied.) For dx, copying goes tap by tap: within one tap no two windows read the same
position, so that the adjoint is a plain += on a strided view. Neighbouring strips add to the same
rows where windows overlap: so only strips that are far enough apart go together.

Cost: N·out·taps·C·K / G multiply-adds; writes and reads N·out·taps·C numbers of columns.
"""

from math import prod

import numpy as np

from minidl.backend import array_module
from minidl.engine.convolution.algorithm import Algorithm
from minidl.engine.memory import empty, scratch
from minidl.engine.patches import seen
from minidl.engine.strips import apart, strips_of_windows
from minidl.engine.threads import share, share_sum

# channels: fewer are added up as planes of pixels, whose rows are longer runs than a pixel's
# channels
FEW = 16


COPY, ADD = 60, 160  # cost of one number of the columns, read from x or added to dx
COPY_RUN = 6  # cost of copying one run of a window in addition to its numbers, in numbers


def applies(problem):
    """Whether this algorithm can compute the convolution: always"""
    return True


def cost(problem):
    """On a CPU the products and the copying. On a GPU a constant above winograd's."""
    if problem.on_gpu:
        return 1
    windows, inputs = problem.windows, problem.inputs
    columns = problem.images * prod(windows.out) * prod(windows.size) * inputs
    copying = ADD if problem.map == "dx" else COPY * (1 + COPY_RUN / (windows.size[-1] * inputs))
    return columns * (problem.outputs + copying)


def forward(x, w, windows, groups, epilogue):
    """(N, *extent, C), (*kernel, C/G, K) -> (N, *out, K)"""
    xp, W = array_module(x, w), _kernel_matrices(w, groups)
    y = empty(xp, (x.shape[0], *windows.out, w.shape[-1]), xp.result_type(x.dtype, w.dtype))

    def work(strip):
        images, rows, part = strip
        xp.matmul(
            _columns(x, images, rows, part, groups), W, out=_to_groups(y[images, rows], groups)
        )
        epilogue(y[images, rows], slice(None))

    share(xp, work, _strips(xp, x.shape[0], windows, x.shape[-1], w.shape[-1]))
    return y


def dx(dy, w, windows, groups):
    """(N, *out, K), (*kernel, C/G, K) -> (N, *extent, C)"""
    xp, W = array_module(dy, w), _kernel_matrices(w, groups)
    n, channels, dtype = dy.shape[0], w.shape[-2] * groups, xp.result_type(dy.dtype, w.dtype)
    as_planes = channels < FEW and xp is np
    dx = xp.zeros(
        (n, channels, *windows.padded) if as_planes else (n, *windows.padded, channels), dtype
    )
    padded = xp.moveaxis(dx, 1, -1) if as_planes else dx

    def work(strip):
        images, rows, part = strip
        dy_part = _to_groups(dy[images, rows], groups)
        if as_planes:
            dcolumns = scratch(xp, "columns", (*W.shape[:2], dy_part.shape[1]), dtype).mT
            xp.matmul(W, dy_part.mT, out=dcolumns.mT)
        else:
            dcolumns = scratch(xp, "columns", (groups, dy_part.shape[1], W.shape[1]), dtype)
            xp.matmul(dy_part, W.mT, out=dcolumns)
        _add_columns(padded[images, rows.start * windows.stride[0] :], dcolumns, part, groups)

    for strips in apart(_strips(xp, n, windows, channels, w.shape[-1]), windows):
        share(xp, work, strips)
    return xp.ascontiguousarray(windows.unpad(padded))


def dw(dy, x, windows, groups):
    """(N, *out, K), (N, *extent, C) -> (*kernel, C/G, K)"""
    xp, per_group = array_module(dy, x), x.shape[-1] // groups
    shape = (groups, prod(windows.size) * per_group, dy.shape[-1] // groups)

    def work(strip):
        images, rows, part = strip
        return _columns(x, images, rows, part, groups).mT @ _to_groups(dy[images, rows], groups)

    strips = _strips(xp, x.shape[0], windows, x.shape[-1], dy.shape[-1])
    dW = share_sum(xp, work, strips, shape, xp.result_type(dy.dtype, x.dtype))
    return xp.moveaxis(dW, 0, 1).reshape(*windows.size, per_group, dy.shape[-1])


def _strips(xp, images, windows, channels, outputs):
    return strips_of_windows(xp, images, windows, max(prod(windows.size) * channels, outputs))


def _columns(x, images, rows, part, groups):
    """(N, *extent, C) -> (G, n·out, taps·C/G), for the windows of one strip; a view of x where it
    can be one"""
    xp, channels = array_module(x), x.shape[-1]
    patch = seen(x, images, rows, part)
    image, *positions, channel = patch.strides
    steps = [position * s for position, s in zip(positions, part.stride, strict=True)]
    taps = [position * d for position, d in zip(positions, part.dilation, strict=True)]
    shape = (patch.shape[0], *part.out, *part.size, groups, channels // groups)
    strides = (image, *steps, *taps, channel * (channels // groups), channel)
    read = xp.moveaxis(xp.lib.stride_tricks.as_strided(patch, shape, strides), -2, 0)
    if groups * prod(part.size) > 1:
        read, there = scratch(xp, "columns", read.shape, x.dtype), read
        read[...] = there
    return read.reshape(groups, -1, prod(part.size) * channels // groups)


def _add_columns(dx, dcolumns, strip, groups):
    """The adjoint of `_columns`: adds into dx (n, *from, C)"""
    xp = array_module(dx)
    n, channels = dx.shape[0], dx.shape[-1]
    each = channels // groups
    for number, tap in enumerate(strip.taps):
        read = xp.moveaxis(dcolumns[..., number * each : (number + 1) * each], 0, -2)
        dx[strip.under(tap)] += read.reshape(n, *strip.out, channels)


def _kernel_matrices(w, groups):
    """(*kernel, C/G, K) -> (G, taps·C/G, K/G)"""
    *size, per_group, outputs = w.shape
    return array_module(w).moveaxis(
        w.reshape(prod(size) * per_group, groups, outputs // groups), 1, 0
    )


def _to_groups(y, groups):
    """(N, *out, K) -> (G, N·out, K/G)"""
    return array_module(y).moveaxis(y.reshape(-1, groups, y.shape[-1] // groups), 1, 0)


IM2COL = Algorithm("im2col", "all convolutions", applies, cost, forward, dx, dw)
