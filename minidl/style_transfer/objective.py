"""What the painting should come close to: the photograph's activations and the style's Gram
matrices."""

from typing import NamedTuple

from minidl.backend import read_numbers
from minidl.errors import ArgumentError
from minidl.losses import content_loss, gram_loss, gram_matrix, total_variation
from minidl.losses.style import style_factor


class Losses(NamedTuple):
    """One evaluation, as plain numbers with their weights in them: content, style and
    total_variation add up to the total; layers: "content_conv4_2" -> its part and so on."""

    total: float
    content: float
    style: float
    total_variation: float
    layers: dict

    @classmethod
    def read(cls, total, parts):
        """From an objective's Tensors."""
        total, *numbers = read_numbers(total.data, *(part.data for part in parts.values()))
        layers = dict(zip(parts, numbers, strict=True))
        smoothness = layers.pop("total_variation", 0.0)
        content, style = (
            sum(n for name, n in layers.items() if name.startswith(kind))
            for kind in ("content", "style")
        )
        return cls(total, content, style, smoothness, layers)


class Objective:
    """objective(image) -> (total, {"content_conv4_2": its part, ..}), all Tensors, for an image (H,
    W, 3), RGB, 0..255.

    content: (H, W, 3). styles: pictures (H', W', 3) of any sizes. style_weights: one per style,
    divided by their sum. Since

        Σ_s w_s |G - A_s|²  =  |G - Ā|² + a constant,      Ā = Σ_s w_s A_s,  Σ_s w_s = 1,

    several styles are one, whose Gram matrices are the weighted means.
    """

    def __init__(self, model, content, styles, settings, style_weights=None):
        self.model, self.settings = model, settings
        self.content_layers = weighted(settings.content_layers, settings.content_weight)
        self.style_layers = weighted(settings.style_layers, settings.style_weight)
        self.content = model.features(content, self.content_layers)
        self.grams = self._mean_grams(styles, _shares(style_weights, len(styles)))

    def __call__(self, image):
        features = self.model.features(image, [*self.content_layers, *self.style_layers])
        content = {
            f"content_{layer}": self._content(layer, features[layer])
            for layer in self.content_layers
        }
        style = {
            f"style_{layer}": self._style(layer, features[layer]) for layer in self.style_layers
        }
        parts = content | style | self._total_variation(image)
        first, *others = parts.values()
        return sum(others, start=first), parts

    def _content(self, layer, features):
        loss = content_loss(features, self.content[layer], self.settings.content_normalization)
        return self.content_layers[layer] * loss

    def _style(self, layer, features):
        factor = self.style_layers[layer] * style_factor(
            features.shape, self.settings.style_normalization
        )
        return gram_loss(gram_matrix(features, "positions"), self.grams[layer], factor)

    def _total_variation(self, image):
        weight, form = self.settings.tv_weight, self.settings.tv_normalization
        return {"total_variation": weight * total_variation(image, form)} if weight else {}

    def _mean_grams(self, styles, shares):
        grams = dict.fromkeys(self.style_layers, 0)
        for style, share in zip(styles, shares, strict=True):
            for layer, features in self.model.features(style, self.style_layers).items():
                grams[layer] = grams[layer] + share * gram_matrix(features, "positions")
        return grams


def weighted(layers, weight):
    """The layers that count, with their share of the objective."""
    return {layer: weight * share for layer, share in layers.items() if weight * share}


def _shares(weights, count):
    if not count:
        raise ArgumentError(
            "no style was given; wanted at least one picture whose style to paint in"
        )
    weights = [1.0] * count if weights is None else [float(w) for w in weights]
    if (
        len(weights) != count
        or not all(w >= 0 for w in weights)
        or not 0 < sum(weights) < float("inf")
    ):
        wanted = "one number above 0" if count == 1 else f"{count} numbers of at least 0, not all 0"
        given = "one style" if count == 1 else f"{count} styles"
        raise ArgumentError(
            f"the weights of the styles are {weights}; wanted {wanted}, for {given}"
        )
    return [w / sum(weights) for w in weights]
