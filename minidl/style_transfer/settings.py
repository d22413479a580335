"""The options of style transfer, with the defaults of `minidl stylize`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from numbers import Real
from pathlib import Path
from typing import Any

from minidl.autograd import Tensor
from minidl.backend import is_array
from minidl.data.images import as_picture
from minidl.errors import ArgumentError, brief, one_of
from minidl.losses.content import FACTORS as CONTENT_WORDS
from minidl.losses.style import FACTORS as STYLE_WORDS
from minidl.losses.total_variation import FORMS as VARIATION_WORDS
from minidl.models.vgg19 import ALIASES, POOLING
from minidl.optim import LBFGS, SGD, Adam
from minidl.shapes import is_int
from minidl.style_transfer.colour import MATCHES
from minidl.style_transfer.guides import WAYS

DEPTHS = {  # place of each layer in VGG19, by all its names
    name: depth
    for depth, (keras, papers) in enumerate(ALIASES.items())
    for name in (keras, *papers)
}
OPTIMIZERS: dict[str, Any] = {"lbfgs": LBFGS, "adam": Adam, "sgd": SGD}
# The defaults. No learning rate of gradient descent suits all objectives.
LEARNING_RATES = {"lbfgs": 1.0, "adam": 5.0}
STARTS = ("content", "noise", "style")
OBJECTIVES = ("gram", "wasserstein", "moments", "histogram", "nearest", "patches")
COLOURS = ("style", "luminance", *MATCHES)
# conv3_2 keeps the features of faces, which are small in conv4_2. Chosen by looking at paintings.
CONTENT_LAYERS = {"conv3_2": 4.0, "conv4_2": 1.0}
# The weights 1000 / C² of Gatys' code, which balance the sizes of the Gram matrices of C channels
STYLE_LAYERS = {
    f"conv{block}_1": 1000 / channels**2
    for block, channels in enumerate((64, 128, 256, 512, 512), start=1)
}
# The style layers of each objective, chosen by looking at paintings. With the weights of Gatys'
# code, conv4_1 has more than 90 % of the gradient. For "gram", the shallow layers and conv5_1 count
# more here, which gives fewer dots in flat areas and strokes of several sizes. The other objectives
# have about the same length of the gradient in each layer.
_WEIGHTS = (6000.0, 3600.0, 700.0, 450.0, 400.0)
LAYERS: dict[str, dict[str, float]] = {
    "gram": dict(zip(STYLE_LAYERS, (2.5, 0.2, 0.06, 0.004, 2.0), strict=True)),
    **{
        objective: dict(zip(STYLE_LAYERS, _WEIGHTS, strict=True))
        for objective in ("wasserstein", "moments", "histogram")
    },
    "nearest": {"conv3_1+conv4_1": 2e8},
    "patches": {"conv3_1": 600.0, "conv4_1": 400.0},
}

# The balance of each objective. With less, its paintings of a face are not recognisable.
BALANCES = {**dict.fromkeys(OBJECTIVES, 0.01), "nearest": 0.04, "patches": 0.2}


@dataclass(frozen=True)
class Settings:
    """The options of style transfer.

    The objective is

        content_weight Σ_l c_l content_loss_l  +  style_weight Σ_l s_l style_loss_l
            + tv_weight total_variation

    over the layers l of content_layers {name: c_l} and style_layers {name: s_l}. Without a
    content_weight, it is chosen so that the first gradient of the content is `balance` times as
    long as that of the style (see `balance.balanced_factor`). The normalisations are those of
    `minidl.losses`; that of the style is for Gram matrices only.

    An entry of style_layers is a layer ("conv3_1"), or several layers whose channels are compared
    together ("conv3_1+conv4_1"). It is measured by style_objective, or by the objective that its
    name begins with ("nearest:conv4_1").

    Raise ArgumentError for an invalid value.
    """

    size: int | None = 512  # pixels of the longer side; None keeps the size of the photograph
    scales: int = 5  # at most; each is half as large as the next
    steps: int = 40  # evaluations at the finest scale; each coarser scale has twice as many
    optimizer: str = "lbfgs"  # a key of OPTIMIZERS
    learning_rate: float | None = None  # None: 1 for lbfgs, 5 for adam; required for sgd
    late_learning_rate: float | None = None  # in the last late_steps; None: no change
    late_steps: int = 0
    content_weight: float | None = None  # None: by `balance`
    # length of the content's first gradient over that of the style's; None: that of the objective
    balance: float | None = None
    style_weight: float = 1.0
    tv_weight: float = 1000.0
    content_normalization: str = "mean"
    style_normalization: str = "positions_mean"
    tv_normalization: str = "mean_squares"
    content_layers: dict[str, float] = field(default_factory=lambda: dict(CONTENT_LAYERS))
    style_layers: dict[str, float] | None = None  # None: those of style_objective
    style_objective: str = "gram"  # one of OBJECTIVES
    style_scale: tuple[float, ...] = (1.0,)  # sizes of the styles, as multiples of the painting's
    mask_way: str = "simple"  # how masks are carried to the layers, one of guides.WAYS
    colours: str = "style"  # one of COLOURS
    pooling: str = "avg"
    start: Any = "content"  # one of STARTS, or a picture: its path or an array (H, W, 3)
    noise: float = 1.0  # fraction of noise in a "noise" start, which is mixed with the photograph
    seed: int = 0

    def __post_init__(self) -> None:
        one_of("optimizer", self.optimizer, OPTIMIZERS)
        one_of("pooling", self.pooling, POOLING)
        one_of("content_normalization", self.content_normalization, CONTENT_WORDS)
        one_of("style_normalization", self.style_normalization, STYLE_WORDS)
        one_of("tv_normalization", self.tv_normalization, VARIATION_WORDS)
        self._at_least("scales", 1)
        self._at_least("steps", 1)
        self._at_least("late_steps", 0)
        self._at_least("seed", 0)
        if self.size is not None:
            self._at_least("size", 1)
        for name in ("style_weight", "tv_weight", "noise"):
            self._number(name, getattr(self, name))
        if self.content_weight is not None:
            self._number("content_weight", self.content_weight)
        if self.learning_rate is None and self.optimizer not in LEARNING_RATES:
            raise ArgumentError(
                f"the optimizer is {self.optimizer!r} without a learning rate; wanted one: "
                "give learning_rate"
            )
        if self.learning_rate is not None:
            self._number("learning_rate", self.learning_rate, above=0)
        if self.late_learning_rate is not None:
            self._number("late_learning_rate", self.late_learning_rate, above=0)
        if self.noise > 1:
            raise ArgumentError(f"noise is {self.noise}; wanted a fraction from 0 to 1")
        one_of("style_objective", self.style_objective, OBJECTIVES)
        one_of("mask_way", self.mask_way, WAYS)
        one_of("colours", self.colours, COLOURS)
        if self.balance is not None:
            self._number("balance", self.balance, above=0)
        scales = self.style_scale
        if not isinstance(scales, (tuple, list)) or not scales:
            raise ArgumentError(f"style_scale is {brief(scales)}; wanted one or more numbers")
        for scale in scales:
            self._number("a number of style_scale", scale, above=0)
        for name in ("content_layers", "style_layers"):
            layers = getattr(self, name)
            if layers is None and name == "style_layers":
                continue
            if not isinstance(layers, dict):
                raise ArgumentError(
                    f"{name} is {brief(layers)}; wanted a dictionary of layers and their weights"
                )
            for layer, weight in layers.items():
                self._number(f"the weight of {layer} in {name}", weight)
        for entry in self.layers_of_style:
            one_of(
                f"the objective of the style layer {entry}", self.measure_of(entry)[0], OBJECTIVES
            )
        if not self._has_weight():
            raise ArgumentError(
                "all weights are 0, so all pictures have the same loss; wanted a weight above 0"
            )
        if not isinstance(self.start, (str, Path)):
            if not is_array(self.start):
                words = ", ".join(map(repr, STARTS))
                raise ArgumentError(
                    f"start is {brief(self.start)}; wanted {words}, or a picture: its path or an "
                    "array"
                )
            as_picture(self.start, "start")

    @property
    def layers_of_style(self) -> dict[str, float]:
        """The style layers, by default those of the style objective."""
        return LAYERS[self.style_objective] if self.style_layers is None else self.style_layers

    @property
    def balance_of_content(self) -> float:
        """The balance, by default that of the style objective."""
        return BALANCES[self.style_objective] if self.balance is None else self.balance

    @property
    def weighted_content(self) -> dict[str, float]:
        """The content layers with their weights times content_weight, without those of 0."""
        return _weighted(
            self.content_layers, 1 if self.content_weight is None else self.content_weight
        )

    @property
    def weighted_style(self) -> dict[str, float]:
        """The style layers with their weights times style_weight, without those of 0."""
        return _weighted(self.layers_of_style, self.style_weight)

    @property
    def measures(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """The objective and the layers of each entry of the weighted style: see `measure_of`."""
        return {entry: self.measure_of(entry) for entry in self.weighted_style}

    @property
    def layers_read(self) -> list[str]:
        """The layers that the entries of the weighted style read."""
        return [layer for _, layers in self.measures.values() for layer in layers]

    def measure_of(self, entry: str) -> tuple[str, tuple[str, ...]]:
        """Return the objective and the layers of an entry of the style layers, the deepest last.

        >>> Settings().measure_of("nearest:conv4_1+conv3_1")
        ('nearest', ('conv3_1', 'conv4_1'))
        """
        name, colon, layers = entry.rpartition(":")
        objective = name if colon else self.style_objective
        return objective, tuple(sorted(layers.split("+"), key=_depth))

    def make_optimizer(self, parameters: Sequence[Tensor], history: int = 10) -> Any:
        """Return the optimiser of these settings for some parameters. history: pairs of L-BFGS."""
        rate = LEARNING_RATES[self.optimizer] if self.learning_rate is None else self.learning_rate
        own = {"history": history} if self.optimizer == "lbfgs" else {}
        return OPTIMIZERS[self.optimizer](parameters, rate, **own)

    def _has_weight(self):
        return self.weighted_content or self.weighted_style or self.tv_weight

    def _at_least(self, name, least):
        value = getattr(self, name)
        if not is_int(value) or value < least:
            raise ArgumentError(
                f"{name} is {brief(value)}; wanted a whole number of at least {least}"
            )

    @staticmethod
    def _number(name, value, above=None):
        if not isinstance(value, Real) or not isfinite(value) or value < 0 or value == above:
            wanted = "above 0" if above == 0 else "of at least 0"
            raise ArgumentError(f"{name} is {brief(value)}; wanted a number {wanted}")


def _weighted(layers, weight):
    return {layer: weight * share for layer, share in layers.items() if weight * share}


def _depth(layer):
    """Return the place of a layer in VGG19. Names that are not known come last."""
    return DEPTHS.get(layer.removesuffix(".pre"), len(DEPTHS))
