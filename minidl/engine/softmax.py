"""Softmax and its logarithms over the last axes, in strips of rows that fit the cache, on all
threads. A row holds the numbers of the last axes.

NumPy reduces short rows slowly. The sum of each row is therefore a product with ones, which BLAS
computes. The largest numbers of very short rows are found column by column, and others by
`reduceat`.
"""

from math import prod

import numpy as np

from minidl.engine.memory import empty
from minidl.engine.strips import equal_parts, fair_strip
from minidl.engine.threads import parallel_map
from minidl.ops.reductions import axes_of

SHORT = 32  # numbers of a row, up to which it is very short


def applies(x, axis=-1):
    """Return whether x has real numbers on the CPU and the axes are its last ones."""
    if not isinstance(x, np.ndarray) or x.dtype not in (np.float32, np.float64) or not x.size:
        return False
    axes = axes_of(axis, x.ndim)
    return bool(axes) and axes == (*range(x.ndim - len(axes), x.ndim),)


def gradient_applies(dy, y, axis):
    """Return whether `applies` is true of y."""
    return applies(y, axis)


def logsumexp_applies(x, axis=None, keepdims=False):
    """Return whether `applies` is true of x."""
    return applies(x, axis)


def logsumexp_gradient_applies(dy, x, y, axis, keepdims):
    """Return whether `applies` is true of x."""
    return applies(x, axis)


def softmax(x, axis=-1):
    """(..., *row) -> (..., *row)"""
    y = empty(np, x.shape, x.dtype)

    def work(x, y):
        np.exp(np.subtract(x, largest(x), out=y), out=y)
        y /= sums(y)

    in_strips(work, count(x, axis), x, y)
    return y


def softmax_dx(dy, y, axis):
    """(..., *row) -> (..., *row)"""
    dx = empty(np, y.shape, y.dtype)

    def work(dy, y, dx):
        np.subtract(dy, sums(np.multiply(dy, y, out=dx)), out=dx)
        dx *= y

    in_strips(work, count(y, axis), dy, y, dx)
    return dx


def log_softmax(x, axis=-1):
    """(..., *row) -> (..., *row)"""
    y = empty(np, x.shape, x.dtype)

    def work(x, y):
        np.subtract(x, largest(x), out=y)
        y -= np.log(sums(np.exp(y)))

    in_strips(work, count(x, axis), x, y)
    return y


def log_softmax_dx(dy, y, axis):
    """(..., *row) -> (..., *row)"""
    dx = empty(np, y.shape, y.dtype)

    def work(dy, y, dx):
        np.multiply(np.exp(y, out=dx), sums(dy), out=dx)
        np.subtract(dy, dx, out=dx)

    in_strips(work, count(y, axis), dy, y, dx)
    return dx


def logsumexp(x, axis=None, keepdims=False):
    """(..., *row) -> (...), or (..., 1, ..., 1) with keepdims"""
    axes = axes_of(axis, x.ndim)
    y = np.empty([n for i, n in enumerate(x.shape) if i not in axes], x.dtype)

    def work(x, y):
        far = largest(x)
        far[~np.isfinite(far)] = 0
        z = x - far
        np.add(far, np.log(sums(np.exp(z, out=z))), out=y)

    in_strips(work, y.size, x, y)
    return np.expand_dims(y, axes) if keepdims else y


def logsumexp_dx(dy, x, y, axis, keepdims):
    """(...) -> (..., *row)"""
    dx = empty(np, x.shape, x.dtype)

    def work(dy, x, y, dx):
        np.exp(np.subtract(x, y, out=dx), out=dx)
        dx *= dy

    in_strips(work, y.size, dy, x, y, dx)
    return dx


def count(x, axis):
    """Return the number of rows."""
    return prod(x.shape[: x.ndim - len(axes_of(axis, x.ndim))])


def in_strips(work, rows, *arrays):
    """Call `work` with strips of the rows of the arrays, on all threads. The last array is the one
    that it writes to."""
    matrices = [array.reshape(rows, -1) for array in arrays]
    length = max(matrix.shape[1] for matrix in matrices)
    parts = equal_parts(rows, fair_strip(np, rows * length) // length)
    parallel_map(np, lambda part: work(*(matrix[part] for matrix in matrices)), parts)


def largest(x):
    """(M, L) -> (M, 1)"""
    count, length = x.shape
    if length > SHORT:
        return np.maximum.reduceat(x.reshape(-1), np.arange(0, count * length, length))[:, None]
    found = x[:, 0].copy()
    for column in range(1, length):
        np.maximum(found, x[:, column], out=found)
    return found[:, None]


def sums(x):
    """(M, L) -> (M, 1)"""
    return x @ np.ones((x.shape[1], 1), x.dtype)
