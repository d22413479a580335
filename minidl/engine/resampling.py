"""Resampling with a gradient that does not depend on the order of its sums.

A GPU adds the contributions to a pixel in an order that differs from run to run. Floating-point
sums depend on the order, and sums of integers do not. The contributions are therefore added as
integers.
"""

from math import prod

import numpy as np

from minidl.backend import array_module
from minidl.engine.strips import equal_parts, fair_strip
from minidl.ops.resampling import between


def resample(x, rows, columns):
    """(N, H, W, C), (N, H', W'), (N, H', W') -> (N, H', W', C):  the mean of the four pixels around
    each place, weighted along the rows and then along the columns"""
    corners, below, beside = _around(rows, columns, x.shape, x.dtype)
    pixels = x.reshape(prod(x.shape[:3]), x.shape[-1])
    upper, lower = (pixels[left] * (1 - beside) + pixels[right] * beside for left, right in corners)
    return upper * (1 - below) + lower * below


def resample_dx(dy, rows, columns, x_shape):
    """(N, H', W', C) -> (N, H, W, C)

    Let 2^e be a power of two that exceeds the largest contribution to a pixel. The contributions
    are rounded to integers in units of 2^(e-b). A pixel gets at most 4·H'·W' of them, so that no
    sum overflows if 4·H'·W' ≤ 2^(63-b). float64 has more than b binary digits. In float64, the
    rounding errors of these integers are therefore added in the same way, in units of 2^(e-2b). A
    NaN or an infinity in dy makes the four pixels around its place NaN, and no others.
    """
    xp, places = array_module(dy), prod(rows.shape[1:])
    digits, limit = 61 - places.bit_length(), np.finfo(dy.dtype).maxexp
    exponents = xp.zeros(prod(x_shape), xp.int32)
    for pixels, terms in _terms(dy, rows, columns, x_shape):
        xp.maximum.at(exponents, pixels, _exponents(terms))
    is_finite = exponents < 2 * limit - 1
    exponents = xp.maximum(exponents, 1) + 2 - limit  # |term| < 2^exponent
    sums = [xp.zeros(prod(x_shape), xp.uint64) for _ in range(1 if dy.dtype == np.float32 else 2)]
    for pixels, terms in _terms(dy, rows, columns, x_shape):
        terms = xp.where(is_finite[pixels], xp.ldexp(terms, digits - exponents[pixels]), 0)
        # CuPy adds unsigned integers only. A negative number wraps around, and the sum wraps back.
        for total in sums:
            integers = xp.rint(terms)
            xp.add.at(total, pixels, integers.astype(xp.int64).view(xp.uint64))
            terms = xp.ldexp(terms - integers, digits)
    dx = sum(
        xp.ldexp(total.view(xp.int64).astype(dy.dtype), -digits * i) for i, total in enumerate(sums)
    )
    dx = xp.where(is_finite, xp.ldexp(dx, exponents - digits), xp.nan)
    return dx.reshape(x_shape)


def _terms(dy, rows, columns, x_shape):
    """Yield (pixels, terms) for each strip of the places and each of the four pixels around them.

    pixels: flat indices of the pixel's numbers in x; terms: the contributions of dy to them.
    """
    xp, row = array_module(dy), dy.size // max(1, dy.shape[1])
    channels = xp.arange(x_shape[-1])
    for strip in equal_parts(dy.shape[1], fair_strip(xp, dy.size) // max(1, row), threads=1):
        corners, below, beside = _around(rows[:, strip], columns[:, strip], x_shape, dy.dtype)
        for (left, right), part in zip(
            corners, (dy[:, strip] * (1 - below), dy[:, strip] * below), strict=True
        ):
            for pixel, terms in ((left, part * (1 - beside)), (right, part * beside)):
                yield (pixel[..., None] * x_shape[-1] + channels).reshape(-1), terms.reshape(-1)


def _exponents(x):
    """Return the biased exponents in the format of x: 0 for 0, the largest for infinities and
    NaN."""
    bits = abs(x).view(f"u{x.dtype.itemsize}") >> np.finfo(x.dtype).nmant
    return bits.astype(np.int32)


def _around(rows, columns, shape, dtype):
    """Return ((upper left, upper right), (lower left, lower right)), v, u: the index of the four
    pixels around each place in the list of all pixels, and the distances of the place from the
    upper and the left ones, (N, H', W', 1)."""
    n, height, width, _ = shape
    (top, low, below), (left, right, beside) = (
        between(at, size) for at, size in ((rows, height), (columns, width))
    )
    first = array_module(rows).arange(n)[:, None, None] * height
    corners = [[(first + row) * width + column for column in (left, right)] for row in (top, low)]
    return corners, below.astype(dtype)[..., None], beside.astype(dtype)[..., None]
