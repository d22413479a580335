"""The losses that an embedding is trained with, and remarks on an epoch that learned nothing."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from minidl.autograd import Tensor
from minidl.backend import to_numpy
from minidl.data import Batches
from minidl.data.batches import SideBySide
from minidl.losses import sigmoid_cross_entropy, triplet_loss
from minidl.models.embedding import Verifier
from minidl.ops import pairwise_distances
from minidl.recipes.triplets import Mining, choose, health
from minidl.typing import Array

COLLAPSED = 0.05  # a smaller `spread` is a collapse
NO_BETTER = 0.98  # a loss above this share of a baseline is no better than the baseline


def of_triplets(
    batches: Batches | SideBySide, seed: int, settings: Mapping[str, Any]
) -> Callable[..., tuple[Tensor, dict[str, float]]]:
    """Return the loss of a Task: the mean triplet loss of the members of a committee.

    Each member has its own examples, labels and triplets. Its triplets are chosen by its own
    distances. The measures are those of `health`, the spread, and the share of members without a
    triplet in this batch.

    batches: those of the Task. seed: of random choices of triplets. settings: those of a preset of
    faces.py.
    """
    mining, steps = Mining(settings["triplets"]), settings["epochs"] * len(batches)
    margin, squared, soft = settings["margin"], settings["squared"], settings["soft"]

    def member_loss(points, labels, kind, rng):
        values = to_numpy(points.data)
        distances = pairwise_distances(values, squared=squared)
        triplets = choose(kind, distances, labels, margin, rng)
        anchors, positives, negatives = (points[indices] for indices in triplets)
        loss = triplet_loss(
            anchors, positives, negatives, margin, settings["reduction"], squared, soft
        )
        measures = health(distances, labels, margin, soft)
        measures["empty_batches"] = float(not len(triplets.anchors))
        measures["spread"] = spread(values)
        return loss, measures

    def loss(model, *arrays):
        # Batches is already one batch ahead when the loss is computed.
        step = batches.epoch * len(batches) + batches.batch - 1
        rng = np.random.default_rng(np.random.SeedSequence((seed, 1), spawn_key=(step,)))
        kind = mining(step / steps)
        networks = [model] if len(arrays) == 2 else model.embedding.members.values()
        losses, measures = [], []
        for network, examples, labels in zip(networks, arrays[::2], arrays[1::2], strict=True):
            points = network(examples)
            value, numbers = member_loss(points, to_numpy(labels), kind, rng)
            losses.append(value)
            measures.append(numbers)
        names, count = measures[0], len(measures)
        means = {name: sum(numbers[name] for numbers in measures) / count for name in names}
        return sum(losses[1:], losses[0]) * (1 / len(losses)), means

    return loss


def of_pairs(model: Verifier, examples: Array, labels: Array) -> tuple[Tensor, dict[str, float]]:
    """Return the cross-entropy of all pairs of a batch, with the accuracy and the spread.

    model: with a head. examples, labels: pictures (N, H, W, C) of the people (N,) of this batch.

    The mean over the pairs of the same person and the mean over the others have equal weight. The
    batch must have at least one pair.
    """
    assert model.head is not None
    features, labels = model(examples), to_numpy(labels)
    first, second = np.triu_indices(len(labels), 1)
    same = labels[first] == labels[second]
    logits = model.head(features[first], features[second])
    losses: list[Tensor] = []
    accuracies = []
    for target, pairs in ((1, np.flatnonzero(same)), (0, np.flatnonzero(~same))):
        if len(pairs):
            chosen = logits[pairs]
            losses.append(sigmoid_cross_entropy(chosen, chosen.data * 0 + target))
            accuracies.append(((chosen.data > 0) == target).mean())
    return sum(losses[1:], losses[0]) / 2, {
        "accuracy": sum(accuracies) / len(accuracies),
        "spread": spread(to_numpy(features.data)),
    }


def spread(points: np.ndarray) -> float:
    """Return the spread of points (N, D), from 0 (all are equal) to 1 (their mean is the origin).

    It is the root mean square distance from the mean, divided by that from the origin:
    √(Σ |p - mean|² / Σ |p|²).
    """
    total = (points * points).sum()
    if not total > 0:
        return 0.0
    return float((np.square(points - points.mean(axis=0)).sum() / total) ** 0.5)


def remark_of(baselines: Mapping[str, float]) -> Callable[[Mapping[str, Any]], str | None]:
    """Return the `remark` of a Task: it says that an epoch learned nothing, or that no triplet was
    left to learn from. baselines: {name: loss}"""

    def remark(row):
        if row["spread"] < COLLAPSED:
            return f"collapsed: all vectors are nearly equal, with a spread of {row['spread']:.4f}"
        loss = row.get("all_triplets_loss", row["loss"])
        for name, baseline in baselines.items():
            if loss > NO_BETTER * baseline:
                return (
                    f"no better than constant: a loss of {loss:.4f}, where {name} has "
                    f"{baseline:.4f}"
                )
        if row.get("empty_batches") == 1:
            return "no batch had a triplet to train on: all are easy at this margin"
        return None

    return remark


def baselines_of(settings: Mapping[str, Any]) -> dict[str, float]:
    """Return {name: loss} of a network for which all distances, or all logits, are equal."""
    margin, soft = settings["margin"], settings["soft"]
    if settings["head"] != "triplet":
        return {"one logit for all pairs": float(np.log(2))}
    return {"one distance for all": float(np.logaddexp(0, margin) if soft else margin)}
