"""Translations of losses and distances."""

import numpy as np

from minidl import Tensor, losses, ops
from tests.against_torch.opinfo.inexpressible import cannot, only
from tests.against_torch.opinfo.layers import channels_last


def cosine_similarity(a, b, dim=1, eps=1e-8):
    only(eps <= 1e-8, "cosine_similarity with a lower limit of the lengths")
    only(a.ndim and b.ndim, "cosine_similarity of single numbers")
    shape = np.broadcast_shapes(a.shape, b.shape)
    order = [axis for axis in range(len(shape)) if axis != dim % len(shape)]
    a, b = (ops.transpose(ops.broadcast_to(x, shape), [*order, dim]) for x in (a, b))
    return ops.cosine_similarity(a, b)


def cdist(a, b, p=2.0, compute_mode=None):
    only(p == 2, "distances other than the Euclidean")
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = (ops.broadcast_to(x, (*batch, *x.shape[-2:])) for x in (a, b))
    only(0 not in batch, "distances of a batch of no sets")
    sets = [ops.pairwise_distances(a[i], b[i]) for i in np.ndindex(batch)]
    return ops.stack(sets).reshape(*batch, a.shape[-2], b.shape[-2])


def pdist(a, p=2.0):
    only(p == 2, "distances other than the Euclidean")
    return ops.pairwise_distances(a)[np.triu_indices(len(a), 1)]


def cross_entropy(
    logits, labels, weight=None, size_average=None, ignore_index=-100, reduce=None,
    reduction="mean", label_smoothing=0.0,
):  # fmt: skip
    if logits.ndim > 1:
        are_probabilities = labels.ndim == logits.ndim
        logits, labels = (
            channels_last(logits),
            channels_last(labels) if are_probabilities else labels,
        )
    return losses.softmax_cross_entropy(
        logits, labels, reduction, smoothing=label_smoothing,
        weights=None if weight is None else weight.data,
        ignore=None if isinstance(labels, Tensor) else ignore_index,
    )  # fmt: skip


def binary_cross_entropy_with_logits(
    logits, targets, weight=None, size_average=None, reduce=None, reduction="mean", pos_weight=None
):
    w, v = (1.0 if factor is None else factor.data for factor in (weight, pos_weight))
    return losses.sigmoid_cross_entropy(logits, targets, reduction, weights=w, positive_weight=v)


def smooth_l1_loss(
    predictions, targets, size_average=None, reduce=None, reduction="mean", beta=1.0
):
    if not beta:
        return losses.l1_loss(predictions, targets, reduction)
    return losses.huber_loss(predictions, targets, reduction, beta) / beta


TRANSLATIONS = {
    "nn.functional.mse_loss": losses.mse_loss,
    "nn.functional.l1_loss": losses.l1_loss,
    "nn.functional.smooth_l1_loss": smooth_l1_loss,
    "nn.functional.huber_loss": losses.huber_loss,
    "nn.functional.cross_entropy": cross_entropy,
    "nn.functional.binary_cross_entropy_with_logits": binary_cross_entropy_with_logits,
    "nn.functional.triplet_margin_loss": cannot("triplet_margin_loss adds 1e-6 to differences"),
    "nn.functional.cosine_similarity": cosine_similarity,
    "cdist": cdist,
    "nn.functional.pdist": pdist,
}
