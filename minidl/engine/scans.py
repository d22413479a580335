"""Cumulative sums and products along an axis, of all rows at once.

NumPy computes one row after the other, and each step of a row waits for the step before. Here, a
step adds or multiplies one place of all rows, which do not wait for each other. The order of the
operations in a row, and therefore the result, is the same.
"""

from math import prod

import numpy as np

from minidl.engine.memory import empty
from minidl.engine.strips import equal_parts, fair_strip
from minidl.engine.threads import parallel_map
from minidl.ops.reductions import as_rows, axes_of, from_rows


def applies(x, axis=None):
    """Return whether x has at least as many rows as places along the axis, on the CPU. With fewer
    rows, NumPy is faster."""
    if not isinstance(x, np.ndarray) or axis is None or x.dtype.kind not in "fc":
        return False
    [along] = axes_of(axis, x.ndim)
    return x.size >= x.shape[along] ** 2 > 0


def gradient_applies(dy, x_shape, axis):
    """Return whether `applies` is true of dy."""
    return applies(dy, axis)


def prod_gradient_applies(dy, x, axis, keepdims):
    """Return whether there are at least half as many products as factors of each, on the CPU. With
    fewer, NumPy is faster."""
    return isinstance(x, np.ndarray) and 2 * dy.size**2 >= x.size > 0


def cumsum(x, axis=None):
    """(...) -> (...), the same shape"""
    y = empty(np, x.shape, x.dtype)
    cumulative_sums(around(x, axis), around(y, axis))
    return y


def cumsum_dx(dy, x_shape, axis):
    """(...) -> (...), the same shape"""
    dx = empty(np, dy.shape, dy.dtype)
    cumulative_sums(around(dy, axis)[:, ::-1], around(dx, axis)[:, ::-1])
    return dx


def prod_dx(dy, x, axis, keepdims):
    """(...) -> (...), the shape of x: the product of the numbers before each place, and of those
    after it, times dy. In memory, a place of all rows is contiguous."""
    columns, dy = as_rows(x, axis).T, dy.reshape(-1)
    dx = empty(np, columns.shape, x.dtype)

    def work(part):
        x, before = np.ascontiguousarray(columns[:, part]), dx[:, part]
        after = np.empty_like(x)
        before[0] = after[-1] = 1
        for k in range(1, len(x)):
            np.multiply(before[k - 1], x[k - 1], out=before[k])
            np.multiply(after[-k], x[-k], out=after[-k - 1])
        after *= dy[part]
        before *= after

    parallel_map(np, work, equal_parts(dy.size, fair_strip(np, x.size) // len(columns)))
    return from_rows(dx.T, x.shape, axis)


def around(x, axis):
    """(..., L, ...) -> (B, L, A): the axes before the axis merged, and those after it. x is
    contiguous, or is only read."""
    [axis] = axes_of(axis, x.ndim)
    return x.reshape(prod(x.shape[:axis]), x.shape[axis], prod(x.shape[axis + 1 :]))


def cumulative_sums(x, y):
    """(B, L, A) -> (B, L, A):  y[b,k,a] = y[b,k-1,a] + x[b,k,a], on all threads. y: the array to
    write to"""
    B, L, A = x.shape
    most = fair_strip(np, x.size) // L
    if B >= A:
        parts = [(part, slice(None)) for part in equal_parts(B, most // A)]
    else:
        parts = [(slice(None), part) for part in equal_parts(A, most // B)]

    def work(part):
        rows, columns = part
        y[rows, 0, columns] = x[rows, 0, columns]
        for k in range(1, L):
            np.add(y[rows, k - 1, columns], x[rows, k, columns], out=y[rows, k, columns])

    parallel_map(np, work, parts)
