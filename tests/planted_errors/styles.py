"""Errors planted in the losses of style."""

from unittest.mock import patch

import numpy as np

from minidl import losses
from minidl.losses import guided, histogram, moments, nearest, wasserstein
from tests.planted_errors.plant import FORWARD, GRADIENT, Plant, wrong


def with_part(loss, module, name, part):
    """Return a loss that is composed of parts, with another part."""

    def erroneous(*args, **kwargs):
        with patch.object(module, name, part):
            return loss(*args, **kwargs)

    return erroneous


def guided_by_one_factor(dG, features, guide):
    w = guided.shares(features, guide)
    return losses.gram_matrix.gradients["dfeatures"](dG, w * features, "none")


def guided_over_all_positions(features, guide):
    return losses.gram_matrix.forward(guide[..., None] * features, "positions")


def deviation_without_its_mean(dL, m, target_mean):
    return 2 * dL / m.shape[1] * (m - target_mean)


def slope_below_0(dL, m, q, target_deviation, epsilon):
    """The slope of the root also where the variance is cut off at 0."""
    sigma = moments.root(m, q, target_deviation, epsilon)
    return dL / m.shape[1] * (sigma - target_deviation) / sigma


def absolute_epsilon(m, q, target_deviation, epsilon):
    return np.sqrt(moments.variance(m, q) + epsilon)


def mean_without_covariance(dL, m, target_mean):
    return 2 / m.shape[1] * (m - target_mean) * dL


def half_of_the_map(dL, K):
    C = K.shape[1]
    return (np.eye(C) - K / 2) / C * dL


def root_of_the_product_only(m, G, target_root, epsilon):
    """A S instead of A S A."""
    K, _ = TRANSPORT(m, G, target_root, epsilon)
    S = wasserstein.covariance(m, G)
    return K, np.sqrt(np.linalg.eigvalsh(target_root @ S)).sum(axis=1)


def unsorted(features):
    return losses.gram.unroll(features)


def ranks_for_order(F, numbers):
    """The order of the numbers taken for their ranks."""
    order = losses.gram.unroll(F).argsort(axis=1, kind="stable")
    T = histogram.at_quantiles(numbers, order.shape[1])
    return np.take_along_axis(T, order, axis=1).reshape(F.shape)


def ends_at_the_ends(numbers, M):
    """The quantiles i / (M - 1) instead of (i + 1/2) / M."""
    return np.quantile(numbers, np.linspace(0, 1, M), axis=1).swapaxes(0, 1)


def by_product(F, S):
    """The largest product instead of the largest cosine."""
    vectors, candidates = losses.gram.unroll(F), losses.gram.unroll(S)
    found = (vectors @ candidates.mT).argmax(axis=2)
    return np.take_along_axis(candidates, found[..., None], axis=1).reshape(F.shape)


def first_picture_only(F, S):
    return NEAREST(F, np.broadcast_to(S[:1], S.shape))


TRANSPORT, NEAREST = wasserstein.transport, nearest.nearest
GUIDED, DEVIATION = "guided_gram_matrix", "deviation_loss"

STYLES = [
    Plant("one factor T in the gradient", GUIDED,
          wrong(losses.guided_gram_matrix, dfeatures=guided_by_one_factor), GRADIENT),
    Plant("divided by all positions", GUIDED,
          wrong(losses.guided_gram_matrix, guided_over_all_positions), FORWARD),
    Plant("the variance's mean forgotten", DEVIATION,
          wrong(losses.deviation_loss, dm=deviation_without_its_mean), GRADIENT),
    Plant("slope where the variance is cut off", DEVIATION,
          wrong(losses.deviation_loss, dq=slope_below_0), GRADIENT),
    Plant("epsilon not relative", DEVIATION,
          with_part(losses.deviation_loss, moments, "root", absolute_epsilon), FORWARD),
    Plant("squares of the mean", "moments_loss",
          with_part(losses.moments_loss, moments, "moments",
                    lambda f: (f.mean(axis=(1, 2)), f.mean(axis=(1, 2)) ** 2)), FORWARD),
    Plant("the covariance's mean forgotten", "gaussian_loss",
          with_part(losses.gaussian_loss, wasserstein, "tangent",
                    wrong(wasserstein.tangent, dm=mean_without_covariance)), GRADIENT),
    Plant("factor 2 missing", "gaussian_loss",
          with_part(losses.gaussian_loss, wasserstein, "tangent",
                    wrong(wasserstein.tangent, dG=half_of_the_map)), GRADIENT),
    Plant("a factor of the product forgotten", "gaussian_loss",
          with_part(losses.gaussian_loss, wasserstein, "transport", root_of_the_product_only),
          FORWARD),
    Plant("the Gram matrix not divided", "wasserstein_loss",
          with_part(losses.wasserstein_loss, wasserstein, "mean_and_gram",
                    lambda f: (f.mean(axis=(1, 2)), losses.gram_matrix(f))), FORWARD),
    Plant("style not sorted", "histogram_loss",
          with_part(losses.histogram_loss, histogram, "sorted_channels", unsorted), FORWARD),
    Plant("order taken for ranks", "histogram_loss",
          with_part(losses.histogram_loss, histogram, "of_the_same_rank", ranks_for_order),
          FORWARD),
    Plant("quantiles at the ends", "histogram_loss",
          with_part(losses.histogram_loss, histogram, "at_quantiles", ends_at_the_ends), FORWARD),
    Plant("product for cosine", "nearest_loss",
          with_part(losses.nearest_loss, nearest, "nearest", by_product), FORWARD),
    Plant("style of the first picture for all", "nearest_loss",
          with_part(losses.nearest_loss, nearest, "nearest", first_picture_only), FORWARD),
    Plant("product for correlation", "patch_loss",
          with_part(losses.patch_loss, nearest, "nearest", by_product), FORWARD),
]  # fmt: skip
