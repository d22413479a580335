"""Products of tall matrices: many rows (the positions of a picture), few columns (its channels).
The cores share the rows."""

from minidl.backend import array_module
from minidl.cores import share, share_sum
from minidl.memory import empty
from minidl.ops.strips import equal_parts, fair_strip, strips


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
