"""Find the threshold between same and different people, from faces whose people are known.

Pairs that share a person are not independent. One unusual face can affect all pairs of its person,
and six people with ten pictures each have 270 pairs of one person, although they are a sample of
only six. A person therefore counts as one trial, whatever the number of pictures. Two error rates
are means over people:

    rejects     the share of a person's own pairs that are rejected
    strangers   the share of a person's pictures that are accepted as one of the other people, who
                form a database. With k people in it, a stranger has k chances to be accepted.

A mean m over n people counts as m n errors in n trials. With e errors in n trials and a confidence
of 95 %, the error rate is at most the p for which e errors or fewer have a probability of 5 %
(Clopper and Pearson 1934):

    Σ_{i ≤ e} C(n, i) pⁱ (1 - p)ⁿ⁻ⁱ = 0.05,      for e = 0      p = 1 - 0.05^(1/n) < 3 / n

The error rate is at least 1 minus the bound for the n - e trials without an error.

The data contradict the shipped threshold if they prove a higher rate of rejects, or of strangers,
than it has on the people of ORL. If they do, the threshold at which both error rates of pairs are
equal replaces it. This threshold is larger if rejects contradict the shipped one, and smaller if
strangers contradict it.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minidl.errors import ArgumentError
from minidl.evaluation import error_rates, pair_distances
from minidl.faces.database import must_be_distance
from minidl.faces.identification import REJECTED, STRANGERS_ACCEPTED, THRESHOLD
from minidl.typing import Array

CONFIDENCE, ROUNDING = 0.95, 1e-9
EQUAL = "equal error rates"
SHIPPED = "the shipped one, which these people do not contradict"
MOST = 4000  # faces that are compared, in eight million pairs; of more faces a sample is drawn


class Calibration(NamedTuple):
    """A threshold, the rule that gave it, and its error rates, as fractions."""

    threshold: float
    rule: str  # words for the user
    false_accept: float  # of the pairs of different people
    false_reject: float  # of the pairs of one person
    equal_error_rate: float  # at the threshold where both rates are equal
    people: int
    faces: int
    same_pairs: int
    different_pairs: int
    # the share of a person's pictures that are accepted as another person, as a mean over people
    strangers: float
    # the upper bound of that share among all people, with a confidence of 95 %
    strangers_at_most: float


def calibrate(
    embeddings: Array,
    labels: Array | Sequence[Any],
    false_accept: float | None = None,
    threshold: float | None = None,
    *,
    usual: float | None = THRESHOLD,
) -> Calibration:
    """Return a threshold for embeddings (N, D) of the people with labels (N,), and its errors.

    The threshold is the usual one unless the data contradict it (see the module).

    usual: the threshold of the shipped network; None for another network, for which the error rates
    of pairs are equal at the threshold. false_accept: choose the largest threshold that accepts at
    most this fraction of the pairs of different people. threshold: use this one. If all thresholds
    of an interval have the same errors, its middle is chosen.

    All pairs are compared. If there are more than MOST faces, people are drawn at random, first
    those with two faces or more, and at most MOST / 2 faces of each.

    Raise ArgumentError unless there are two people, one of them with two faces.
    """
    labels = np.asarray(labels)
    people, numbers = np.unique(labels, return_inverse=True)
    if len(people) < 2 or len(people) == len(labels):
        raise ArgumentError(
            f"found people: {len(people)}, faces: {len(labels)}; wanted at least two people, one "
            "of them with two pictures: add pictures"
        )
    if threshold is not None:
        must_be_distance(threshold)
    sample = _sample(numbers) if len(labels) > MOST else slice(None)
    labels = labels[sample]
    distances, same = pair_distances(np.asarray(embeddings)[sample], labels)
    rates = error_rates(distances, same)
    if threshold is not None:
        rule = "given"
    elif false_accept is not None:
        rule = f"at most {false_accept:.3g} of different pairs accepted"
        threshold = rates.for_false_accept(false_accept)
    elif usual is None:
        rule, threshold = EQUAL, rates.equal_middle
    else:
        rule, threshold = _not_contradicted(distances, same, labels, rates, usual)
    accepted, rejected = rates.at(threshold)
    strangers = _strangers(distances, same, labels, threshold)
    count = len(np.unique(labels))
    return Calibration(
        threshold=float(threshold),
        rule=rule,
        false_accept=accepted,
        false_reject=rejected,
        equal_error_rate=rates.equal[0],
        people=count,
        faces=len(labels),
        same_pairs=int(same.sum()),
        different_pairs=int((~same).sum()),
        strangers=strangers,
        strangers_at_most=at_most(np.ceil(strangers * count - ROUNDING), count),
    )


def at_most(errors: float, trials: int) -> float:
    """Return the upper bound of the error rate, by the formula of the module's docstring.

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


def at_least(errors: float, trials: int) -> float:
    """Return the lower bound of the error rate.

    >>> at_least(0, 6), round(at_least(2, 6), 3)
    (0.0, 0.063)
    """
    return 1 - at_most(trials - int(errors), trials)


def _not_contradicted(distances, same, labels, rates, usual):
    """Return (rule, threshold): the usual threshold unless the data contradict it."""
    people = len(np.unique(labels))
    rejects, with_pairs = _rejects(distances, same, labels, usual)
    fewest = at_least(np.floor(rejects * with_pairs + ROUNDING), with_pairs)
    rejects_contradict = fewest > REJECTED
    strangers = _strangers(distances, same, labels, usual)
    fewest = at_least(np.floor(strangers * people + ROUNDING), people)
    strangers_contradict = fewest > STRANGERS_ACCEPTED
    equal = rates.equal_middle
    if (rejects_contradict and equal > usual) or (strangers_contradict and equal < usual):
        return EQUAL, equal
    return SHIPPED, usual


def _rejects(distances, same, labels, threshold):
    """Return the share of a person's own pairs that are rejected, as a mean over the people who
    have pairs, and the number of these people."""
    first, _ = _members(same, len(labels))
    person = np.unique(labels, return_inverse=True)[1][first]
    pairs = np.bincount(person)
    rejected = np.bincount(person, distances[same] > threshold)
    return float((rejected[pairs > 0] / pairs[pairs > 0]).mean()), int((pairs > 0).sum())


def _strangers(distances, same, labels, threshold):
    """Return the share of a person's pictures that are within the threshold of a picture of another
    person, as a mean over people."""
    near = ~same & (distances <= threshold)
    accepted = np.zeros(len(labels), bool)
    for members in _members(near, len(labels)):
        accepted[members] = True
    person = np.unique(labels, return_inverse=True)[1]
    return float((np.bincount(person, accepted) / np.bincount(person)).mean())


def _members(chosen, count):
    """Return the first and the second member of each chosen pair of `count` faces."""
    first, second = np.triu_indices(count, 1)
    return first[chosen], second[chosen]


def _sample(numbers):
    """Return the indices of MOST faces. numbers: (N,), the number of each face's person."""
    faces = np.bincount(numbers)
    people = np.random.default_rng(0).permutation(len(faces))
    people = people[(faces[people] < 2).argsort(kind="stable")][:MOST]
    of_people = [np.flatnonzero(numbers == person)[: MOST // 2] for person in people]
    return np.concatenate(of_people)[:MOST]
