"""Pictures between their pixels: turned, zoomed, moved, or bent in any way, with a gradient."""

from math import prod

import numpy as np

from minidl.autograd import differentiable
from minidl.backend import array_module, must_be_floating
from minidl.errors import ShapeError
from minidl.ops.half import at_least_float32, widened
from minidl.ops.strips import equal_parts, fair_strip


def resample(x, rows, columns):
    """(N, H, W, C), (N, H', W'), (N, H', W') -> (N, H', W', C)

    y[n,i,j,c] = Σ_pq Λ(r - p) Λ(s - q) x[n,p,q,c],      r = rows[n,i,j],  s = columns[n,i,j],  Λ(t) = max(0, 1 - |t|)

    Each new pixel is the mean of the four old ones around its place (r, s), weighted with their
    nearness; Λ is 0 for all others. A place outside of the picture is moved to the nearest one on
    its border.

    Cost: 4·C multiply-adds a new pixel.

    >>> x = np.array([[0., 10.], [20., 30.]]).reshape(1, 2, 2, 1)
    >>> resample(x, np.array([[[0., 0.5, 9.]]]), np.array([[[0.5, 0.5, 1.]]])).ravel()
    array([ 5., 15., 30.])
    """
    must_be_floating("x", x)
    fits = x.ndim == 4 and rows.ndim == 3 and rows.shape == columns.shape and len(rows) == len(x)
    if not fits or 0 in x.shape[1:3]:
        raise ShapeError(
            f"resample of {x.shape} at rows {rows.shape} and columns {columns.shape}; wanted (N, H, W, C), H and W at "
            "least 1, and twice (N, H', W')"
        )
    wide = at_least_float32(x.dtype)
    corners, below, beside = _around(rows, columns, x.shape, wide)
    pixels = x.reshape(prod(x.shape[:3]), x.shape[-1])
    upper, lower = (pixels[left] * (1 - beside) + pixels[right] * beside for left, right in corners)
    return (upper * (1 - below) + lower * below).astype(x.dtype, copy=False)


def resample_dx(dy, rows, columns, x_shape):
    """y is linear in x, and x[n,p,q,c] has the same weight in y[n,i,j,c] wherever it is read. Each
    dy
    goes back to the four pixels that its y was made of, and a pixel adds up its shares:

        ∂L/∂x[n,p,q,c] = Σ_ij Λ(r - p) Λ(s - q) dy[n,i,j,c]

    A GPU adds the shares in any order. They are therefore added as integers, whose sum is the same
    in
    every order. The unit is 2^-b of a power of two that exceeds the largest share of the pixel. A
    pixel
    gets at most 4·H'·W' shares, so no sum overflows if 4·H'·W' ≤ 2^(63-b). In float64, which has
    more
    than b digits, the rounding errors of the shares are added in the same way, in units of 2^-2b.
    A NaN or an infinity in dy makes the four pixels around its place NaN, and no others.
    """
    xp, dtype, places = array_module(dy), dy.dtype, prod(rows.shape[1:])
    dy = widened(dy)
    digits, limit = 61 - places.bit_length(), np.finfo(dy.dtype).maxexp
    exponents = xp.zeros(prod(x_shape), xp.int32)
    for numbers, shares in _shares(dy, rows, columns, x_shape):
        xp.maximum.at(exponents, numbers, _exponents(shares))
    is_finite = exponents < 2 * limit - 1
    exponents = xp.maximum(exponents, 1) + 2 - limit  # |share| < 2^exponent
    sums = [xp.zeros(prod(x_shape), xp.uint64) for _ in range(1 if dy.dtype == np.float32 else 2)]
    for numbers, shares in _shares(dy, rows, columns, x_shape):
        shares = xp.where(is_finite[numbers], xp.ldexp(shares, digits - exponents[numbers]), 0)
        # CuPy adds unsigned integers alone; a negative number wraps around, and the sum wraps back
        for total in sums:
            whole = xp.rint(shares)
            xp.add.at(total, numbers, whole.astype(xp.int64).view(xp.uint64))
            shares = xp.ldexp(shares - whole, digits)
    dx = sum(
        xp.ldexp(total.view(xp.int64).astype(dy.dtype), -digits * i) for i, total in enumerate(sums)
    )
    dx = xp.where(is_finite, xp.ldexp(dx, exponents - digits), xp.nan)
    return dx.astype(dtype).reshape(x_shape)


resample = differentiable(resample, dx=resample_dx)


def _shares(dy, rows, columns, x_shape):
    """Yield (numbers, shares) for each strip of the places and each of the four pixels around them.
    numbers: the
    flat indices of that pixel in x; shares: what dy adds there."""
    xp, row = array_module(dy), dy.size // max(1, dy.shape[1])
    channels = xp.arange(x_shape[-1])
    for strip in equal_parts(dy.shape[1], fair_strip(xp, dy.size) // max(1, row), cores=1):
        corners, below, beside = _around(rows[:, strip], columns[:, strip], x_shape, dy.dtype)
        for (left, right), part in zip(
            corners, (dy[:, strip] * (1 - below), dy[:, strip] * below), strict=True
        ):
            for places, shares in ((left, part * (1 - beside)), (right, part * beside)):
                yield (places[..., None] * x_shape[-1] + channels).reshape(-1), shares.reshape(-1)


def _exponents(x):
    """The biased exponents in the format of x: 0 for 0, the largest one for infinities and NaN"""
    bits = abs(x).view(f"u{x.dtype.itemsize}") >> np.finfo(x.dtype).nmant
    return bits.astype(np.int32)


def _around(rows, columns, shape, dtype):
    """((upper left, upper right), (lower left, lower right)): where the four pixels around each
    place stand in the list of all pixels; and how far the place is below the upper ones and beside
    the left ones, (N, H', W', 1)."""
    n, height, width, _ = shape
    (top, low, below), (left, right, beside) = (
        _between(at, size) for at, size in ((rows, height), (columns, width))
    )
    first = array_module(rows).arange(n)[:, None, None] * height
    corners = [[(first + row) * width + column for column in (left, right)] for row in (top, low)]
    return corners, below.astype(dtype)[..., None], beside.astype(dtype)[..., None]


def _between(places, size):
    """(index before, index after, fraction between them) of places along an axis of that size; of a
    NaN the
    fraction is NaN and the indices are the first"""
    xp = array_module(places)
    places = xp.clip(places, 0, size - 1)
    first = xp.minimum(xp.floor(xp.where(xp.isnan(places), 0, places)), max(size - 2, 0)).astype(
        int
    )
    return first, xp.minimum(first + 1, size - 1), places - first
