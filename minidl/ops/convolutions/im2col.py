"""Convolution as one matrix product (Chellapilla, Puri, Simard 2006).

Lay the input that each window reads in a row: columns[o, (t,c)] = x[o·stride + t·dilation - before, c]. With the kernel as
a matrix W[(t,c), k] the definition is a product, and so are its gradients:

    y = columns W,      dcolumns = dy Wᵀ,      dW = columnsᵀ dy

and dx adds each entry of dcolumns to the input position it was copied from. Groups are a batch of smaller products.

The columns hold every input number once per tap. So they are made in strips of about 2^20 numbers (but of at least one
output row), which the processor's caches can hold. Copying goes tap by tap: within one tap no two windows read the same
position, so that the adjoint is a plain += on a strided view.

Cost: N·out·taps·C·K / G multiply-adds; writes and reads N·out·taps·C numbers of columns.
"""

from dataclasses import replace
from math import prod

from minidl.backend import array_module
from minidl.ops.padding import pad_windows, unpad_windows

STRIP = 1 << 20  # numbers in the columns of one strip


def forward(x, w, windows, groups):
    """(N, *extent, C), (*kernel, C/G, K) -> (N, *out, K)"""
    xp = array_module(x, w)
    padded, W = pad_windows(x, windows), _kernel_matrices(w, groups)
    y = xp.empty((x.shape[0], *windows.out, w.shape[-1]), dtype=xp.result_type(x, w))
    for images, rows, strip in _strips(x.shape, windows):
        columns = _columns(_under(padded, images, rows, windows), strip, groups)
        y[images, rows] = _from_groups(columns @ W, y[images, rows].shape)
    return y


def dx(dy, w, windows, groups):
    """(N, *out, K), (*kernel, C/G, K) -> (N, *extent, C)"""
    xp = array_module(dy, w)
    W = _kernel_matrices(w, groups)
    channels = w.shape[-2] * groups
    padded = xp.zeros((dy.shape[0], *windows.padded, channels), dtype=xp.result_type(dy, w))
    for images, rows, strip in _strips((dy.shape[0], channels), windows):
        dcolumns = _to_groups(dy[images, rows], groups) @ W.mT
        _add_columns(_under(padded, images, rows, windows), dcolumns, strip, groups)
    return unpad_windows(padded, windows)


def dw(dy, x, windows, groups):
    """(N, *out, K), (N, *extent, C) -> (*kernel, C/G, K)"""
    xp = array_module(dy, x)
    padded, per_group = pad_windows(x, windows), x.shape[-1] // groups
    dW = xp.zeros((groups, prod(windows.size) * per_group, dy.shape[-1] // groups), dtype=xp.result_type(dy, x))
    for images, rows, strip in _strips(x.shape, windows):
        columns = _columns(_under(padded, images, rows, windows), strip, groups)
        dW += columns.mT @ _to_groups(dy[images, rows], groups)
    return xp.moveaxis(dW, 0, 1).reshape(*windows.size, per_group, dy.shape[-1])


def _strips(x_shape, windows):
    """Cut the outputs into strips (images, rows of the first spatial axis, windows of the strip): several images where
    they are small, some rows of one image where it is large."""
    n, channels = x_shape[0], x_shape[-1]
    rows, *rest = windows.out
    per_row = prod(rest) * prod(windows.size) * channels
    rows_at_once = min(rows, max(1, STRIP // per_row))
    images_at_once = max(1, STRIP // (per_row * rows)) if rows_at_once == rows else 1
    for image in range(0, n, images_at_once):
        for row in range(0, rows, rows_at_once):
            height = min(rows_at_once, rows - row)
            yield slice(image, image + images_at_once), slice(row, row + height), replace(windows, out=(height, *rest))


def _under(padded, images, rows, windows):
    """The part of the padded input that begins where the first window of the strip does."""
    return padded[images, rows.start * windows.stride[0] :]


def _columns(x, strip, groups):
    """(N, *from, C) -> (G, N·out, taps·C/G), for the windows of one strip"""
    xp = array_module(x)
    n, channels = x.shape[0], x.shape[-1]
    columns = xp.empty((groups, n, *strip.out, prod(strip.size), channels // groups), dtype=x.dtype)
    for number, tap in enumerate(strip.taps):
        read = x[(slice(None), *strip.under(tap))]
        columns[..., number, :] = xp.moveaxis(read.reshape(n, *strip.out, groups, -1), -2, 0)
    return columns.reshape(groups, n * prod(strip.out), -1)


def _add_columns(dx, dcolumns, strip, groups):
    """The adjoint of `_columns`: adds into dx (N, *from, C)"""
    xp = array_module(dx)
    n, channels = dx.shape[0], dx.shape[-1]
    dcolumns = dcolumns.reshape(groups, n, *strip.out, prod(strip.size), channels // groups)
    for number, tap in enumerate(strip.taps):
        read = xp.moveaxis(dcolumns[..., number, :], 0, -2)
        dx[(slice(None), *strip.under(tap))] += read.reshape(n, *strip.out, channels)


def _kernel_matrices(w, groups):
    """(*kernel, C/G, K) -> (G, taps·C/G, K/G)"""
    *size, per_group, outputs = w.shape
    return array_module(w).moveaxis(w.reshape(prod(size) * per_group, groups, outputs // groups), 1, 0)


def _to_groups(y, groups):
    """(N, *out, K) -> (G, N·out, K/G)"""
    return array_module(y).moveaxis(y.reshape(-1, groups, y.shape[-1] // groups), 1, 0)


def _from_groups(y, shape):
    """(G, N·out, K/G) -> (N, *out, K)"""
    return array_module(y).moveaxis(y, 0, 1).reshape(shape)
