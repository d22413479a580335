"""What the painting should come close to: the photograph's activations and the style's Gram matrices."""

from typing import NamedTuple

from minidl.autograd import Tensor
from minidl.errors import ArgumentError
from minidl.losses import content_loss, gram_matrix, style_loss, total_variation


class Losses(NamedTuple):
    """One evaluation. total: Tensor to go back from; terms: name -> weighted value; they add up to the total."""

    total: Tensor
    terms: dict

    @property
    def content(self):
        return self._sum("content_")

    @property
    def style(self):
        return self._sum("style_")

    @property
    def total_variation(self):
        return self._sum("total_variation")

    def _sum(self, prefix):
        return sum(value for name, value in self.terms.items() if name.startswith(prefix))


class Objective:
    """objective(image) -> Losses, for an image (H, W, 3), RGB, 0..255, as a Tensor.

    content: (H, W, 3). styles: pictures (H', W', 3) of any sizes. style_weights: one per style, divided by their sum. Since

        Σ_s w_s |G - A_s|²  =  |G - Ā|² + a constant,      Ā = Σ_s w_s A_s,  Σ_s w_s = 1,

    several styles are one, whose Gram matrices are the weighted means.
    """

    def __init__(self, model, content, styles, settings, style_weights=None):
        self.model, self.settings = model, settings
        self.content_layers = _weighted(settings.content_layers, settings.content_weight)
        self.style_layers = _weighted(settings.style_layers, settings.style_weight)
        self.content = model.features(content, self.content_layers)
        self.grams = self._mean_grams(styles, _shares(style_weights, len(styles)))

    def __call__(self, image):
        terms = dict(self._terms(image))
        total = sum(terms.values())
        return Losses(total, {name: float(term) for name, term in terms.items()})

    def _terms(self, image):
        settings = self.settings
        features = self.model.features(image, [*self.content_layers, *self.style_layers])
        for layer, weight in self.content_layers.items():
            loss = content_loss(features[layer], self.content[layer], settings.content_normalization)
            yield f"content_{layer}", weight * loss
        for layer, weight in self.style_layers.items():
            yield f"style_{layer}", weight * style_loss(features[layer], self.grams[layer], settings.style_normalization)
        if settings.tv_weight:
            yield "total_variation", settings.tv_weight * total_variation(image, settings.tv_normalization)

    def _mean_grams(self, styles, shares):
        grams = dict.fromkeys(self.style_layers, 0)
        for style, share in zip(styles, shares, strict=True):
            for layer, features in self.model.features(style, self.style_layers).items():
                grams[layer] = grams[layer] + share * gram_matrix(features, "positions")
        return grams


def _weighted(layers, weight):
    """The layers that count, with their share of the objective."""
    return {layer: weight * share for layer, share in layers.items() if weight * share}


def _shares(weights, count):
    if not count:
        raise ArgumentError("no style was given; wanted at least one picture whose style to paint in")
    weights = [1.0] * count if weights is None else list(weights)
    if len(weights) != count or not all(w >= 0 for w in weights) or not 0 < sum(weights) < float("inf"):
        raise ArgumentError(f"the weights of the styles are {weights}; wanted {count} numbers of at least 0, not all 0")
    return [w / sum(weights) for w in weights]
