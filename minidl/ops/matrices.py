"""The matrix product multiplies two matrices, or batches of them.

Source: Giles 2008, "Collected Matrix Derivative Results for Forward and Reverse Mode Algorithmic
Differentiation", section 2.2.2.
"""

from minidl.autograd import differentiable
from minidl.backend import array_module
from minidl.errors import ShapeError
from minidl.ops.arithmetic import unbroadcast
from minidl.shapes import can_broadcast
from minidl.typing import Operand, Result


def matmul(a: Operand, b: Operand) -> Result:
    """(..., M, K), (..., K, N) -> (..., M, N)

    y[m,n] = Σ_k a[m,k] b[k,n]

    The axes before the last two are batches and are broadcast. If a is a vector, it is a matrix
    with one row. If b is a vector, it is a matrix with one column. The result then has no axis of
    length 1 for this row or column.

    Cost: M·K·N multiply-adds per pair of matrices. Raises ShapeError if the shapes do not fit.

    >>> matmul(np.array([[1., 2.]]), np.array([[3.], [4.]]))
    array([[11.]])
    """
    return a @ b


def matmul_da(dy, b, a_shape):
    """(..., M, N) -> (..., M, K)

    For every n, y[m,n] contains a[m,k] with the factor b[k,n]:

        ∂L/∂a[m,k] = Σ_n dy[m,n] b[k,n],      or   da = dy bᵀ
    """
    dy, b = as_matrices(dy, len(a_shape), b.ndim), b if b.ndim > 1 else b[:, None]
    return unbroadcast(dy @ b.mT, a_shape if len(a_shape) > 1 else (1, *a_shape)).reshape(a_shape)


def matmul_db(dy, a, b_shape):
    """(..., M, N) -> (..., K, N)

    For every m, y[m,n] contains b[k,n] with the factor a[m,k]:

        ∂L/∂b[k,n] = Σ_m a[m,k] dy[m,n],      or   db = aᵀ dy
    """
    dy, a = as_matrices(dy, a.ndim, len(b_shape)), a if a.ndim > 1 else a[None, :]
    return unbroadcast(a.mT @ dy, b_shape if len(b_shape) > 1 else (*b_shape, 1)).reshape(b_shape)


def as_matrices(dy, a_ndim, b_ndim):
    """Return dy with the axes of length 1 that the product with a vector drops."""
    dy = dy[..., None] if b_ndim == 1 else dy
    return dy[..., None, :] if a_ndim == 1 else dy


def check(a, b):
    """Raise ShapeError if there is no product of a and b."""
    shape = array_module(a, b).shape
    a_shape, b_shape = shape(a), shape(b)
    if not a_shape or not b_shape or a_shape[-1] != b_shape[-2 if len(b_shape) > 1 else 0]:
        raise ShapeError(
            f"matmul of {a_shape} and {b_shape}: the first must have as many columns (last axis) "
            "as the second has rows (last axis but one)"
        )
    if not can_broadcast(a_shape[:-2], b_shape[:-2]):
        raise ShapeError(
            f"matmul of {a_shape} and {b_shape}: the lengths of the axes before the last two must "
            "be equal or 1"
        )


matmul = differentiable(matmul, da=matmul_da, db=matmul_db, check=check)
