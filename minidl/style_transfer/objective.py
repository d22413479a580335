"""The loss of style transfer.

It measures how far the image's activations are from those of the content, and its Gram matrices
from those of the style.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from minidl.autograd import Tensor
from minidl.backend import read_numbers
from minidl.errors import ArgumentError
from minidl.losses import content_loss, gram_loss, gram_matrix, total_variation
from minidl.losses.style import style_factor
from minidl.models import VGG19
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


class Objective:
    """The loss of an image (H, W, 3), RGB, 0..255, as a function.

    model: the network. content: a picture (H, W, 3). styles: pictures (H', W', 3) of any sizes.
    settings: which layers, weights and normalizations to use. style_weights: one number for each
    style, which is divided by their sum; by default all are equal. Since

        Σ_s w_s |G - A_s|²  =  |G - Ā|² + a constant,      Ā = Σ_s w_s A_s,  Σ_s w_s = 1,

    several styles are equivalent to one whose Gram matrices are the weighted means. Raise
    ArgumentError if there are no styles, or the weights do not fit them.
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
        self.content_layers = weighted(settings.content_layers, settings.content_weight)
        self.style_layers = weighted(settings.style_layers, settings.style_weight)
        self.content = model.features(content, self.content_layers)
        self.grams = self._mean_grams(styles, _shares(style_weights, len(styles)))

    def __call__(self, image: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the total loss, and its parts by name: {"content_conv4_2": ..., ...}."""
        features = self.model.features(image, [*self.content_layers, *self.style_layers])
        parts: dict[str, Tensor] = {
            f"content_{layer}": self._content(layer, features[layer])
            for layer in self.content_layers
        }
        parts |= {
            f"style_{layer}": self._style(layer, features[layer]) for layer in self.style_layers
        }
        parts |= self._total_variation(image)
        first, *others = parts.values()
        return sum(others, start=first), parts

    def _content(self, layer, features):
        loss = content_loss(features, self.content[layer], self.settings.content_normalization)
        return self.content_layers[layer] * loss

    def _style(self, layer, features):
        factor = style_factor(features.shape, self.settings.style_normalization)
        gram = gram_matrix(features, "positions")
        return gram_loss(gram, self.grams[layer], self.style_layers[layer] * factor)

    def _total_variation(self, image):
        weight, form = self.settings.tv_weight, self.settings.tv_normalization
        return {"total_variation": weight * total_variation(image, form)} if weight else {}

    def _mean_grams(self, styles, shares):
        grams = dict.fromkeys(self.style_layers, 0)
        for style, share in zip(styles, shares, strict=True):
            for layer, features in self.model.features(style, self.style_layers).items():
                grams[layer] = grams[layer] + share * gram_matrix(features, "positions")
        return grams


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
