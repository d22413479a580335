"""Matrix products on all threads.

minidl divides each large product into parts, and BLAS computes each part on one thread. The threads
of BLAS are not used, because after each product they wait actively for a while. They would then
compete with minidl's threads for the cores.
"""

import numpy as np

from minidl.backend import array_module
from minidl.dispatch import definition_of
from minidl.engine.memory import empty
from minidl.engine.strips import equal_parts, fair_strip, strips
from minidl.engine.threads import blas_on_one_thread, get_threads, parallel_map, parallel_sum
from minidl.losses import wasserstein
from minidl.losses.gram import divisor, unroll
from minidl.ops.arithmetic import unbroadcast
from minidl.ops.matrices import as_matrices

LEAST = 1 << 23  # multiply-adds; a smaller product is not divided


def matmul(a, b):
    """(..., M, K), (..., K, N) -> (..., M, N)"""
    return product(a, b)


def matmul_da(dy, b, a_shape):
    """(..., M, N), (..., K, N) -> (..., M, K):  da = dy bᵀ"""
    dy, b = as_matrices(dy, len(a_shape), b.ndim), b if b.ndim > 1 else b[:, None]
    shape = a_shape if len(a_shape) > 1 else (1, *a_shape)
    return unbroadcast(product(dy, b.mT), shape).reshape(a_shape)


def matmul_db(dy, a, b_shape):
    """(..., M, N), (..., M, K) -> (..., K, N):  db = aᵀ dy"""
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


def eigenvectors(B):
    """(N, C, C) -> (N, C), (N, C, C): the eigenvalues and eigenvectors of symmetric matrices

    LAPACK calls BLAS in many short steps. With several threads, these wait for each other at every
    step, which takes 100 times as long on a busy machine.
    """
    with blas_on_one_thread:
        return definition_of(wasserstein.eigenvectors)(B)


def product(a, b):
    """(..., M, K), (..., K, N) -> (..., M, N):  y = a b

    A large product is divided by the longer side of y: its columns if N ≥ M, and its rows
    otherwise.
    """
    xp = array_module(a, b)
    if min(a.ndim, b.ndim) < 2:
        return parallel_map(xp, lambda _: a @ b, [0])[0]
    batch, rows, columns = np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1]
    y = empty(xp, (*batch, rows, columns), xp.result_type(a, b))
    length, by_columns = max(rows, columns), columns >= rows
    is_small = xp is not np or y.size * a.shape[-1] < LEAST
    parts = equal_parts(length, length if is_small else length // (2 * get_threads()))

    def work(part):
        if by_columns:
            xp.matmul(a, b[..., part], out=y[..., part])
        else:
            xp.matmul(a[..., part, :], b, out=y[..., part, :])

    parallel_map(xp, work, parts)
    return y


def column_sums(a):
    """(M, C) -> (C,):  y[c] = Σ_m a[m,c]

    This is a product with ones, because BLAS adds faster than NumPy. a: an array, or a Rectified.
    """
    xp, (length, channels) = array_module(a), a.shape

    def work(rows):
        return xp.ones(rows.stop - rows.start, a.dtype) @ a[rows]

    parts = equal_parts(length, max(1, fair_strip(xp, length * channels) // channels))
    return parallel_sum(xp, work, parts, (channels,), a.dtype)


def times(a, b):
    """(N, M, C), (N, C, D) -> (N, M, D):  y = a b, in strips of the rows of a"""
    xp, (n, rows, channels) = array_module(a, b), a.shape
    y = empty(xp, (n, rows, b.shape[-1]), xp.result_type(a, b))

    def work(strip):
        images, part = strip
        xp.matmul(a[images, part], b[images], out=y[images, part])

    parallel_map(xp, work, strips(n, rows, channels, fair_strip(xp, a.size)))
    return y


def transposed_times(a, b):
    """(N, M, C), (N, M, D) -> (N, C, D):  y = aᵀ b, the sum over strips of the rows of a and b"""
    xp, (n, length, channels) = array_module(a, b), a.shape
    y = xp.empty((n, channels, b.shape[-1]), xp.result_type(a, b))
    for image in range(n):

        def work(rows, image=image):
            return a[image, rows].T @ b[image, rows]

        parts = equal_parts(length, fair_strip(xp, a[0].size) // channels)
        y[image] = parallel_sum(xp, work, parts, y.shape[1:], y.dtype)
    return y
