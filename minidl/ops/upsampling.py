"""Upsampling computes an array of other lengths from the same picture, one axis after another.

Along an axis of length L, output o of S is at the place p(o) of the input. Pixels are squares of
width 1, and a place is measured from the centre of the first one:

    p(o) = (o + 1/2) / f - 1/2             the edges of the picture stay where they are
    p(o) = o (L - 1) / (S - 1)             align_corners: the centres of its corners stay

f is S / L, or the factor if one is given. The output is a mean of the pixels around this place,
with weights from a kernel K of the distance. Beyond the border, the last pixel is repeated.
Shrinking reads pixels in the same way, and skips those in between.

Source: Keys 1981, "Cubic Convolution Interpolation for Digital Image Processing"; Odena, Dumoulin,
Olah 2016, "Deconvolution and Checkerboard Artifacts", Distill.
"""

from collections.abc import Sequence
from fractions import Fraction
from numbers import Real
from typing import Literal

from minidl.autograd import differentiable
from minidl.backend import array_module, must_be_floating
from minidl.errors import ArgumentError, brief, one_of
from minidl.ops.pooling import extent_of
from minidl.shapes import per_axis
from minidl.typing import Operand, PerAxis, Result


def upsample(
    x: Operand,
    factor: float | Sequence[float] | None = None,
    *,
    size: PerAxis | None = None,
    method: Literal["nearest", "nearest-exact", "linear", "cubic"] = "nearest",
    align_corners: bool = False,
) -> Result:
    """(N, *spatial, C) -> (N, *size, C)

    y[n,o,c] = Σ_q K(p(o) - q) x[n,q,c], along each axis

    factor: S / L, a number for all spatial axes or one per axis; S is then rounded down. size: S
    itself, an int or one per axis, instead of the factor. align_corners: see p(o) above; for linear
    and cubic only.

    method: the weights of the pixels q, also of those beyond the border. K is 0 elsewhere:

        "nearest"          y[o] = x[⌊o / f⌋], the pixel that PyTorch and TensorFlow 1 call nearest
        "nearest-exact"    y[o] = x[⌊(o + 1/2) / f⌋], the one whose centre is nearest
        "linear"           K(t) = 1 - |t| for |t| < 1: linear, bilinear or trilinear
        "cubic"            K(t) = (5/4) |t|³ - (9/4) t² + 1 for |t| < 1,
                           K(t) = -3/4 (|t|³ - 5 t² + 8 |t| - 4) for |t| from 1 to 2

    Cost: 1, 2 or 4 multiply-adds for each number of y and axis. Raises ShapeError if x has no
    spatial axes or no positions, and ArgumentError for integer arrays and other values.

    >>> x = np.array([0., 4.]).reshape(1, 2, 1)
    >>> upsample(x, 2).ravel(), upsample(x, 2, method="linear").ravel()
    (array([0., 0., 4., 4.]), array([0., 1., 3., 4.]))
    """
    xp = array_module(x)
    for axis, (L, S, f) in enumerate(axes_of(x.shape, factor, size), start=1):
        terms = terms_of(xp, L, S, f, method, align_corners)
        x = sum(beside(K, axis, x) * x.take(q, axis) for q, K in terms)
    return x


def upsample_dx(dy, x_shape, factor, size, method, align_corners):
    """(N, *size, C) -> (N, *spatial, C)

    y is linear in x. x[n,q,c] has the factor K(p(o) - q) in y[n,o,c], along each axis:

        dx[n,q,c] = Σ_o K(p(o) - q) dy[n,o,c]

    A pixel at the border also gets the terms of those that repeat it beyond the border.
    """
    xp = array_module(dy)
    for axis, (L, S, f) in enumerate(axes_of(x_shape, factor, size), start=1):
        dx = xp.zeros((*dy.shape[:axis], L, *dy.shape[axis + 1 :]), dy.dtype)
        for q, K in terms_of(xp, L, S, f, method, align_corners):
            xp.add.at(dx, (*(slice(None),) * axis, q), beside(K, axis, dy) * dy)
        dy = dx
    return dy


def terms_of(xp, L, S, f, method, align_corners):
    """Return [(q, K)], the terms of the sum along an axis: the pixels q that the S outputs read,
    and the weights of these."""
    o = xp.arange(S)
    if method.startswith("nearest"):
        twice = 2 * o + 1 if method == "nearest-exact" else 2 * o
        q = twice * f.denominator // (2 * f.numerator)
        return [(xp.minimum(q, L - 1), xp.ones(S))]
    p = o * ((L - 1) / max(S - 1, 1)) if align_corners else (o + 0.5) / float(f) - 0.5
    first, reach, K = xp.floor(p), *KERNELS[method]
    taps = [first + t for t in range(1 - reach, 1 + reach)]
    return [(xp.clip(q, 0, L - 1).astype(int), K(abs(p - q))) for q in taps]


def reach_of(L, S, f, method, align_corners):
    """Return (k, s, p, m): with m - 1 empty places between adjacent pixels, output o reads the
    pixels among the k places from o·s - p on.

    It reads the pixels q with |p(o) - q| below the largest distance r of the kernel. In whole
    numbers, p(o)·m = o·s + first, and |o·s + first - q·m| < r m.
    """
    if align_corners:
        s, m, first = L - 1, max(S - 1, 1), 0
    elif method == "nearest":
        s, m, first = f.denominator, f.numerator, 0
    else:
        s, m = 2 * f.denominator, 2 * f.numerator
        first = (s - m) // 2 if method in KERNELS else s // 2
    if method not in KERNELS:  # the largest q with q m ≤ o·s + first
        return m, s, m - 1 - first, m
    r = KERNELS[method][0]
    return 2 * r * m - 1, s, r * m - 1 - first, m


def linear(t):
    return 1 - t


def cubic(t):
    inner, outer = (5 * t - 9) * t * t / 4 + 1, -3 / 4 * (((t - 5) * t + 8) * t - 4)
    return array_module(t).where(t < 1, inner, outer)


KERNELS = {"linear": (1, linear), "cubic": (2, cubic)}  # (the largest distance, K of |t|)


def beside(weights, axis, x):
    """Return the weights in the dtype of x, as an array (S, 1, .., 1) for this axis."""
    return weights.astype(x.dtype).reshape(-1, *(1,) * (x.ndim - axis - 1))


def axes_of(x_shape, factor, size):
    """Return (L, S, f) for each spatial axis."""
    extent = extent_of(x_shape)
    if (factor is None) == (size is None):
        raise ArgumentError(
            f"upsample found the factor {brief(factor)} and the size {brief(size)}; wanted one of "
            "them"
        )
    if size is not None:
        sizes = per_axis("size", size, len(extent), least=1)
        return [(L, S, Fraction(S, L)) for L, S in zip(extent, sizes, strict=True)]
    factors = factor if isinstance(factor, (tuple, list)) else (factor,) * len(extent)
    if len(factors) == len(extent) and all(map(is_factor, factors)):
        # 1.1 is meant as 11 / 10, and 0.333.. as 1 / 3
        exact = [Fraction(float(f)).limit_denominator(10**6) for f in factors]
        axes = [(L, int(L * f), f) for L, f in zip(extent, exact, strict=True)]
        if all(S for _, S, _ in axes):
            return axes
    raise ArgumentError(
        f"the factor is {brief(factor)} for an input of {'x'.join(map(str, extent))}; wanted a "
        f"number above 0, or {len(extent)} of them, one per spatial axis, that leave at least 1 "
        "position along each axis"
    )


def is_factor(value):
    return isinstance(value, Real) and not isinstance(value, bool) and 0 < float(value) < 1e6


def check(x, factor=None, *, size=None, method="nearest", align_corners=False):
    """Raise an error if x is not floating-point, or if the method does not fit."""
    must_be_floating("x", x)
    one_of("method", method, ("nearest", "nearest-exact", *KERNELS))
    if align_corners and method not in KERNELS:
        raise ArgumentError(
            f"align_corners is {brief(align_corners)} with the method {method!r}, which has no use "
            "for it; leave it out, or choose 'linear' or 'cubic'"
        )


upsample = differentiable(upsample, dx=upsample_dx, check=check)
