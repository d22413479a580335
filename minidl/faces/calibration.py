"""Where same ends and different begins: a threshold from pairs of faces whose people are known."""

from typing import NamedTuple

import numpy as np

from minidl.errors import ArgumentError
from minidl.evaluation import error_rates, pair_distances

MOST = 4000  # faces whose pairs, eight million, are all looked at


class Calibration(NamedTuple):
    """A threshold, how it was chosen, and its evidence: the two errors among so many pairs."""

    threshold: float
    rule: str
    false_accept: float
    false_reject: float
    equal_error_rate: float
    people: int
    faces: int
    same_pairs: int
    different_pairs: int


def calibrate(embeddings, labels, false_accept=None, threshold=None):
    """(N, D), (N,) -> Calibration from all pairs; of more than MOST faces from all pairs of people drawn at random, those with
    two faces or more before the others, and of nobody more than half of MOST.

    The threshold at which both errors are as common; or, with `false_accept`, the one that accepts most while at most this
    share of different pairs is accepted; or `threshold`, for which the errors are told. Of a stretch of distances that decide
    alike it is the middle. Raises ArgumentError where there are not two people, one of them with two faces.
    """
    labels = np.asarray(labels)
    people, numbers = np.unique(labels, return_inverse=True)
    if len(people) < 2 or len(people) == len(labels):
        found = f"people: {len(people)}, faces: {len(labels)}"
        raise ArgumentError(f"found {found}; wanted at least two people, one of them with two pictures: add some")
    if threshold is not None and not (np.isfinite(threshold) and threshold >= 0):
        raise ArgumentError(f"the threshold is {threshold}; wanted a distance, finite and at least 0")
    drawn = _drawn(numbers) if len(labels) > MOST else slice(None)
    labels = labels[drawn]
    distances, same = pair_distances(np.asarray(embeddings)[drawn], labels)
    rates = error_rates(distances, same)
    if threshold is not None:
        rule = "given"
    elif false_accept is not None:
        rule, threshold = f"at most {false_accept:.3g} of different pairs accepted", rates.for_false_accept(false_accept)
    else:
        rule, threshold = "both errors as common", rates.equal_middle
    return Calibration(
        float(threshold), rule, *rates.at(threshold), rates.equal[0], len(np.unique(labels)), len(labels), int(same.sum()),
        int((~same).sum()),
    )  # fmt: skip


def _drawn(numbers):
    """The places of MOST faces whose people have these numbers (N,)"""
    faces = np.bincount(numbers)
    people = np.random.default_rng(0).permutation(len(faces))
    people = people[(faces[people] < 2).argsort(kind="stable")][:MOST]
    return np.concatenate([np.flatnonzero(numbers == person)[: MOST // 2] for person in people])[:MOST]
