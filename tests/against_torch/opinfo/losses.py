"""Translations of losses and distances."""

import numpy as np

from minidl import losses, ops
from tests.against_torch.opinfo.inexpressible import cannot, only


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


def binary_cross_entropy_with_logits(
    logits, targets, weight=None, reduction="mean", pos_weight=None
):
    only(weight is None and pos_weight is None, "binary cross-entropy with weights")
    return losses.sigmoid_cross_entropy(logits, targets, reduction)


TRANSLATIONS = {
    "nn.functional.cosine_similarity": cosine_similarity,
    "cdist": cdist,
    "nn.functional.pdist": pdist,
    "nn.functional.binary_cross_entropy_with_logits": binary_cross_entropy_with_logits,
    "nn.functional.triplet_margin_loss": cannot("triplet_margin_loss adds 1e-6 to differences"),
}
