"""Objective functions, each with its hand-derived gradients. They are part of the textbook."""

from minidl.losses.binary_cross_entropy import sigmoid_cross_entropy
from minidl.losses.content import content_loss
from minidl.losses.cross_entropy import softmax_cross_entropy
from minidl.losses.gram import gram_matrix
from minidl.losses.guided import guided_gram_matrix
from minidl.losses.histogram import histogram_loss
from minidl.losses.histogram import sorted_channels as sorted_channels  # not in __all__: no loss
from minidl.losses.moments import deviation as deviation  # not in __all__
from minidl.losses.moments import deviation_loss, moments_loss
from minidl.losses.nearest import nearest_loss, patch_loss
from minidl.losses.regression import huber_loss, l1_loss, mse_loss
from minidl.losses.siamese import contrastive_loss, siamese_energy_loss
from minidl.losses.siamese import energy_baselines as energy_baselines  # not in __all__: no Op
from minidl.losses.style import gram_loss, style_loss
from minidl.losses.total_variation import total_variation
from minidl.losses.triplet import triplet_loss
from minidl.losses.wasserstein import covariance_root as covariance_root  # not in __all__
from minidl.losses.wasserstein import gaussian_loss, wasserstein_loss

__all__ = [
    "content_loss", "contrastive_loss", "deviation_loss", "gaussian_loss", "gram_loss",
    "gram_matrix", "guided_gram_matrix", "histogram_loss", "huber_loss", "l1_loss",
    "moments_loss", "mse_loss", "nearest_loss", "patch_loss", "siamese_energy_loss",
    "sigmoid_cross_entropy", "softmax_cross_entropy", "style_loss", "total_variation",
    "triplet_loss", "wasserstein_loss",
]  # fmt: skip
