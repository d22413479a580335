"""Choices of triplets are equal to their definitions in loops.

Labels and distances are drawn: few different distances, so that many are equal, and also batches
without positives or with one person only.
"""

from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl.errors import ArgumentError
from minidl.losses import triplet_loss
from minidl.recipes.triplets import CHOICES, Mining, choose, health

MARGIN = 0.5


@st.composite
def batches(draw):
    """(distances, labels): symmetric, 0 on the diagonal, all multiples of a quarter, so that sums
    with the margin are exact"""
    labels = np.array(draw(st.lists(st.integers(0, 3), min_size=1, max_size=8)))
    n = len(labels)
    numbers = draw(st.lists(st.integers(0, 6), min_size=n * n, max_size=n * n))
    upper = np.triu(np.array(numbers).reshape(n, n) / 4, 1)
    return upper + upper.T, labels


def pairs(labels):
    indices = range(len(labels))
    return [(a, p) for a, p in product(indices, indices) if a != p and labels[a] == labels[p]]


def negatives(labels, a):
    return [n for n in range(len(labels)) if labels[n] != labels[a]]


def is_semi_hard(d, a, p, n):
    return d[a, p] < d[a, n] <= d[a, p] + MARGIN


def violates(d, a, p, n):
    return d[a, p] - d[a, n] + MARGIN > 0


def by_definition(d, labels):
    """{kind: triplets} of the choices that are not random. Of equals, min() returns the first."""

    def nearest(a, indices):
        return min(indices, key=lambda n: d[a, n])

    def farthest(a, indices):
        return min(indices, key=lambda p: -d[a, p])

    semi_hard, hardest = [], []
    for a, p in pairs(labels):
        if indices := [n for n in negatives(labels, a) if is_semi_hard(d, a, p, n)]:
            semi_hard.append((a, p, nearest(a, indices)))
    for a in range(len(labels)):
        positives = [p for anchor, p in pairs(labels) if anchor == a]
        if positives and negatives(labels, a):
            hardest.append((a, farthest(a, positives), nearest(a, negatives(labels, a))))
    return {
        "all": [(a, p, n) for a, p in pairs(labels) for n in negatives(labels, a)],
        "semi-hard": semi_hard,
        "batch-hard": hardest,
    }


def allowed(kind, d, labels):
    """{pair: the negatives that a random choice may take}, without pairs that have none"""
    rule = {"violating": violates, "random-semi-hard": is_semi_hard}[kind]
    by_pair = {
        (a, p): [n for n in negatives(labels, a) if rule(d, a, p, n)] for a, p in pairs(labels)
    }
    return {pair: indices for pair, indices in by_pair.items() if indices}


def chosen(kind, d, labels, seed=0):
    triplets = choose(kind, d, labels, MARGIN, np.random.default_rng(seed))
    return list(zip(*(indices.tolist() for indices in triplets), strict=True))


@pytest.mark.parametrize("kind", ["all", "semi-hard", "batch-hard"])
@given(batch=batches())
def test_choices_are_those_of_the_definition(kind, batch):
    assert chosen(kind, *batch) == by_definition(*batch)[kind]


@pytest.mark.parametrize("kind", ["violating", "random-semi-hard"])
@given(batch=batches(), seed=st.integers(0, 99))
def test_random_choices_take_an_allowed_negative_for_each_pair_that_has_one(kind, batch, seed):
    """A pair draws u from 0 to 1 and takes number floor(u·count) of its allowed negatives."""
    _, labels = batch
    numbers = np.random.default_rng(seed).random(len(pairs(labels)))
    number_of = dict(zip(pairs(labels), numbers, strict=True))
    wanted = [
        (*pair, indices[int(number_of[pair] * len(indices))])
        for pair, indices in allowed(kind, *batch).items()
    ]
    assert chosen(kind, *batch, seed) == wanted


@pytest.mark.parametrize("kind", ["violating", "random-semi-hard"])
def test_random_choices_are_uniform(kind):
    labels = np.array([0, 0, 1, 1, 1, 2])
    distances = np.full((6, 6), 1.25)
    distances[labels[:, None] == labels] = 1.0
    np.fill_diagonal(distances, 0)
    counts = Counter(chosen(kind, distances, labels, seed)[0] for seed in range(2000))
    assert set(counts) == {(0, 1, n) for n in (2, 3, 4, 5)}
    assert all(400 < count < 600 for count in counts.values())


@pytest.mark.parametrize("kind", CHOICES)
@pytest.mark.parametrize(
    "labels", [[0, 1, 2], [4, 4, 4], [7]], ids=["no positives", "one person", "one picture"]
)
def test_batches_without_triplets(kind, labels):
    labels, points = np.array(labels), np.random.default_rng(0).standard_normal((len(labels), 2))
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    triplets = choose(kind, distances, labels, MARGIN, np.random.default_rng(0))
    assert all(indices.dtype == int and not len(indices) for indices in triplets)
    assert triplet_loss(*(points[indices] for indices in triplets)) == 0
    assert health(distances, labels, MARGIN)["active"] == 0


@pytest.mark.parametrize("kind", ["violating", "semi-hard", "random-semi-hard"])
def test_easy_triplets_are_not_chosen(kind):
    labels = np.repeat(np.arange(4), 3)
    distances = np.where(labels[:, None] == labels, 0.25, 0.8)
    np.fill_diagonal(distances, 0)
    assert chosen(kind, distances, labels) == []
    assert len(chosen("all", distances, labels)) == 12 * 2 * 9
    assert len(chosen("batch-hard", distances, labels)) == 12


@given(batch=batches(), soft=st.booleans())
def test_health_is_that_of_the_definition(batch, soft):
    d, labels = batch
    triplets = by_definition(d, labels)["all"]
    terms = [np.array([[[0.0]], [[d[a, p]]], [[d[a, n]]]]) for a, p, n in triplets]
    losses = [triplet_loss(*term, MARGIN, squared=False, soft=soft) for term in terms]
    different = [(a, n) for a in range(len(labels)) for n in negatives(labels, a)]
    wanted = {
        "active": np.mean([violates(d, *triplet) for triplet in triplets]) if triplets else 0,
        "near": np.mean([d[pair] for pair in pairs(labels)]) if pairs(labels) else 0,
        "far": np.mean([d[pair] for pair in different]) if different else 0,
        "all_triplets_loss": np.mean(losses) if triplets else 0,
    }
    assert health(d, labels, MARGIN, soft) == pytest.approx(wanted)


@pytest.mark.parametrize("soft", [False, True])
def test_equal_distances_have_the_loss_of_the_margin(soft):
    labels = np.repeat(np.arange(3), 2)
    loss = np.log(1 + np.exp(MARGIN)) if soft else MARGIN
    for distance in (0.0, 0.7):
        measures = health(np.where(np.eye(6), 0, distance), labels, MARGIN, soft)
        assert measures["all_triplets_loss"] == pytest.approx(loss)
        assert measures["active"] == 1
        assert [measures["near"], measures["far"]] == pytest.approx([distance] * 2)


def test_a_schedule_changes_the_choice_at_its_shares():
    mining = Mining("all,0.25:semi-hard,0.5:batch-hard")
    choices = [mining(share) for share in (0, 0.2, 0.25, 0.4, 0.5, 1)]
    assert choices == ["all"] * 2 + ["semi-hard"] * 2 + ["batch-hard"] * 2
    assert Mining("violating")(0.7) == "violating"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "triplets"),
        ("hardest", "hardest"),
        ("all,semi-hard", "wanted a share of the training and a choice, such as 0.2:semi-hard"),
        ("all,0.5:all,0.2:batch-hard", "wanted rising ones"),
        ("all,0:batch-hard", "rising"),
        ("all,nan:all", "rising"),
        ("all,1.5:batch-hard", "below 1"),
    ],
)
def test_an_invalid_schedule_is_refused(text, message):
    with pytest.raises(ArgumentError, match=message):
        Mining(text)
