"""Measures: how far the features of a layer are from those of the photograph or of the styles.

A measure computes means over the positions of the features, and its loss from these means alone.
The means of a large picture can therefore be added up tile by tile.
"""

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple, Protocol

from minidl.losses import content_loss, gram_loss, gram_matrix
from minidl.losses.content import factor as content_factor
from minidl.losses.style import style_factor
from minidl.style_transfer.settings import Settings
from minidl.typing import Array, Operand, Result, Shape

Means = tuple[Operand, ...]


class Measure(Protocol):
    """The interface of a measure."""

    def means(self, features: Operand) -> Means:
        """(1, H, W, C) -> means over the positions"""

    def loss(self, means: Means, shape: Shape) -> Result:
        """Return the loss, one number. shape: of the features, (1, H, W, C)."""


class Content:
    """The squared distance from the features of the photograph, (1, H, W, C)."""

    def __init__(self, target: Array, settings: Settings) -> None:
        self.target, self.normalization = target, settings.content_normalization

    def means(self, features: Operand) -> Means:
        return (content_loss(features, self.target, "mean"),)

    def loss(self, means: Means, shape: Shape) -> Result:
        return means[0] * (prod(shape) * content_factor(shape, self.normalization))


class Style(NamedTuple):
    """The features (1, H, W, C) of a style picture, and its share of the loss."""

    features: Array
    share: float


class Gram:
    """The squared distance between Gram matrices (Gatys, Ecker, Bethge 2015)."""

    def __init__(self, styles: Sequence[Style], settings: Settings) -> None:
        self.normalization = settings.style_normalization
        self.targets = [(gram_matrix(F, "positions"), share) for F, share in styles]

    def means(self, features: Operand) -> Means:
        return (gram_matrix(features, "positions"),)

    def loss(self, means: Means, shape: Shape) -> Result:
        factor = style_factor(shape, self.normalization)
        return total(gram_loss(means[0], A, share * factor) for A, share in self.targets)


STATISTICS: dict[str, Any] = {"gram": Gram}


def total(terms):
    """Return the sum of one or more terms, of which the first may be a Tensor."""
    first, *others = terms
    return sum(others, start=first)
