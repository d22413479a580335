"""Objective functions, each with its explicit gradient."""

from minidl.losses.content import content_loss
from minidl.losses.cross_entropy import sigmoid_cross_entropy, softmax_cross_entropy
from minidl.losses.gram import gram_matrix
from minidl.losses.siamese import contrastive_loss, siamese_energy_loss

# not in __all__, which lists ops
from minidl.losses.siamese import energy_baselines as energy_baselines
from minidl.losses.style import gram_loss, style_loss
from minidl.losses.total_variation import total_variation
from minidl.losses.triplet import triplet_loss

__all__ = [
    "content_loss", "contrastive_loss", "gram_loss", "gram_matrix", "siamese_energy_loss",
    "sigmoid_cross_entropy", "softmax_cross_entropy", "style_loss", "total_variation",
    "triplet_loss",
]  # fmt: skip
