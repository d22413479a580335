"""The loss of style transfer is a weighted sum of terms.

A term measures how far the activations of the image are from those of the content or of the styles.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from minidl.autograd import Tensor
from minidl.backend import array_module, read_numbers, to_numpy
from minidl.errors import ArgumentError
from minidl.losses import total_variation
from minidl.models import VGG19
from minidl.style_transfer.guides import guides
from minidl.style_transfer.measures import MEASURES, Content, Measure, Part, Style, joined, total
from minidl.style_transfer.memory import Memory
from minidl.style_transfer.settings import Settings
from minidl.style_transfer.tiles import Tile, tiles
from minidl.typing import Array, Operand, Shape


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
    """A part of the objective: the loss of a measure of some layers, with its weight."""

    layers: tuple[str, ...]
    weight: float
    measure: Content | Measure


class Masks(NamedTuple):
    """Where the content and the styles count. All numbers are from 0 to 1."""

    content: Array | None = None  # (H, W): where the painting keeps to the photograph
    regions: Sequence[Array | None] = ()  # (H, W): where each style is painted
    parts: Sequence[Array | None] = ()  # (H', W'): the part of each style picture that is used


class Objective:
    """The loss of an image (H, W, 3), RGB, 0..255, as a function.

    model: the network. content: a picture (H, W, 3). styles: pictures (H', W', 3) of any sizes.
    settings: which layers, weights and normalizations to use. style_weights: one number for each
    style, which is divided by their sum; by default all are equal. masks: by default everything
    counts everywhere. known: measures of the same styles from other objectives with the same
    settings, which are used again, and to which new ones are added. memory: how the gradient is
    computed. Raise ArgumentError if there are no styles, if the weights do not fit them, or for
    tiles with a measure that has none.

    `terms` are its parts by name, without the total variation: {"content_conv4_2": ..., ...}.
    """

    def __init__(
        self,
        model: VGG19,
        content: Array,
        styles: Sequence[Array],
        settings: Settings,
        style_weights: Sequence[float] | None = None,
        masks: Masks | None = None,
        known: dict[Any, Any] | None = None,
        memory: Memory | None = None,
    ) -> None:
        masks = masks or Masks()
        self.known = {} if known is None else known
        self.model, self.settings, self.shape = model, settings, content.shape
        self.memory = memory or Memory()
        shares = shares_of(style_weights, len(styles))
        self.terms: dict[str, Term] = {
            **self._content_terms(content, masks.content),
            **self._style_terms(styles, shares, masks),
        }

    def __call__(self, image: Tensor, variation: bool = True) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the total loss, and its parts by name: {"content_conv4_2": ..., ...}.

        variation: whether to include the total variation.
        """
        features = self.model.features(image, self.layers)
        parts: dict[str, Tensor] = {}
        for name, (layers, weight, measure) in self.terms.items():
            F = joined([features[layer] for layer in layers])
            parts[name] = weight * measure.loss(measure.means(F), F.shape)
        if variation and self.settings.tv_weight:
            parts["total_variation"] = self.total_variation(image)
        return total(parts.values()), parts

    @property
    def layers(self) -> list[str]:
        """The layers that the terms read."""
        return [*dict.fromkeys(layer for term in self.terms.values() for layer in term.layers)]

    def shape_at(self, layers: Sequence[str]) -> Shape:
        """Return the shape (1, H, W, C) of the features that a term compares."""
        shapes = [self.model.shape_at(self.shape[:2], layer) for layer in layers]
        return *shapes[-1][:3], sum(shape[-1] for shape in shapes)

    def tiles(self, shape: Shape, layers: Iterable[str]) -> list[Tile]:
        """Return the tiles of a picture (H, W, 3) for some layers: one, unless the memory asks for
        smaller ones."""
        return tiles(shape, self.memory.side, *self.model.reach(layers))

    def own_features(
        self, tile: Tile, pixels: Operand, layers: Iterable[str]
    ) -> dict[str, Operand]:
        """Return the features of the own pixels of a tile. pixels: its outer pixels."""
        reached = {layer: self.model.reach([layer])[0] for layer in layers}
        features = self.model.features(pixels, reached)
        return {layer: tile.cut(features[layer], stride) for layer, stride in reached.items()}

    def total_variation(self, image: Tensor) -> Tensor:
        """Return the term of the total variation."""
        settings = self.settings
        return settings.tv_weight * total_variation(image, settings.tv_normalization)

    def weigh_content(self, factor: float) -> None:
        """Multiply the weights of the content terms by a factor."""
        for name, term in self.terms.items():
            if name.startswith("content"):
                self.terms[name] = term._replace(weight=factor * term.weight)

    def _content_terms(self, content, mask):
        settings, size = self.settings, content.shape[:2]
        layers = settings.weighted_content
        targets = {
            layer: array_module(content).empty(self.model.shape_at(size, layer), content.dtype)
            for layer in layers
        }
        for tile in self.tiles(content.shape, layers):
            features = self.own_features(tile, content[tile.outer], layers)
            for layer, F in features.items():
                stride, _ = self.model.reach([layer])
                targets[layer][(slice(None), *tile.positions(stride))] = F
        guide = self._guides(mask, layers)
        return {
            f"content_{layer}": Term(
                (layer,), weight, Content(targets[layer], settings, guide[layer])
            )
            for layer, weight in layers.items()
        }

    def _style_terms(self, styles, shares, masks):
        """Return a term for each entry of the style layers and each region of the painting."""
        settings, terms = self.settings, {}
        regions = [*masks.regions] or [None] * len(styles)
        parts = [*masks.parts] or [None] * len(styles)
        groups: dict[Any, list] = {}  # the styles that have the same region
        for style in zip(styles, shares, parts, regions, strict=True):
            region = style[-1]
            key = None if region is None else to_numpy(region).tobytes()
            groups.setdefault(key, []).append(style)
        for number, (key, group) in enumerate(groups.items(), start=1):
            prefix = "style" if len(groups) == 1 else f"style{number}"
            shapes = tuple(style.shape for style, *_ in group)
            if (key, shapes) not in self.known:
                self.known[key, shapes] = self._measures(group)
            for entry, measure in self.known[key, shapes].items():
                _, layers = settings.measure_of(entry)
                weight = settings.weighted_style[entry]
                terms[f"{prefix}_{entry}"] = Term(layers, weight, measure)
        return terms

    def _measures(self, group):
        """Return the measure for each entry of the style layers, of styles with one region."""
        settings = self.settings
        kinds = settings.measures
        self._must_have_tiles(kinds)
        guide = self._guides(group[0][-1], _layers(kinds))
        members = [(self._described(style, kinds, part), share) for style, share, part, _ in group]
        measures = {}
        for entry, (name, read) in kinds.items():
            given = [Style(described[entry], share) for described, share in members]
            measures[entry] = MEASURES[name](given, settings, guide[read[-1]])
        return measures

    def _described(self, style, kinds, mask):
        """Return the statistics of the tiles of a style, {entry: [Part, ...]}."""
        layers = _layers(kinds)
        described: dict[str, list[Part]] = {entry: [] for entry in kinds}
        guide = self._guides(mask, layers)
        for tile in self.tiles(style.shape, layers):
            features = self.own_features(tile, style[tile.outer], layers)
            for entry, (name, read) in kinds.items():
                measure, F = MEASURES[name], joined([features[layer] for layer in read])
                stride, _ = self.model.reach(read)
                whole = guide[read[-1]]
                part = None if whole is None else whole[tile.positions(stride)]
                if amount := measure.amount(F.shape, part):
                    described[entry].append(Part(measure.statistics(F, part), amount))
        return described

    def _must_have_tiles(self, kinds):
        """Raise ArgumentError if tiles are wanted, and a measure has none."""
        whole = [name for name, _ in kinds.values() if not MEASURES[name].tiles]
        if self.memory.side and whole:
            raise ArgumentError(
                f"the style objective {whole[0]!r} compares the whole painting at once, which "
                "tiles cannot; take another objective, or a smaller size"
            )

    def _guides(self, mask, layers):
        """Return the guides of a mask by layer, each None without a mask."""
        if mask is None:
            return dict.fromkeys(layers)
        return guides(self.model, mask, layers, self.settings.mask_way)


def _layers(kinds):
    """Return the layers that the entries of the style read."""
    return [*dict.fromkeys(layer for _, layers in kinds.values() for layer in layers)]


def shares_of(weights: Sequence[float] | None, count: int) -> list[float]:
    """Return the weights of the styles, by default equal ones, divided by their sum.

    count: the number of styles. Raise ArgumentError if there is none, or the weights do not fit.
    """
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
