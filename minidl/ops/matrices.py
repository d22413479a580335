"""The matrix product, alone or in batches.

BLAS could share a product among its own threads. But these go on looking for more work a while
after each, on cores that minidl's threads then wait for; so minidl shares the product itself, and
BLAS multiplies its parts.
"""

import numpy as np

from minidl.autograd import Tensor, differentiable
from minidl.backend import array_module
from minidl.cores import get_threads, share
from minidl.errors import ShapeError
from minidl.memory import empty
from minidl.ops.arithmetic import unbroadcast
from minidl.ops.half import summed_in_float32
from minidl.ops.strips import equal_parts
from minidl.shapes import can_broadcast

LEAST = 1 << 23  # multiply-adds that are done before another core has heard of them


@summed_in_float32
def matmul(a, b):
    """(..., M, K), (..., K, N) -> (..., M, N)

    y[m,n] = Σ_k a[m,k] b[k,n]

    The axes before the last two are batches and broadcast. A vector is a row on the left, a column
    on the right, and its axis of length 1 is dropped from the result.

    Cost: M·K·N multiply-adds a matrix.

    >>> matmul(np.array([[1., 2.]]), np.array([[3.], [4.]]))
    array([[11.]])
    """
    xp = array_module(a, b)
    a_shape, b_shape = xp.shape(a), xp.shape(b)
    if not a_shape or not b_shape or a_shape[-1] != b_shape[-2 if len(b_shape) > 1 else 0]:
        raise ShapeError(
            f"matmul of {a_shape} and {b_shape}: the last axis of the first must be as long as the rows of the second"
        )
    if not can_broadcast(a_shape[:-2], b_shape[:-2]):
        raise ShapeError(
            f"matmul of {a_shape} and {b_shape}: the batches before the last two axes must be equal or 1"
        )
    return _product(a, b)


@summed_in_float32
def matmul_da(dy, b, a_shape):
    """a[m,k] meets b[k,n] in every y[m,n]:  ∂L/∂a[m,k] = Σ_n dy[m,n] b[k,n],  or  da = dy bᵀ"""
    dy = _matrices(dy, len(a_shape), b.ndim)
    b = b if b.ndim > 1 else b[:, None]
    return unbroadcast(_product(dy, b.mT), _matrix_shape(a_shape, row=True)).reshape(a_shape)


@summed_in_float32
def matmul_db(dy, a, b_shape):
    """b[k,n] meets a[m,k] in every y[m,n]:  ∂L/∂b[k,n] = Σ_m a[m,k] dy[m,n],  or  db = aᵀ dy"""
    dy = _matrices(dy, a.ndim, len(b_shape))
    a = a if a.ndim > 1 else a[None, :]
    return unbroadcast(_product(a.mT, dy), _matrix_shape(b_shape, row=False)).reshape(b_shape)


matmul = differentiable(matmul, da=matmul_da, db=matmul_db)


def _product(a, b):
    """a b; the cores share its columns or, where there are more of them, its rows"""
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


def _matrices(dy, a_ndim, b_ndim):
    """dy with the axes that a vector's product dropped."""
    if b_ndim == 1:
        dy = dy[..., None]
    if a_ndim == 1:
        dy = dy[..., None, :]
    return dy


def _matrix_shape(shape, row):
    if len(shape) > 1:
        return shape
    return (1, *shape) if row else (*shape, 1)


Tensor.__matmul__, Tensor.__rmatmul__ = matmul, lambda x, y: matmul(y, x)
