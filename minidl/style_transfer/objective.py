"""The loss of style transfer.

It measures how far the image's activations are from those of the content, and its Gram matrices
from those of the style.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from minidl.autograd import Tensor
from minidl.backend import read_numbers
from minidl.errors import ArgumentError
from minidl.losses import total_variation
from minidl.models import VGG19
from minidl.style_transfer.measures import STATISTICS, Content, Measure, Style, total
from minidl.style_transfer.settings import Settings
from minidl.typing import Array


class Losses(NamedTuple):
    """The terms of one evaluation of the objective, with their weights."""

    total: float  # content + style + total_variation
    content: float
    style: float
    total_variation: float
    layers: dict[str, float]  # the part of each layer: {"content_conv4_2": ..., ...}

    @classmethod
    def read(cls, total: Tensor, parts: Mapping[str, Tensor]) -> "Losses":
        """Return the Losses for the two results of an Objective, `total` and `parts`."""
        total_loss, *numbers = read_numbers(total.data, *(part.data for part in parts.values()))
        layers = dict(zip(parts, numbers, strict=True))
        smoothness = layers.pop("total_variation", 0.0)
        content, style = (
            sum(loss for name, loss in layers.items() if name.startswith(kind))
            for kind in ("content", "style")
        )
        return cls(total_loss, content, style, smoothness, layers)


class Term(NamedTuple):
    """A part of the objective: the loss of a measure of a layer, with its weight."""

    layer: str
    weight: float
    measure: Measure


class Objective:
    """The loss of an image (H, W, 3), RGB, 0..255, as a function.

    model: the network. content: a picture (H, W, 3). styles: pictures (H', W', 3) of any sizes.
    settings: which layers, weights and normalizations to use. style_weights: one number for each
    style, which is divided by their sum; by default all are equal. Raise ArgumentError if there are
    no styles, or the weights do not fit them.
    """

    def __init__(
        self,
        model: VGG19,
        content: Array,
        styles: Sequence[Array],
        settings: Settings,
        style_weights: Sequence[float] | None = None,
    ) -> None:
        self.model, self.settings = model, settings
        shares = _shares(style_weights, len(styles))
        self.terms: dict[str, Term] = {
            **self._content_terms(content),
            **self._style_terms(styles, shares),
        }

    def __call__(self, image: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the total loss, and its parts by name: {"content_conv4_2": ..., ...}."""
        features = self.model.features(image, {term.layer for term in self.terms.values()})
        parts: dict[str, Tensor] = {}
        for name, (layer, weight, measure) in self.terms.items():
            means = measure.means(features[layer])
            parts[name] = weight * measure.loss(means, features[layer].shape)
        weight, form = self.settings.tv_weight, self.settings.tv_normalization
        if weight:
            parts["total_variation"] = weight * total_variation(image, form)
        return total(parts.values()), parts

    def _content_terms(self, content):
        layers = weighted(self.settings.content_layers, self.settings.content_weight)
        features = self.model.features(content, layers)
        return {
            f"content_{layer}": Term(layer, weight, Content(features[layer], self.settings))
            for layer, weight in layers.items()
        }

    def _style_terms(self, styles, shares):
        layers = weighted(self.settings.style_layers, self.settings.style_weight)
        features = [self.model.features(style, layers) for style in styles]
        terms = {}
        for layer, weight in layers.items():
            given = [Style(F[layer], share) for F, share in zip(features, shares, strict=True)]
            measure = STATISTICS["gram"](given, self.settings)
            terms[f"style_{layer}"] = Term(layer, weight, measure)
        return terms


def weighted(layers: Mapping[str, float], weight: float) -> dict[str, float]:
    """Return the layers with their weights times `weight`, without those whose product is 0."""
    return {layer: weight * share for layer, share in layers.items() if weight * share}


def _shares(weights, count):
    """Return the weights of the styles, divided by their sum."""
    if not count:
        raise ArgumentError(
            "no style was given; wanted at least one picture whose style to paint in"
        )
    weights = [1.0] * count if weights is None else [float(weight) for weight in weights]
    valid = len(weights) == count and all(weight >= 0 for weight in weights)
    if not valid or not 0 < sum(weights) < float("inf"):
        wanted = "one number above 0" if count == 1 else f"{count} numbers of at least 0, not all 0"
        given = "one style" if count == 1 else f"{count} styles"
        raise ArgumentError(
            f"the weights of the styles are {weights}; wanted {wanted}, for {given}"
        )
    return [weight / sum(weights) for weight in weights]
