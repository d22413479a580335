"""Measures: how far the features of a layer are from those of the photograph or of the styles.

A measure computes means over the positions of the features, and its loss from these means alone.
The means of a large picture can therefore be added up tile by tile: see `merged`. The exceptions
are `Histogram`, which compares all positions at once, and `Patches`, whose patches cross the
borders of tiles.

A guide (H, W) says how much each position counts. In the means of `Gram`, `Wasserstein` and
`Moments`, a position has the weight T² / Σ T², T: guide. `Histogram` and `Nearest` take the
positions where the guide is at least 1/2. `Patches` takes no guide. `Content` multiplies both
pictures' features by T, and its mean is over all positions.
"""

from collections.abc import Sequence
from copy import copy
from math import prod
from typing import Any, NamedTuple, TypeVar

from minidl import ops
from minidl.backend import read_numbers
from minidl.errors import ArgumentError
from minidl.losses import (
    content_loss,
    deviation_loss,
    gaussian_loss,
    gram_loss,
    gram_matrix,
    histogram_loss,
    nearest_loss,
    patch_loss,
)
from minidl.losses.content import factor as content_factor
from minidl.losses.guided import guided_gram_matrix, shares
from minidl.losses.histogram import sorted_channels
from minidl.losses.moments import deviation
from minidl.losses.style import style_factor
from minidl.losses.wasserstein import covariance_root
from minidl.style_transfer.settings import Settings
from minidl.style_transfer.tiles import Window
from minidl.typing import Array, Operand, Result, Shape

Means = tuple[Operand, ...]
Own = TypeVar("Own", bound="Content | Measure")


class Part(NamedTuple):
    """The means of the positions of a tile. amount: its weight in the mean over all tiles."""

    means: Means
    amount: float


class Style(NamedTuple):
    """A style at a layer: the statistics of its tiles, and its share of the loss."""

    parts: Sequence[Part]
    share: float


class Content:
    """The squared distance from the features of the photograph, (1, H, W, C)."""

    tiles = True

    def __init__(self, target: Array, settings: Settings, guide: Array | None = None) -> None:
        self.normalization, self.guide = settings.content_normalization, guide
        self.target = self._guided(target)

    def means(self, features: Operand) -> Means:
        """(1, H, W, C) -> means over the positions"""
        return (content_loss(self._guided(features), self.target, "mean"),)

    def loss(self, means: Means, shape: Shape) -> Result:
        """Return the loss, one number. shape: of the features, (1, H, W, C)."""
        return means[0] * (prod(shape) * content_factor(shape, self.normalization))

    def within(self, window: Window) -> "Content":
        """Return the measure of the positions in a window."""
        part = _limited(self, window)
        part.target = self.target[(slice(None), *window)]
        return part

    @staticmethod
    def amount(shape: Shape, guide: Array | None) -> float:
        """Return the number of positions."""
        return prod(shape[1:3])

    def _guided(self, features):
        return features if self.guide is None else features * self.guide[None, :, :, None]


class Measure:
    """The base of the measures of style.

    The loss is the sum of the distances from the styles, each times the share of the style.
    """

    tiles = True  # whether the means of tiles add up

    def __init__(
        self, styles: Sequence[Style], settings: Settings, guide: Array | None = None
    ) -> None:
        self.normalization, self.guide = settings.style_normalization, guide
        self.targets = [(self.target(style.parts), style.share) for style in styles]

    def means(self, features: Operand) -> Means:
        """(1, H, W, C) -> means over the positions"""
        return self.statistics(features, self.guide)

    def loss(self, means: Means, shape: Shape) -> Result:
        """Return the loss, one number. shape: of the features, (1, H, W, C)."""
        return total(share * self.distance(means, target, shape) for target, share in self.targets)

    def within(self, window: Window) -> "Measure":
        """Return the measure of the positions in a window."""
        return _limited(self, window)

    @staticmethod
    def amount(shape: Shape, guide: Array | None) -> float:
        """Return Σ T² over the positions, or their number without a guide."""
        if guide is None:
            return prod(shape[1:3])
        [squares] = read_numbers((guide * guide).sum(dtype="float64"))
        return squares

    @staticmethod
    def statistics(features: Operand, guide: Array | None) -> Means:
        """Return the means that the loss compares."""
        raise NotImplementedError

    def target(self, parts: Sequence[Part]) -> Any:
        """Return what the means are compared with, from the statistics of the tiles of a style."""
        return merged(parts)

    def distance(self, means: Means, target: Any, shape: Shape) -> Result:
        """Return the distance of the means from a target."""
        raise NotImplementedError


class Gram(Measure):
    """The squared distance of Gram matrices (Gatys, Ecker, Bethge 2015)."""

    @staticmethod
    def statistics(features: Operand, guide: Array | None) -> Means:
        return (gram(features, guide),)

    def distance(self, means: Means, target: Any, shape: Shape) -> Result:
        return gram_loss(means[0], target[0], style_factor(shape, self.normalization))


class Wasserstein(Measure):
    """The Wasserstein-2 distance of mean and covariance: see `losses.wasserstein_loss`."""

    @staticmethod
    def statistics(features: Operand, guide: Array | None) -> Means:
        return mean(features, guide), gram(features, guide)

    def target(self, parts: Sequence[Part]) -> Any:
        m, G = merged(parts)
        return m, covariance_root(m, G)

    def distance(self, means: Means, target: Any, shape: Shape) -> Result:
        return gaussian_loss(*means, *target)


class Moments(Measure):
    """The distance of the mean and the deviation of each channel: see `losses.moments_loss`."""

    @staticmethod
    def statistics(features: Operand, guide: Array | None) -> Means:
        return mean(features, guide), mean(features * features, guide)

    def target(self, parts: Sequence[Part]) -> Any:
        m, q = merged(parts)
        return m, deviation(m, q)

    def distance(self, means: Means, target: Any, shape: Shape) -> Result:
        return deviation_loss(*means, *target)


class Comparison(Measure):
    """The base of measures whose loss is a mean over the positions for each style.

    The statistics of a style are its features themselves.
    """

    @staticmethod
    def amount(shape: Shape, guide: Array | None) -> float:
        """Return the number of positions where the guide is at least 1/2, or of all without one."""
        return prod(shape[1:3]) if guide is None else len(positions_in(guide)[0])

    @staticmethod
    def statistics(features: Operand, guide: Array | None) -> Means:
        return (selected(features, guide),)

    def means(self, features: Operand) -> Means:
        chosen = selected(features, self.guide)
        return tuple(self.compare(chosen, target) for target, _ in self.targets)

    def loss(self, means: Means, shape: Shape) -> Result:
        return total(share * mean for mean, (_, share) in zip(means, self.targets, strict=True))

    def target(self, parts: Sequence[Part]) -> Any:
        features = [part.means[0] for part in _some(parts)]
        if len(features) == 1:
            return features[0]
        columns = [F.reshape(1, -1, 1, F.shape[-1]) for F in features]
        return ops.concatenate(columns, axis=1)

    def compare(self, features: Operand, target: Array) -> Result:
        """Return the loss of the features, a mean over the positions."""
        raise NotImplementedError


class Histogram(Comparison):
    """The distance of the sorted numbers of each channel: see `losses.histogram_loss`."""

    tiles = False

    def target(self, parts: Sequence[Part]) -> Any:
        return sorted_channels(super().target(parts))

    def compare(self, features: Operand, target: Array) -> Result:
        return histogram_loss(features, target)


class Nearest(Comparison):
    """The cosine distance to the nearest position of the style: see `losses.nearest_loss`."""

    def compare(self, features: Operand, target: Array) -> Result:
        return nearest_loss(features, target)


class Patches(Comparison):
    """The distance to the nearest patch of the style: see `losses.patch_loss`."""

    tiles = False

    def __init__(
        self, styles: Sequence[Style], settings: Settings, guide: Array | None = None
    ) -> None:
        super().__init__(styles, settings, guide)
        _must_have_no_guide(guide)

    @staticmethod
    def statistics(features: Operand, guide: Array | None) -> Means:
        _must_have_no_guide(guide)
        return (features,)

    def compare(self, features: Operand, target: Array) -> Result:
        return patch_loss(features, target)


MEASURES: dict[str, type[Measure]] = {
    "gram": Gram,
    "wasserstein": Wasserstein,
    "moments": Moments,
    "histogram": Histogram,
    "nearest": Nearest,
    "patches": Patches,
}


def merged(parts: Sequence[Part]) -> Means:
    """Return the means over the positions of all parts, from the means of each part."""
    whole = sum(part.amount for part in _some(parts))
    weighted = [[mean * (part.amount / whole) for mean in part.means] for part in parts]
    return tuple(map(total, zip(*weighted, strict=True)))


def joined(features: list[Operand]) -> Operand:
    """Return the channels of several layers, the deepest last, on the grid of the deepest.

    The shallower layers are averaged over the cells of this grid. A pooling halves the lengths and
    drops an odd row or column, and so does the average.
    """
    *others, deepest = features
    if not others:
        return deepest
    height = deepest.shape[1]
    cells = [1 << ((F.shape[1] // height).bit_length() - 1) for F in others]
    pooled = [
        ops.avg_pool(F, cell) if cell > 1 else F for F, cell in zip(others, cells, strict=True)
    ]
    return ops.concatenate([*pooled, deepest], axis=-1)


def gram(features: Operand, guide: Array | None) -> Result:
    """(1, H, W, C) -> (1, C, C): Σ_p w F[p] F[p]ᵀ,  w = T² / Σ T², or 1/M without a guide"""
    if guide is None:
        return gram_matrix(features, "positions")
    return guided_gram_matrix(features, guide[None])


def mean(features: Operand, guide: Array | None) -> Result:
    """(1, H, W, C) -> (1, C): Σ_p w F[p],  w = T² / Σ T², or 1/M without a guide"""
    if guide is None:
        return ops.mean(features, axis=(1, 2))
    w = shares(features, guide[None])
    return ops.sum(features * (w * w), axis=(1, 2))


def selected(features: Operand, guide: Array | None) -> Operand:
    """(1, H, W, C) -> (1, n, 1, C): the positions where the guide is at least 1/2"""
    if guide is None:
        return features
    rows, columns = positions_in(guide)
    _some(rows)
    return features[:, rows, columns][:, :, None]


def positions_in(guide):
    """Return the rows and the columns of the positions where the guide is at least 1/2."""
    return (guide >= 0.5).nonzero()


def _must_have_no_guide(guide):
    if guide is not None:
        raise ArgumentError(
            "the style objective 'patches' cannot be limited to a region; take another objective, "
            "or leave the masks out"
        )


def _some(parts):
    """Return the parts, or raise ArgumentError if there are none."""
    if not len(parts):
        raise ArgumentError(
            "no position of a layer is at least half inside of a mask; enlarge the region, or take "
            "a shallower layer"
        )
    return parts


def _limited(measure: Own, window: Window) -> Own:
    """Return a copy of a measure with the guide of a window."""
    part = copy(measure)
    part.guide = None if measure.guide is None else measure.guide[window]
    return part


def total(terms):
    """Return the sum of one or more terms, of which the first may be a Tensor."""
    first, *others = terms
    return sum(others, start=first)
