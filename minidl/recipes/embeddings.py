"""What an embedding is trained with, triplets or pairs, and the words on its health: whether it has
collapsed, whether it does better than a constant."""

import numpy as np

from minidl.backend import to_numpy
from minidl.losses import sigmoid_cross_entropy, triplet_loss
from minidl.ops import pairwise_distances
from minidl.recipes.triplets import Mining, choose, health

COLLAPSED, NO_BETTER = 0.05, 0.98  # a spread, of 1; a share of the loss that a constant has


def of_triplets(batches, seed, settings):
    """The mean of the members' triplet losses, each of triplets of a batch of its own, chosen by
    its own distances; and how healthy they are"""
    mining, steps = Mining(settings["triplets"]), settings["epochs"] * len(batches)
    margin, squared, soft = settings["margin"], settings["squared"], settings["soft"]

    def of_one(points, labels, kind, rng):
        found = to_numpy(points.data)
        distances = pairwise_distances(found, squared=squared)
        chosen = choose(kind, distances, labels, margin, rng)
        anchors, positives, negatives = (points[places] for places in chosen)
        value = triplet_loss(
            anchors, positives, negatives, margin, settings["reduction"], squared, soft
        )
        measures = health(distances, labels, margin, soft) | {
            "empty_batches": float(not len(chosen.anchors))
        }
        return value, measures | {"spread": spread(found)}

    def loss(model, *arrays):
        step = batches.epoch * len(batches) + batches.batch - 1  # the batches are one ahead
        rng, kind = (
            np.random.default_rng(np.random.SeedSequence((seed, 1), spawn_key=(step,))),
            mining(step / steps),
        )
        networks = [model] if len(arrays) == 2 else model.embedding.members.values()
        of_each = [
            of_one(network(examples), to_numpy(labels), kind, rng)
            for network, examples, labels in zip(networks, arrays[::2], arrays[1::2], strict=True)
        ]
        losses, measures = zip(*of_each, strict=True)
        means = {
            name: sum(found[name] for found in measures) / len(measures) for name in measures[0]
        }
        return sum(losses[1:], losses[0]) * (1 / len(losses)), means

    return loss


def of_pairs(model, examples, labels):
    """The cross-entropy of all pairs of a batch, the mean over the same ones and that over the
    different ones half each"""
    features, labels = model(examples), to_numpy(labels)
    first, second = np.triu_indices(len(labels), 1)
    same = labels[first] == labels[second]
    logits = model.head(features[first], features[second])
    losses, right = [], []
    for told, which in ((1, np.flatnonzero(same)), (0, np.flatnonzero(~same))):
        if len(which):
            some = logits[which]
            losses.append(sigmoid_cross_entropy(some, some.data * 0 + told))
            right.append(((some.data > 0) == told).mean())
    return sum(losses[1:], losses[0]) / 2, {
        "accuracy": sum(right) / len(right),
        "spread": spread(to_numpy(features.data)),
    }


def spread(points):
    """How far apart an embedding's points lie, from 0 (all at one place) to 1 (around the origin,
    in all directions): the root of their mean squared distance from their mean over that from the
    origin."""
    whole = (points * points).sum()
    return (
        float((np.square(points - points.mean(axis=0)).sum() / whole) ** 0.5) if whole > 0 else 0.0
    )


def remark_of(baselines):
    """A word on an epoch whose row shows that nothing is learned, or that there is nothing left to
    learn"""

    def remark(row):
        if row["spread"] < COLLAPSED:
            return f"collapsed: all examples lie at one place, with a spread of {row['spread']:.4f}"
        for name, baseline in baselines.items():
            loss = row.get("all_triplets_loss", row["loss"])
            if loss > NO_BETTER * baseline:
                return f"no better than constant: a loss of {loss:.4f}, where {name} has {baseline:.4f}"
        if row.get("empty_batches") == 1:
            return "no batch had a triplet to train on: all are easy at this margin"
        return None

    return remark


def baselines_of(settings):
    margin, soft = settings["margin"], settings["soft"]
    if settings["head"] != "triplet":
        return {"one logit for all pairs": float(np.log(2))}
    return {"one distance for all": float(np.logaddexp(0, margin) if soft else margin)}
