"""Errors planted in losses."""

import numpy as np

from minidl import losses, ops
from tests.planted_errors.plant import FORWARD, GRADIENT, Plant, wrong


def gram_dfeatures(dG, features, normalization):
    return losses.gram_matrix.gradients["dfeatures"](dG, features, normalization)


def untransposed_gram(dG, features, normalization):
    n, height, width, channels = features.shape
    Z = losses.gram.DIVISORS[normalization](height, width, channels)
    return (2 * features.reshape(n, -1, channels) @ (dG / Z)).reshape(features.shape)


def half_gram(dG, features, normalization):
    return gram_dfeatures(dG, features, normalization) / 2


def style_without_positions(dL, generated, style, normalization):
    M = generated.shape[1] * generated.shape[2]
    return losses.style_loss.gradients["dgenerated"](dL, generated, style, normalization) * M


def style_with_plus(dL, generated, style, normalization):
    return -losses.style_loss.gradients["dstyle"](dL, generated, style, normalization)


def variation_with_wrong_border(dL, image, normalization):
    right = losses.total_variation.gradients["dimage"](dL, image, normalization)
    right[..., -1, :, :] *= -1
    return right


def variation_without_starts(dL, image, normalization):
    """Each difference is added to the pixel where it ends, but not subtracted where it begins."""
    gradient = np.zeros_like(image)
    gradient[..., 1:, :, :] += 2 * (image[..., 1:, :, :] - image[..., :-1, :, :])
    gradient[..., :, 1:, :] += 2 * (image[..., :, 1:, :] - image[..., :, :-1, :])
    return dL * gradient


def next_class(logits, labels, ignore):
    """Return labels that are off by one, except those to ignore."""
    return np.where(labels == ignore, labels, (labels + 1) % logits.shape[-1])


def entropy(logits, labels, reduction="mean", smoothing=0.0, weights=None, ignore=None):
    return losses.softmax_cross_entropy.forward(
        logits, labels, reduction, smoothing=smoothing, weights=weights, ignore=ignore
    )


def entropy_dlogits(dL, logits, labels, reduction, smoothing=0.0, weights=None, ignore=None):
    gradient = losses.softmax_cross_entropy.gradients["dlogits"]
    return gradient(dL, logits, labels, reduction, smoothing, weights, ignore)


def entropy_of_the_next_class(
    logits, labels, reduction="mean", smoothing=0.0, weights=None, ignore=None
):  # fmt: skip
    labels = next_class(logits, labels, ignore)
    return entropy(logits, labels, reduction, smoothing, weights, ignore)


def entropy_without_weights(
    logits, labels, reduction="mean", smoothing=0.0, weights=None, ignore=None
):  # fmt: skip
    return entropy(logits, labels, reduction, smoothing, None, ignore)


def entropy_without_smoothing(
    logits, labels, reduction="mean", smoothing=0.0, weights=None, ignore=None
):  # fmt: skip
    return entropy(logits, labels, reduction, 0.0, weights, ignore)


def entropy_divided_by_all(
    logits, labels, reduction="mean", smoothing=0.0, weights=None, ignore=None
):  # fmt: skip
    """The mean divides by the number of labels instead of by the sum of their weights."""
    total = entropy(logits, labels, "sum" if reduction == "mean" else reduction, smoothing,
                    weights, ignore)  # fmt: skip
    return total / labels.size if reduction == "mean" else total


def entropy_off_by_one(dL, logits, labels, reduction, smoothing=0.0, weights=None, ignore=None):
    labels = next_class(logits, labels, ignore)
    return entropy_dlogits(dL, logits, labels, reduction, smoothing, weights, ignore)


def entropy_without_its_n(dL, logits, labels, reduction, smoothing=0.0, weights=None, ignore=None):
    reduction = "sum" if reduction == "mean" else reduction
    return entropy_dlogits(dL, logits, labels, reduction, smoothing, weights, ignore)


def probabilities_only(dL, logits, labels, reduction, smoothing=0.0, weights=None, ignore=None):
    """p Σ_c a[c] without - a"""
    a, Z = losses.cross_entropy.target(logits, labels, smoothing, weights, ignore)
    dterms = losses.cross_entropy.expanded(dL / Z if reduction == "mean" else dL)
    return dterms * ops.softmax.forward(logits) * a.sum(axis=-1, keepdims=True)


def sum_of_target_forgotten(dL, logits, labels, reduction, smoothing, weights, ignore):
    """p - a, which is right if Σ_c a[c] is 1"""
    a, Z = losses.cross_entropy.target(logits, labels, smoothing, weights, ignore)
    dterms = losses.cross_entropy.expanded(dL / Z if reduction == "mean" else dL)
    return dterms * (ops.softmax.forward(logits) - a)


def unweighted_dlabels(dL, logits, reduction, smoothing, weights):
    return losses.softmax_cross_entropy.gradients["dlabels"](dL, logits, reduction, smoothing, None)


def wrong_sign_of_targets(dL, logits, targets, reduction, weights=1.0, positive_weight=1.0):
    return losses.sigmoid_cross_entropy.gradients["dlogits"](
        dL, logits, -targets, reduction, weights, positive_weight
    )


def plus_in_targets(dL, logits, reduction, weights=1.0, positive_weight=1.0):
    return -losses.sigmoid_cross_entropy.gradients["dtargets"](
        dL, logits, reduction, weights, positive_weight
    )


def positive_weight_of_all(logits, targets, reduction="mean", weights=1.0, positive_weight=1.0):
    """The weight of the answer yes is applied to both answers."""
    loss = losses.sigmoid_cross_entropy.forward
    return loss(logits, targets, reduction, weights=weights * positive_weight)


def twice_the_square(dL, predictions, targets, reduction):
    return losses.mse_loss.gradients["dpredictions"](dL, predictions, targets, reduction) / 2


def mean_of_rows(dL, predictions, targets, reduction):
    right = losses.mse_loss.gradients["dpredictions"](dL, predictions, targets, reduction)
    rows = len(predictions) if predictions.ndim else 1
    return right * (predictions.size / rows if reduction == "mean" else 1)


def same_sign_for_targets(dL, predictions, targets, reduction):
    return losses.l1_loss.gradients["dpredictions"](dL, predictions, targets, reduction)


def huber_with_a_jump(predictions, targets, reduction="mean", delta=1.0):
    """δ |d| instead of δ (|d| - δ/2)"""
    d = predictions - targets
    size = np.where(d.real < 0, -d, d)
    terms = np.where(size.real <= delta, d * d / 2, delta * size)
    return losses.reduction.reduced(terms, reduction, d.size)


def huber_not_clipped(dL, predictions, targets, reduction, delta):
    return losses.huber_loss.gradients["dpredictions"](dL, predictions, targets, reduction, np.inf)


def energy_of_squares(a, b, same, q=5.0):
    squares = ((a - b) ** 2).sum(axis=1)
    return np.where(same, 2 / q * squares, 2 * q * np.exp(-2.77 / q * squares)).mean()


def energy_of_labels_for_different(a, b, same, q=5.0):
    return losses.siamese_energy_loss.forward(a, b, 1 - same.astype(int), q)


def slope_without_the_root(dL, a, b, same, q):
    d = a - b
    slope = np.where(same, 4 / q, -5.54 * np.exp(-2.77 / q * np.linalg.norm(d, axis=1)))
    return dL * slope[:, None] * d / len(d)


def both_to_the_same_side(dL, a, b, same, q):
    return losses.siamese_energy_loss.gradients["da"](dL, a, b, same, q)


def pull_from_beyond_the_margin(a, b, same, margin=1.0):
    E = np.linalg.norm(a - b, axis=1)
    return np.where(same, E**2, (margin - E) ** 2).mean() / 2


def push_beyond_the_margin(dL, a, b, same, margin):
    d = a - b
    slope = np.where(same, 1, 1 - margin / np.linalg.norm(d, axis=1))
    return dL * slope[:, None] * d / len(d)


def pairs_summed(dL, a, b, same, margin):
    return losses.contrastive_loss.gradients["da"](dL, a, b, same, margin) * len(a)


VARIATION = "total_variation[sum_squares]"
ENTROPY, BINARY = "softmax_cross_entropy", "sigmoid_cross_entropy"
ENERGY, CONTRASTIVE = "siamese_energy_loss", "contrastive_loss"

LOSSES = [
    Plant("missing transpose", "gram_matrix",
          wrong(losses.gram_matrix, dfeatures=untransposed_gram), GRADIENT),
    Plant("factor 2 missing", "gram_matrix", wrong(losses.gram_matrix, dfeatures=half_gram),
          GRADIENT),
    Plant("1/M missing in the gradient", "style_loss",
          wrong(losses.style_loss, dgenerated=style_without_positions), GRADIENT),
    Plant("sign of the border", VARIATION,
          wrong(losses.total_variation, dimage=variation_with_wrong_border), GRADIENT),
    Plant("one pixel of a difference forgotten", VARIATION,
          wrong(losses.total_variation, dimage=variation_without_starts), GRADIENT),
    Plant("minus missing in the gradient of style", "style_loss",
          wrong(losses.style_loss, dstyle=style_with_plus), GRADIENT),
    Plant("label off by one", ENTROPY,
          wrong(losses.softmax_cross_entropy, entropy_of_the_next_class), FORWARD),
    Plant("gradient's label off by one", ENTROPY,
          wrong(losses.softmax_cross_entropy, dlogits=entropy_off_by_one), GRADIENT),
    Plant("1/N missing in the gradient", ENTROPY,
          wrong(losses.softmax_cross_entropy, dlogits=entropy_without_its_n), GRADIENT),
    Plant("p instead of p - 1", ENTROPY,
          wrong(losses.softmax_cross_entropy, dlogits=probabilities_only), GRADIENT),
    Plant("weights ignored", f"{ENTROPY}[weights]",
          wrong(losses.softmax_cross_entropy, entropy_without_weights), FORWARD),
    Plant("smoothing ignored", ENTROPY,
          wrong(losses.softmax_cross_entropy, entropy_without_smoothing), FORWARD),
    Plant("mean over the number of labels", f"{ENTROPY}[weights]",
          wrong(losses.softmax_cross_entropy, entropy_divided_by_all), FORWARD),
    Plant("p not times the sum of the target", f"{ENTROPY}[weights]",
          wrong(losses.softmax_cross_entropy, dlogits=sum_of_target_forgotten), GRADIENT),
    Plant("weights missing in the gradient of probabilities", f"{ENTROPY}[probabilities]",
          wrong(losses.softmax_cross_entropy, dlabels=unweighted_dlabels), GRADIENT),
    Plant("weight of yes for both answers", f"{BINARY}[weights]",
          wrong(losses.sigmoid_cross_entropy, positive_weight_of_all), FORWARD),
    Plant("factor 2 missing", "mse_loss", wrong(losses.mse_loss, dpredictions=twice_the_square),
          GRADIENT),
    Plant("divided by the rows", "mse_loss", wrong(losses.mse_loss, dpredictions=mean_of_rows),
          GRADIENT),
    Plant("minus missing for the targets", "l1_loss",
          wrong(losses.l1_loss, dtargets=same_sign_for_targets), GRADIENT),
    Plant("jump at delta", "huber_loss", wrong(losses.huber_loss, huber_with_a_jump), FORWARD),
    Plant("gradient not clipped", "huber_loss",
          wrong(losses.huber_loss, dpredictions=huber_not_clipped), GRADIENT),
    Plant("p + t instead of p - t", BINARY,
          wrong(losses.sigmoid_cross_entropy, dlogits=wrong_sign_of_targets), GRADIENT),
    Plant("minus missing for t", BINARY,
          wrong(losses.sigmoid_cross_entropy, dtargets=plus_in_targets), GRADIENT),
    Plant("E² instead of E", ENERGY, wrong(losses.siamese_energy_loss, energy_of_squares), FORWARD),
    Plant("same and different swapped", ENERGY,
          wrong(losses.siamese_energy_loss, energy_of_labels_for_different), FORWARD),
    Plant("root forgotten in the gradient", ENERGY,
          wrong(losses.siamese_energy_loss, da=slope_without_the_root), GRADIENT),
    Plant("minus missing for b", ENERGY,
          wrong(losses.siamese_energy_loss, db=both_to_the_same_side), GRADIENT),
    Plant("hinge missing", CONTRASTIVE, wrong(losses.contrastive_loss, pull_from_beyond_the_margin),
          FORWARD),
    Plant("hinge missing in the gradient", CONTRASTIVE,
          wrong(losses.contrastive_loss, da=push_beyond_the_margin), GRADIENT),
    Plant("pairs summed, not averaged", CONTRASTIVE,
          wrong(losses.contrastive_loss, da=pairs_summed), GRADIENT),
]  # fmt: skip
