"""Matrix products on all cores.

BLAS has threads of its own, but after each product they keep looking for work for a while, on the
cores that minidl's threads wait for. minidl therefore divides each product itself, and BLAS
computes the parts on one thread each.
"""

import numpy as np

from minidl.backend import array_module
from minidl.engine.memory import empty
from minidl.engine.strips import equal_parts, fair_strip, strips
from minidl.engine.threads import get_threads, share, share_sum
from minidl.losses.gram import divisor, unroll
from minidl.ops.arithmetic import unbroadcast
from minidl.ops.matrices import as_matrices

LEAST = 1 << 23  # multiply-adds; a smaller product is not divided


def matmul(a, b):
    """(..., M, K), (..., K, N) -> (..., M, N)"""
    return product(a, b)


def matmul_da(dy, b, a_shape):
    """da = dy bᵀ"""
    dy, b = as_matrices(dy, len(a_shape), b.ndim), b if b.ndim > 1 else b[:, None]
    shape = a_shape if len(a_shape) > 1 else (1, *a_shape)
    return unbroadcast(product(dy, b.mT), shape).reshape(a_shape)


def matmul_db(dy, a, b_shape):
    """db = aᵀ dy"""
    dy, a = as_matrices(dy, a.ndim, len(b_shape)), a if a.ndim > 1 else a[None, :]
    shape = b_shape if len(b_shape) > 1 else (*b_shape, 1)
    return unbroadcast(product(a.mT, dy), shape).reshape(b_shape)


def gram_matrix(features, normalization="none"):
    """(N, H, W, C) -> (N, C, C):  G = FᵀF / Z"""
    F = unroll(features)
    return transposed_times(F, F) / divisor(features, normalization)


def gram_matrix_dfeatures(dG, features, normalization):
    """(N, C, C) -> (N, H, W, C):  dF = F (dG + dGᵀ) / Z"""
    dF = times(unroll(features), (dG + dG.mT) / divisor(features, normalization))
    return dF.reshape(features.shape)


def product(a, b):
    """a b, divided by its columns or, if there are more of them, by its rows"""
    xp = array_module(a, b)
    if min(a.ndim, b.ndim) < 2:
        return share(xp, lambda _: a @ b, [0])[0]
    y = empty(
        xp,
        (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1]),
        xp.result_type(a, b),
    )
    by_columns = y.shape[-1] >= y.shape[-2]
    length = y.shape[-1] if by_columns else y.shape[-2]
    is_small = xp is not np or y.size * a.shape[-1] < LEAST
    parts = equal_parts(length, length if is_small else length // (2 * get_threads()))

    def work(part):
        if by_columns:
            xp.matmul(a, b[..., part], out=y[..., part])
        else:
            xp.matmul(a[..., part, :], b, out=y[..., part, :])

    share(xp, work, parts)
    return y


def column_sums(a):
    """(M, C) -> (C,):  y[c] = Σ_m a[m,c], a product with ones, since BLAS adds faster than NumPy;
    a: an array, or Rectified"""
    xp = array_module(a)

    def work(rows):
        return xp.ones(rows.stop - rows.start, a.dtype) @ a[rows]

    parts = equal_parts(a.shape[0], max(1, fair_strip(xp, a.shape[0] * a.shape[1]) // a.shape[1]))
    return share_sum(xp, work, parts, a.shape[1:], a.dtype)


def times(a, b):
    """(N, M, C), (N, C, D) -> (N, M, D):  y = a b"""
    xp = array_module(a, b)
    y = empty(xp, (*a.shape[:2], b.shape[-1]), xp.result_type(a, b))

    def work(strip):
        images, rows = strip
        xp.matmul(a[images, rows], b[images], out=y[images, rows])

    share(xp, work, strips(*a.shape, fair_strip(xp, a.size)))
    return y


def transposed_times(a, b):
    """(N, M, C), (N, M, D) -> (N, C, D):  y = aᵀ b"""
    xp, shape = array_module(a, b), (a.shape[-1], b.shape[-1])
    y = xp.empty((a.shape[0], *shape), xp.result_type(a, b))
    for image in range(a.shape[0]):

        def work(rows, image=image):
            return a[image, rows].T @ b[image, rows]

        y[image] = share_sum(
            xp,
            work,
            equal_parts(a.shape[1], fair_strip(xp, a[0].size) // a.shape[-1]),
            shape,
            y.dtype,
        )
    return y
