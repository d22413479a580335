"""Everything that can be chosen about a painting, with the defaults of `minidl stylize`."""

from dataclasses import dataclass, field
from math import isfinite
from numbers import Real
from pathlib import Path
from typing import Any

from minidl.backend import is_array
from minidl.data.images import as_picture
from minidl.errors import ArgumentError, brief, one_of
from minidl.losses.content import FACTORS as CONTENT_WORDS
from minidl.losses.style import FACTORS as STYLE_WORDS
from minidl.losses.total_variation import FORMS as VARIATION_WORDS
from minidl.models.vgg19 import POOLING
from minidl.optim import LBFGS, SGD, Adam
from minidl.shapes import is_int

OPTIMIZERS = {"lbfgs": LBFGS, "adam": Adam, "sgd": SGD}
LEARNING_RATES = {"lbfgs": 1.0, "adam": 5.0}  # gradient descent has none that fits all objectives
STARTS = ("content", "noise", "style")
# Deeper layers have more channels and larger Gram matrices: 1000 / C^2 a layer, as Gatys' own code
# weighs them.
STYLE_LAYERS = {
    f"conv{block}_1": 1000 / channels**2
    for block, channels in enumerate((64, 128, 256, 512, 512), start=1)
}


@dataclass(frozen=True)
class Settings:
    """The objective is

        content_weight Σ_l c_l content_loss_l  +  style_weight Σ_l s_l style_loss_l  +  tv_weight
        total_variation

    over the layers l of content_layers {name: c_l} and style_layers {name: s_l}. The normalisations
    are those of `minidl.losses`. Raises ArgumentError where a choice makes no sense.
    """

    size: int | None = 384  # pixels of the longer side; None: the photograph's own
    steps: int = 70  # evaluations of the objective
    optimizer: str = "lbfgs"
    learning_rate: float | None = None  # None: 1 for lbfgs, 5 for adam; sgd must be told
    late_learning_rate: float | None = None  # of the last late_steps
    late_steps: int = 0
    content_weight: float = 10.0
    style_weight: float = 1.0
    tv_weight: float = 1500.0
    content_normalization: str = "mean"
    style_normalization: str = "positions_mean"
    tv_normalization: str = "mean_squares"
    content_layers: dict = field(default_factory=lambda: {"conv4_2": 1.0})
    style_layers: dict = field(default_factory=lambda: dict(STYLE_LAYERS))
    pooling: str = "avg"
    start: Any = "content"  # a word of STARTS, or a picture: its path or an array (H, W, 3)
    noise: float = 1.0  # share of noise in a "noise" start; the rest is the photograph
    seed: int = 0

    def __post_init__(self):
        one_of("optimizer", self.optimizer, OPTIMIZERS)
        one_of("pooling", self.pooling, POOLING)
        one_of("content_normalization", self.content_normalization, CONTENT_WORDS)
        one_of("style_normalization", self.style_normalization, STYLE_WORDS)
        one_of("tv_normalization", self.tv_normalization, VARIATION_WORDS)
        self._at_least("steps", 1)
        self._at_least("late_steps", 0)
        self._at_least("seed", 0)
        if self.size is not None:
            self._at_least("size", 1)
        for name in ("content_weight", "style_weight", "tv_weight", "noise"):
            self._number(name, getattr(self, name))
        if self.learning_rate is None and self.optimizer not in LEARNING_RATES:
            raise ArgumentError(
                f"the optimizer is {self.optimizer!r} without a learning rate, which it wants; give one"
            )
        if self.learning_rate is not None:
            self._number("learning_rate", self.learning_rate, above=0)
        if self.late_learning_rate is not None:
            self._number("late_learning_rate", self.late_learning_rate, above=0)
        if self.noise > 1:
            raise ArgumentError(f"noise is {self.noise}; wanted a share from 0 to 1")
        for name in ("content_layers", "style_layers"):
            if not isinstance(getattr(self, name), dict):
                raise ArgumentError(
                    f"{name} is {brief(getattr(self, name))}; wanted a dictionary of layers and their weights"
                )
            for layer, weight in getattr(self, name).items():
                self._number(f"the weight of {layer} in {name}", weight)
        if not self._wants_anything():
            raise ArgumentError(
                "all weights are 0, so every picture is as good as any other; give one a weight"
            )
        if not isinstance(self.start, (str, Path)):
            if not is_array(self.start):
                words = ", ".join(map(repr, STARTS))
                found = f"start is {brief(self.start)}"
                raise ArgumentError(f"{found}; wanted {words}, or a picture: its path or an array")
            as_picture(self.start, "start")

    def make_optimizer(self, parameters):
        """The optimiser of this name and learning rate over some parameters."""
        rate = LEARNING_RATES[self.optimizer] if self.learning_rate is None else self.learning_rate
        return OPTIMIZERS[self.optimizer](parameters, rate)

    def _wants_anything(self):
        content = self.content_weight and any(self.content_layers.values())
        style = self.style_weight and any(self.style_layers.values())
        return content or style or self.tv_weight

    def _at_least(self, name, least):
        value = getattr(self, name)
        if not is_int(value) or value < least:
            raise ArgumentError(
                f"{name} is {brief(value)}; wanted a whole number of at least {least}"
            )

    @staticmethod
    def _number(name, value, above=None):
        if not isinstance(value, Real) or not isfinite(value) or value < 0 or value == above:
            raise ArgumentError(
                f"{name} is {brief(value)}; wanted a number {'above 0' if above == 0 else 'of at least 0'}"
            )
