"""Keep the colours of the photograph (Gatys, Bethge, Hertzmann, Shechtman 2016, "Preserving Color
in Neural Artistic Style Transfer").

match_colours     before the painting: give the style the colours of the photograph
without_colours   before the painting: make both pictures grey
with_colours_of   after the painting: give the painting the colours of the photograph
prepared          all that one choice of colours does before the painting

Pictures are (H, W, 3), RGB, 0..255. The results are computed in float64 and returned in float32.
"""

from collections.abc import Callable, Sequence

import numpy as np

from minidl.backend import array_module
from minidl.errors import ShapeError, one_of
from minidl.typing import Array

LUMA = (0.299, 0.587, 0.114)  # the weights of R, G and B in ITU-R BT.601, whose sum is 1
# The variance that is added to each channel, in levels². It is 1e-5 for pictures of 0..1, and
# larger than that of rounding, 1/12, so that rounding errors of a grey picture get little colour.
EPSILON = 1e-5 * 255**2


def match_colours(picture: Array, to: Array, how: str = "symmetric") -> Array:
    """(H, W, 3), (H', W', 3) -> (H, W, 3): `picture` with the distribution of the colours of `to`

    how: one of these, where μ and Σ are the mean and the covariance of the pixels x of `picture`,
    and μ' and Σ' are those of `to`.

    "cholesky"   x' = Q' Q⁻¹ (x - μ) + μ',  Q: the lower triangular matrix with Q Qᵀ = Σ + ε I
    "symmetric"  the same with the symmetric root, Q = (Σ + ε I)^(1/2) (Hertzmann et al. 2001,
                 "Image Analogies"). It does not depend on the order of the channels.
    "histogram"  each channel on its own: x' has the same rank among the numbers of `to` as x has in
                 `picture`. The relation between the channels may change.

    The first two give `picture` the covariance Σ', up to ε, if its own colours vary much more than
    ε in all directions:

        Q' Q⁻¹ (Σ + ε I) Q⁻ᵀ Q'ᵀ  =  Q' Qᵀ Q⁻ᵀ Q'ᵀ  =  Q' Q'ᵀ  =  Σ' + ε I

    In a direction without variance, x' has none either. The colours of a grey picture lie on a
    line, and so do those of the result: by "cholesky", they differ in red almost alone. ε keeps Q
    invertible. Results outside 0..255 are clipped. Raise ShapeError for arrays that are no
    pictures, and ArgumentError for another `how`.

    >>> to = np.array([[[10., 0., 5.], [30., 0., 5.]]])
    >>> match_colours(np.array([[[99., 8., 1.], [98., 8., 2.]]]), to, "histogram")
    array([[[30.,  0.,  5.],
            [10.,  0.,  5.]]], dtype=float32)
    """
    one_of("how", how, MATCHES)
    _must_be_pictures(picture, to)
    pixels, target = (array.astype(np.float64).reshape(-1, 3) for array in (picture, to))
    matched = MATCHES[how](pixels, target)
    return _as_levels(matched.reshape(picture.shape))


def without_colours(style: Array, photograph: Array) -> tuple[Array, Array]:
    """(H', W', 3), (H, W, 3) -> (H', W', 3), (H, W, 3): both pictures in grey, for a painting of
    the luminance only

    All channels of the photograph become its luma L. Those of the style become its luma L_S, with
    the mean and the standard deviation of L,

        L' = σ / σ_S (L_S - μ_S) + μ,

    where ε is added to both variances as in `match_colours`. Results outside 0..255 are clipped.
    The painting of this pair gets the colours of the photograph by `with_colours_of`. Raise
    ShapeError for arrays that are no pictures.
    """
    _must_be_pictures(style, photograph)
    xp = array_module(style, photograph)
    of_style, of_photograph = luma(style), luma(photograph)
    # The root of a variance, a 1x1 covariance, is the standard deviation.
    matched = MATCHES["cholesky"](of_style.reshape(-1, 1), of_photograph.reshape(-1, 1))
    greys = matched.reshape(of_style.shape), of_photograph
    grey_style, grey_photograph = (_as_levels(xp.stack([grey] * 3, axis=-1)) for grey in greys)
    return grey_style, grey_photograph


def with_colours_of(painting: Array, photograph: Array) -> Array:
    """(H, W, 3), (H, W, 3) -> (H, W, 3): the luma of `painting` with the chroma of `photograph`

    The chroma of a pixel c = (R, G, B) with the luma Y = 0.299 R + 0.587 G + 0.114 B consists of
    two weighted sums of R - Y and B - Y:

        Y'IQ (FCC 1953)      I = 0.74 (R - Y) - 0.27 (B - Y),   Q = 0.48 (R - Y) + 0.41 (B - Y)
        Y'CbCr (BT.601)      Cb = 0.564 (B - Y),                Cr = 0.713 (R - Y)

    In both systems, the pixel with the luma L of the painting and the chroma of c is

        c' = L + (c - Y)

    Its luma is L + (Y - Y) = L, because the weights of the luma sum to 1. It differs from its luma
    by c - Y, so it has the chroma of c. If a channel of c' is outside 0..255, s (c - Y) with the
    largest s that fits replaces c - Y. The pixel then keeps its luma and its hue, and becomes less
    saturated. Raise ShapeError for arrays that are no pictures of one size.

    >>> with_colours_of(np.full((1, 1, 3), 100.), np.array([[[100., 50., 0.]]]))       # Y = 59.25
    array([[[140.75,  90.75,  40.75]]], dtype=float32)
    """
    _must_be_pictures(painting, photograph)
    if painting.shape != photograph.shape:
        raise ShapeError(
            f"the painting has shape {painting.shape} and the photograph {photograph.shape}; "
            "wanted pictures of one size"
        )
    xp = array_module(painting, photograph)
    lightness = xp.clip(luma(painting), 0, 255)[..., None]
    chroma = photograph.astype(np.float64) - luma(photograph)[..., None]
    room = xp.where(chroma > 0, 255 - lightness, lightness)
    share = (room / xp.maximum(abs(chroma), 1e-9)).min(-1, keepdims=True)
    return _as_levels(lightness + xp.minimum(share, 1) * chroma)


def prepared(content: Array, styles: Sequence[Array], colours: str) -> tuple[Array, list[Array]]:
    """(H, W, 3), [(H', W', 3), ...] -> (H, W, 3), [(H', W', 3), ...]: the content and the styles
    with the colours that a painting is made with

    colours: "style" for those of the pictures, "luminance" for grey pictures (of several styles,
    each is matched to the content), or a key of MATCHES for styles with those of the content.
    Raise ShapeError for arrays that are no pictures, and ArgumentError for other `colours`.
    """
    if colours == "style":
        return content, [*styles]
    if colours == "luminance":
        pairs = [without_colours(style, content) for style in styles]
        return pairs[0][1], [style for style, _ in pairs]
    return content, [match_colours(style, content, colours) for style in styles]


def luma(picture: Array) -> Array:
    """(H, W, 3) -> (H, W) float64: 0.299 R + 0.587 G + 0.114 B

    >>> luma(np.array([[[10, 10, 10], [255, 0, 0]]]))
    array([[10.   , 76.245]])
    """
    return picture.astype(np.float64) @ array_module(picture).asarray(LUMA)


def _linearly(root):
    """Return the match by the matrices Q = root(Σ + ε I) as a function (n, C), (m, C) -> (n, C)."""

    def match(pixels, target):
        xp = array_module(pixels)
        mean, Q = _mean_and_root(pixels, root)
        target_mean, target_Q = _mean_and_root(target, root)
        return (pixels - mean) @ (target_Q @ xp.linalg.inv(Q)).T + target_mean

    return match


def _mean_and_root(pixels, root):
    xp = array_module(pixels)
    mean = pixels.mean(0)
    centred = pixels - mean
    covariance = centred.T @ centred / len(pixels)
    return mean, root(covariance + EPSILON * xp.eye(len(mean)))


def _cholesky(matrix):
    return array_module(matrix).linalg.cholesky(matrix)


def _symmetric(matrix):
    """Return V λ^(1/2) Vᵀ of the eigenvectors V and eigenvalues λ of a symmetric matrix."""
    values, vectors = array_module(matrix).linalg.eigh(matrix)
    return vectors * values**0.5 @ vectors.T


def _by_ranks(pixels, target):
    """(n, C), (m, C) -> (n, C): the quantiles of `target` at the ranks of `pixels`

    Pixels of the same value have the mean of their ranks, and so remain equal. A rank r among n
    numbers belongs to the position (r + 1/2) m/n - 1/2 in the sorted target, which is read by
    linear interpolation.
    """
    xp, (n, m) = array_module(pixels), (len(pixels), len(target))
    channels = []
    for values, wanted in zip(pixels.T, target.T, strict=True):
        ordered = xp.sort(values)
        first, end = (xp.searchsorted(ordered, values, side) for side in ("left", "right"))
        position = ((first + end) * (m / n) - 1) / 2  # the mean of the ranks is (first + end - 1)/2
        channels.append(xp.interp(position, xp.arange(m, dtype=float), xp.sort(wanted)))
    return xp.stack(channels, axis=-1)


MATCHES: dict[str, Callable] = {
    "cholesky": _linearly(_cholesky),
    "symmetric": _linearly(_symmetric),
    "histogram": _by_ranks,
}


def _as_levels(picture):
    return array_module(picture).clip(picture, 0, 255).astype(np.float32)


def _must_be_pictures(*pictures):
    for picture in pictures:
        if picture.ndim != 3 or picture.shape[-1] != 3 or not picture.size:
            raise ShapeError(f"a picture has shape {picture.shape}; wanted (H, W, 3), RGB")
