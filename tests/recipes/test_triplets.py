"""Choices of triplets against their definitions in loops, on drawn labels and distances: few
different ones, so that many are equal; batches without positives and of one person among them."""

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
    places = range(len(labels))
    return [(a, p) for a, p in product(places, places) if a != p and labels[a] == labels[p]]


def negatives(labels, a):
    return [n for n in range(len(labels)) if labels[n] != labels[a]]


def is_semi_hard(d, a, p, n):
    return d[a, p] < d[a, n] <= d[a, p] + MARGIN


def violates(d, a, p, n):
    return d[a, p] - d[a, n] + MARGIN > 0


def first_best(places, key):
    """Python's own min and max keep the first of equals"""
    return min(places, key=key)


def twins(d, labels):
    """kind -> triplets, by the definitions"""
    semi_hard = {
        (a, p): [n for n in negatives(labels, a) if is_semi_hard(d, a, p, n)]
        for a, p in pairs(labels)
    }
    hardest = []
    for a in range(len(labels)):
        positives = [p for x, p in pairs(labels) if x == a]
        if positives and negatives(labels, a):
            farthest = first_best(positives, lambda p, a=a: -d[a, p])
            hardest.append((a, farthest, first_best(negatives(labels, a), lambda n, a=a: d[a, n])))
    return {
        "all": [(a, p, n) for a, p in pairs(labels) for n in negatives(labels, a)],
        "semi-hard": [
            (a, p, first_best(found, lambda n, a=a: d[a, n]))
            for (a, p), found in semi_hard.items()
            if found
        ],
        "batch-hard": hardest,
    }


def allowed(kind, d, labels):
    """pair -> the negatives that a random choice may take"""
    rule = {"violating": violates, "random-semi-hard": is_semi_hard}[kind]
    found = {
        (a, p): [n for n in negatives(labels, a) if rule(d, a, p, n)] for a, p in pairs(labels)
    }
    return {pair: ns for pair, ns in found.items() if ns}


def chosen(kind, d, labels, seed=0):
    found = choose(kind, d, labels, MARGIN, np.random.default_rng(seed))
    return list(zip(*(places.tolist() for places in found), strict=True))


@pytest.mark.parametrize("kind", ["all", "semi-hard", "batch-hard"])
@given(batch=batches())
def test_choices_by_their_definitions(kind, batch):
    assert chosen(kind, *batch) == twins(*batch)[kind]


@pytest.mark.parametrize("kind", ["violating", "random-semi-hard"])
@given(batch=batches(), seed=st.integers(0, 99))
def test_random_choices_take_one_that_is_allowed_for_every_pair_that_has_one(kind, batch, seed):
    """The n-th of those allowed, n the whole part of their count times a number that the seed draws
    for each pair"""
    draws = dict(
        zip(pairs(batch[1]), np.random.default_rng(seed).random(len(pairs(batch[1]))), strict=True)
    )
    wanted = [(*pair, ns[int(draws[pair] * len(ns))]) for pair, ns in allowed(kind, *batch).items()]
    assert chosen(kind, *batch, seed) == wanted


@pytest.mark.parametrize("kind", ["violating", "random-semi-hard"])
def test_random_choices_are_fair(kind):
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
def test_batches_that_have_no_triplets(kind, labels):
    labels, points = np.array(labels), np.random.default_rng(0).standard_normal((len(labels), 2))
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    found = choose(kind, distances, labels, MARGIN, np.random.default_rng(0))
    assert all(places.dtype == int and not len(places) for places in found)
    assert triplet_loss(*(points[places] for places in found)) == 0
    assert health(distances, labels, MARGIN)["active"] == 0


@pytest.mark.parametrize("kind", ["violating", "semi-hard", "random-semi-hard"])
def test_where_all_is_easy_nothing_is_chosen(kind):
    labels = np.repeat(np.arange(4), 3)
    distances = np.where(labels[:, None] == labels, 0.25, 0.8)
    np.fill_diagonal(distances, 0)
    assert chosen(kind, distances, labels) == []
    assert len(chosen("all", distances, labels)) == 12 * 2 * 9
    assert len(chosen("batch-hard", distances, labels)) == 12


@given(batch=batches(), soft=st.booleans())
def test_health_by_its_definition(batch, soft):
    d, labels = batch
    every = twins(d, labels)["all"]
    terms = [np.array([[[0.0]], [[d[a, p]]], [[d[a, n]]]]) for a, p, n in every]
    losses = [triplet_loss(*term, MARGIN, squared=False, soft=soft) for term in terms]
    apart = [(a, n) for a in range(len(labels)) for n in negatives(labels, a)]
    wanted = {
        "active": np.mean([violates(d, *triplet) for triplet in every]) if every else 0,
        "near": np.mean([d[pair] for pair in pairs(labels)]) if pairs(labels) else 0,
        "far": np.mean([d[pair] for pair in apart]) if apart else 0,
        "all_triplets_loss": np.mean(losses) if every else 0,
    }
    assert health(d, labels, MARGIN, soft) == pytest.approx(wanted)


@pytest.mark.parametrize("soft", [False, True])
def test_what_constant_distances_are_worth(soft):
    labels = np.repeat(np.arange(3), 2)
    for distance in (0.0, 0.7):
        found = health(np.where(np.eye(6), 0, distance), labels, MARGIN, soft)
        assert found["all_triplets_loss"] == pytest.approx(
            np.log(1 + np.exp(MARGIN)) if soft else MARGIN
        )
        assert found["active"] == 1 and [found["near"], found["far"]] == pytest.approx(
            [distance] * 2
        )


def test_a_schedule_goes_through_the_choices():
    mining = Mining("all,0.25:semi-hard,0.5:batch-hard")
    assert [mining(share) for share in (0, 0.2, 0.25, 0.4, 0.5, 1)] == ["all"] * 2 + [
        "semi-hard"
    ] * 2 + ["batch-hard"] * 2
    assert Mining("violating")(0.7) == "violating"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hardest", "hardest"), ("all,semi-hard", "wanted a share of the training and a choice, such as 0.2:semi-hard"),
        ("all,0.5:all,0.2:batch-hard", "wanted rising ones"), ("all,1.5:batch-hard", "below 1"), ("all,nan:all", "rising"),
        ("all,0:batch-hard", "rising"), ("", "triplets"),
    ],
)  # fmt: skip
def test_schedules_that_make_no_sense(text, words):
    with pytest.raises(ArgumentError, match=words):
        Mining(text)
