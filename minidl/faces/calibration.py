"""The threshold between same and different, from pairs of faces whose people are known.

Pairs that share a person are not independent. One odd face can affect all pairs of its person, and
six people with ten pictures each have 375 pairs but are six draws from all people. A person
therefore
counts as one trial, whatever the number of pictures. Two error rates are means over people:

    rejects     the share of a person's own pairs that are rejected
    strangers   the share of a person's pictures that are accepted as one of the other people, who
                form a database. With k people in it, a stranger has k chances to be accepted.

A mean m over n people counts as m n errors in n trials. With e errors in n trials and a confidence
of
95 %, the error rate is at most the p for which e errors or fewer have a probability of 5 % (Clopper
and Pearson 1934):

    Σ_{i ≤ e} C(n, i) pⁱ (1 - p)ⁿ⁻ⁱ = 0.05,      for e = 0      p = 1 - 0.05^(1/n) < 3 / n

The error rate is at least 1 minus the bound for the n - e trials without an error.

The data contradict the shipped threshold where they prove a higher rate of rejects, or of
strangers,
than it has on the people of ORL. Only then the threshold moves to the one of equal error rates of
pairs: up if rejects contradict it, down if strangers do.
"""

from typing import NamedTuple

import numpy as np

from minidl.errors import ArgumentError
from minidl.evaluation import error_rates, pair_distances
from minidl.faces.identification import REJECTED, STRANGERS_ACCEPTED, THRESHOLD

CONFIDENCE, ROUNDING = 0.95, 1e-9
SHIPPED = "the shipped one, which these people do not contradict"
MOST = 4000  # faces whose pairs, eight million, are all compared


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
    # the share of pictures that are accepted as another person, the mean over people
    strangers: float
    # upper bound of that share among all people, with a confidence of 95 %
    strangers_at_most: float


def calibrate(embeddings, labels, false_accept=None, threshold=None):
    """(N, D), (N,) -> Calibration from all pairs; of more than MOST faces from all pairs of people
    drawn at random, those with two faces or more before the others, and of nobody more than half of
    MOST.

    The threshold is the shipped one where the data do not contradict it, else the one of equal
    error rates. With `false_accept` it is the largest that accepts at most this share of different
    pairs. With `threshold` it is that one, and its errors are computed. In an interval of distances
    that all decide alike it is the middle. Raises ArgumentError without two people, one of them
    with
    two faces.
    """
    labels = np.asarray(labels)
    people, numbers = np.unique(labels, return_inverse=True)
    if len(people) < 2 or len(people) == len(labels):
        found = f"people: {len(people)}, faces: {len(labels)}"
        raise ArgumentError(
            f"found {found}; wanted at least two people, one of them with two pictures: add some"
        )
    if threshold is not None and not (np.isfinite(threshold) and threshold >= 0):
        raise ArgumentError(
            f"the threshold is {threshold}; wanted a distance, finite and at least 0"
        )
    drawn = _drawn(numbers) if len(labels) > MOST else slice(None)
    labels = labels[drawn]
    distances, same = pair_distances(np.asarray(embeddings)[drawn], labels)
    rates = error_rates(distances, same)
    if threshold is not None:
        rule = "given"
    elif false_accept is not None:
        rule, threshold = (
            f"at most {false_accept:.3g} of different pairs accepted",
            rates.for_false_accept(false_accept),
        )
    else:
        rule, threshold = _not_contradicted(distances, same, labels, rates)
    count = len(np.unique(labels))
    strangers = _strangers(distances, same, labels, threshold)
    return Calibration(
        float(threshold), rule, *rates.at(threshold), rates.equal[0], count, len(labels), int(same.sum()),
        int((~same).sum()), strangers, at_most(np.ceil(strangers * count - ROUNDING), count),
    )  # fmt: skip


def at_most(errors, trials):
    """The upper bound of the error rate after so many errors, as in the docstring of the module

    >>> round(at_most(0, 6), 3), round(at_most(1, 6), 3), at_most(6, 6)
    (0.393, 0.582, 1.0)
    """
    low, high = 0.0, 1.0
    if errors >= trials:
        return high
    number = np.arange(1, int(errors) + 1)
    # ln C(n, i)
    ways = np.concatenate([[0.0], np.cumsum(np.log(trials - number + 1) - np.log(number))])
    number = np.arange(int(errors) + 1)
    for _ in range(60):
        p = (low + high) / 2
        few = np.exp(ways + number * np.log(p) + (trials - number) * np.log1p(-p)).sum()
        low, high = (p, high) if few > 1 - CONFIDENCE else (low, p)
    return float(low)


def at_least(errors, trials):
    """The lower bound of the error rate after so many errors

    >>> at_least(0, 6), round(at_least(2, 6), 3)
    (0.0, 0.063)
    """
    return 1 - at_most(trials - int(errors), trials)


def _not_contradicted(distances, same, labels, rates):
    """(rule, threshold): the shipped threshold unless the data contradict it"""
    people = len(np.unique(labels))
    rejects, several = _rejects(distances, same, labels, THRESHOLD)
    rejects_contradict = at_least(np.floor(rejects * several + ROUNDING), several) > REJECTED
    strangers = _strangers(distances, same, labels, THRESHOLD)
    strangers_contradict = (
        at_least(np.floor(strangers * people + ROUNDING), people) > STRANGERS_ACCEPTED
    )
    equal = rates.equal_middle
    if (rejects_contradict and equal > THRESHOLD) or (strangers_contradict and equal < THRESHOLD):
        return "both errors as common", equal
    return SHIPPED, THRESHOLD


def _rejects(distances, same, labels, threshold):
    """(mean over people of the share of their own pairs that are rejected, people who have
    pairs)"""
    person = np.unique(labels, return_inverse=True)[1][_first(same, len(labels))]
    pairs = np.bincount(person)
    rejected = np.bincount(person, distances[same] > threshold)
    return float((rejected[pairs > 0] / pairs[pairs > 0]).mean()), int((pairs > 0).sum())


def _strangers(distances, same, labels, threshold):
    """Mean over people of the share of their pictures whose distance to a picture of another person
    is at most the threshold"""
    near = ~same & (distances <= threshold)
    accepted = np.zeros(len(labels), bool)
    accepted[_first(near, len(labels))] = accepted[_second(near, len(labels))] = True
    person = np.unique(labels, return_inverse=True)[1]
    return float((np.bincount(person, accepted) / np.bincount(person)).mean())


def _first(chosen, count):
    return np.triu_indices(count, 1)[0][chosen]


def _second(chosen, count):
    return np.triu_indices(count, 1)[1][chosen]


def _drawn(numbers):
    """The places of MOST faces whose people have these numbers (N,)"""
    faces = np.bincount(numbers)
    people = np.random.default_rng(0).permutation(len(faces))
    people = people[(faces[people] < 2).argsort(kind="stable")][:MOST]
    return np.concatenate([np.flatnonzero(numbers == person)[: MOST // 2] for person in people])[
        :MOST
    ]
