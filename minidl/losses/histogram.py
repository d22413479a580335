"""The style loss of histograms compares the sorted numbers of two pictures in each channel (Heitz,
Vanhoey, Chambon, Belcour 2021, "A Sliced Wasserstein Loss for Neural Texture Synthesis", along the
axes of the channels; the idea of matching histograms is that of Risser, Wilmot, Barnes 2017).

For numbers on a line, the cheapest way to move one set onto another of the same size keeps their
order. The mean squared difference of the sorted numbers is therefore their squared Wasserstein-2
distance.
"""

from minidl.autograd import constant, plain
from minidl.backend import array_module
from minidl.errors import ShapeError
from minidl.losses.content import content_loss
from minidl.losses.features import constant_style
from minidl.losses.gram import check as must_be_features
from minidl.losses.gram import unroll
from minidl.typing import Array, Operand, Result


def histogram_loss(generated: Operand, style: Operand) -> Result:
    """(N, H, W, C), (N, H', W', C) or (N, M', C) -> one number

    L = 1/(C M) Σ_{n,i,c} (S[n,i,c] - T[n,i,c])²,      i = 0, .., M - 1

    F: generated. S: the numbers of each channel of F in ascending order. T: the M' sorted numbers
    of the style, interpolated linearly at the M quantiles (i + 1/2) / M; its own number j is at
    (j + 1/2) / M'.

    style: features of any height and width, or, made once, sorted_channels(features). It is a
    constant and has no gradient. The order of different numbers does not change in a small step, so
    with the rank i(p) of F[n,p,c] in its channel

        ∂L/∂F[n,p,c] = 2/(C M) (F[n,p,c] - T[n,i(p),c])

    and the loss is the content loss to the picture whose numbers are T in the order of F. Of equal
    numbers, the first position gets the lowest rank.

    Cost: N·M·C·log M comparisons. Raises ShapeError if the shapes do not fit, and ArgumentError for
    integers.

    >>> generated, style = np.array([6., 1., 2.]), np.array([4., 3., 8.])
    >>> histogram_loss(generated.reshape(1, 1, 3, 1), style.reshape(1, 3, 1, 1))     # 2², 2², 2²
    np.float64(4.0)
    """
    F = plain(generated)
    return content_loss(generated, of_the_same_rank(F, sorted_style(F, style)), "mean") * len(F)


def sorted_channels(features: Array) -> Array:
    """(N, H, W, C) -> (N, H·W, C): the numbers of each channel in ascending order

    Raises ShapeError if the features have no four axes or an empty one, and ArgumentError for
    integers.
    """
    must_be_features(features)
    return array_module(features).sort(unroll(features), axis=1)


def of_the_same_rank(F, numbers):
    """(N, H, W, C), (N, M', C) -> (N, H, W, C): for each number of F, T of its rank"""
    order = unroll(F).argsort(axis=1, kind="stable")
    T, xp = at_quantiles(numbers, order.shape[1]), array_module(F, numbers)
    ranked = xp.empty(order.shape, T.dtype)
    xp.put_along_axis(ranked, order, T, axis=1)
    return ranked.reshape(F.shape)


def at_quantiles(numbers, M):
    """(N, M', C) -> (N, M, C): T"""
    xp, last = array_module(numbers), numbers.shape[1] - 1
    place = xp.clip((xp.arange(M) + 0.5) * ((last + 1) / M) - 0.5, 0, last)
    below = xp.floor(place).astype(int)
    share = (place - below).astype(numbers.dtype)[:, None]
    above = xp.minimum(below + 1, last)
    return (1 - share) * numbers[:, below] + share * numbers[:, above]


def sorted_style(F, style):
    """Return the sorted numbers (N, M', C) of the style. Raise an error if it does not fit."""
    if getattr(style, "ndim", 4) != 3:
        return sorted_channels(constant_style("histogram_loss", F, style))
    must_be_features(F)
    numbers = constant("histogram_loss", "style", style)
    if numbers.shape[0::2] != F.shape[0::3] or not numbers.size:
        raise ShapeError(
            f"histogram_loss of features {F.shape} and sorted numbers {numbers.shape}; wanted "
            f"({F.shape[0]}, M, {F.shape[3]}), N and M at least 1"
        )
    return numbers
