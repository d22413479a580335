"""Nearest neighbours and error rates, compared with examples by hand and with exhaustive search."""

import itertools

import numpy as np
import pytest

from minidl import evaluation
from minidl.errors import ArgumentError, NonFiniteError, ShapeError
from minidl.evaluation import (
    error_rates,
    nearest_neighbours,
    one_shot,
    open_set,
    pair_distances,
    square_of_pairs,
    two_nearest,
)

# ---- nearest neighbours


def test_neighbours_are_those_of_an_exhaustive_search(monkeypatch):
    monkeypatch.setattr(evaluation, "STRIP", 70)  # so that the points are divided into parts
    rng = np.random.default_rng(0)
    points, known = rng.standard_normal((25, 3)), rng.standard_normal((30, 3))
    wanted = [min(range(30), key=lambda j: np.linalg.norm(p - known[j])) for p in points]
    assert nearest_neighbours(points, known).tolist() == wanted


def test_of_equal_distances_the_first_counts():
    known = np.array([[1.0, 0], [0, 1], [1, 0]])
    assert nearest_neighbours(np.zeros((1, 2)), known).tolist() == [0]


def test_neighbours_among_no_points_are_refused():
    with pytest.raises(ShapeError, match="wanted"):
        nearest_neighbours(np.zeros((1, 2)), np.zeros((0, 2)))


def test_neighbours_do_not_depend_on_given_squares():
    rng = np.random.default_rng(1)
    points, known = rng.standard_normal((9, 3)), rng.standard_normal((20, 3))
    indices = nearest_neighbours(points, known, (known * known).sum(axis=1))
    assert indices.tolist() == nearest_neighbours(points, known).tolist()


def test_squares_of_float16_may_exceed_its_range():
    known = np.array([[0.0] * 4, [300.0] * 4, [400.0] * 4], np.float16)
    assert nearest_neighbours(known, known).tolist() == [0, 1, 2]


def test_the_second_nearest_has_another_label(monkeypatch):
    monkeypatch.setattr(evaluation, "STRIP", 70)
    rng = np.random.default_rng(2)
    points, known = rng.standard_normal((25, 3)), rng.standard_normal((30, 3))
    labels = rng.integers(0, 4, 30)
    nearest, second = two_nearest(points, known, labels)
    assert nearest.tolist() == nearest_neighbours(points, known).tolist()
    for point, first, other in zip(points, nearest, second, strict=True):
        others = [j for j in range(30) if labels[j] != labels[first]]
        assert other == min(others, key=lambda j: np.linalg.norm(point - known[j]))
    assert two_nearest(points, known, np.zeros(30, int))[1].tolist() == [-1] * 25


# ---- distances of pairs


def test_distances_of_all_pairs_are_those_of_the_definition(monkeypatch):
    monkeypatch.setattr(evaluation, "STRIP", 40)  # so that the pairs are divided into parts
    rng = np.random.default_rng(0)
    points, labels = rng.standard_normal((12, 4)) + 5, np.array(list("aabbccddeeff"))
    points[7], points[9] = points[2], points[2] + 1e-9
    points = points.astype(np.float32)
    distances, same = pair_distances(points, labels)
    pairs = [(i, j) for i in range(12) for j in range(i + 1, 12)]
    wanted = [np.linalg.norm(points[i].astype(float) - points[j]) for i, j in pairs]
    np.testing.assert_allclose(distances, wanted, rtol=1e-9)
    assert distances[pairs.index((2, 7))] == 0
    assert same.tolist() == [labels[i] == labels[j] for i, j in pairs]


def test_the_distance_of_close_points_has_all_its_digits():
    [distance], _ = pair_distances(np.array([[1e3, 1.0], [1e3, 1.0 + 1e-9]]), np.zeros(2))
    assert distance == pytest.approx(1e-9, rel=1e-6)


def test_one_point_makes_no_pair():
    assert [len(array) for array in pair_distances(np.ones((1, 2)), np.ones(1))] == [0, 0]
    with pytest.raises(ShapeError, match="wanted"):
        pair_distances(np.ones((2, 2)), np.ones(1))


def test_the_distances_of_pairs_make_a_symmetric_matrix():
    points = np.random.default_rng(0).standard_normal((5, 3))
    distances, _ = pair_distances(points, np.zeros(5))
    wanted = np.linalg.norm(points[:, None] - points, axis=2)
    np.testing.assert_allclose(square_of_pairs(distances, 5), wanted, atol=1e-15)


# ---- error rates


def test_error_rates_of_an_example_by_hand():
    rates = error_rates([1.0, 2.0, 3.0, 4.0, 4.0], [True, True, False, True, False])
    assert rates.thresholds.tolist() == [1, 2, 3, 4]
    assert rates.false_accept.tolist() == [0, 0, 0.5, 1]
    np.testing.assert_allclose(rates.false_reject, [2 / 3, 1 / 3, 1 / 3, 0], atol=1e-15)
    assert rates.equal == (pytest.approx((0.5 + 1 / 3) / 2), 3.0)


def test_error_rates_are_those_of_the_definition():
    rng = np.random.default_rng(0)
    same = rng.random(200) < 0.4
    distances = np.round(rng.normal(np.where(same, 1, 2), 1), 1)
    rates = error_rates(distances, same)
    for threshold, accept, reject in zip(*rates, strict=True):
        assert accept == pytest.approx((distances[~same] <= threshold).mean())
        assert reject == pytest.approx((distances[same] > threshold).mean())


@pytest.mark.parametrize("same", [[True, True], [False, False], [True]])
def test_pairs_of_one_kind_have_no_error_rates(same):
    with pytest.raises(ArgumentError, match="with at least one pair of the same"):
        error_rates([1.0, 2.0], same)


# same pairs at 1, 2, 4; different pairs at 3, 4, 8
RATES = error_rates([1.0, 2.0, 3.0, 4.0, 4.0, 8.0], [True, True, False, True, False, False])


def test_a_threshold_is_in_the_middle_between_two_distances():
    assert RATES.equal == (pytest.approx(1 / 3), 3.0)
    assert RATES.equal_middle == 3.5
    assert RATES.for_false_accept(0) == 2.5
    assert RATES.for_false_accept(0.34) == 3.5
    assert RATES.for_false_accept(0.7) == 6
    assert RATES.for_false_accept(1) == 8


def test_a_threshold_below_all_distances_accepts_nothing():
    rates = error_rates([2.0, 3.0], [False, True])
    assert rates.for_false_accept(0.5) == 1
    assert rates.at(rates.for_false_accept(0.5)) == (0, 1)


def test_a_threshold_of_zero_accepts_distances_of_zero():
    rates = error_rates([0.0, 0.0, 1.0], [True, True, False])
    assert rates.at(0.0) == (0, 0) and rates.at(-0.1) == (0, 1)
    with pytest.raises(ArgumentError, match="one picture under two names"):
        error_rates([0.0, 1.0], [False, True]).for_false_accept(0.5)


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_share_outside_0_to_1_is_refused(rate):
    with pytest.raises(ArgumentError, match="wanted a number from 0 to 1"):
        RATES.for_false_accept(rate)


def test_no_threshold_is_better_than_that_of_for_false_accept():
    """All thresholds are tried. `at` is compared with the definition."""
    rng = np.random.default_rng(3)
    for _ in range(50):
        same = rng.random(30) < 0.5
        distances = np.round(rng.normal(np.where(same, 2, 3), 1).clip(0.1), 1)
        rates, wanted = error_rates(distances, same), rng.random()

        def rates_at(threshold, distances=distances, same=same):
            return (distances[~same] <= threshold).mean(), (distances[same] > threshold).mean()

        threshold = rates.for_false_accept(wanted)
        assert rates.at(threshold) == pytest.approx(rates_at(threshold))
        allowed = [rates_at(t)[1] for t in [0, *distances] if rates_at(t)[0] <= wanted]
        assert rates.at(threshold)[1] == pytest.approx(min(allowed))
        assert rates.at(rates.equal_middle) == pytest.approx(rates_at(rates.equal[1]))


def test_the_middle_of_adjacent_floats_is_the_lower_one():
    above = np.nextafter(1.0, 2.0)
    assert error_rates([1.0, above], [True, False]).for_false_accept(0) == 1.0


# ---- identification


def every_choice(distances, labels, people, threshold, strangers=()):
    """(named, rejected, accepted) as means over every choice of one example of each person"""
    named, rejected, accepted = {}, {}, {}  # {point: {its own example: outcomes}}
    for choice in itertools.product(*(np.flatnonzero(labels == person) for person in people)):
        for point in np.flatnonzero(np.isin(labels, people)):
            own = choice[list(people).index(labels[point])]
            if own != point:
                distance = distances[point, own]
                others = [distances[point, example] for example in choice if example != own]
                is_named = distance <= threshold and all(other > distance for other in others)
                is_rejected = distance > threshold and all(other > threshold for other in others)
                named.setdefault(point, {}).setdefault(own, []).append(is_named)
                rejected.setdefault(point, {}).setdefault(own, []).append(is_rejected)
        for point in strangers:
            is_accepted = any(distances[point, example] <= threshold for example in choice)
            accepted.setdefault(point, []).append(is_accepted)

    def mean(outcomes):
        by_point = [[np.mean(tries) for tries in of.values()] for of in outcomes.values()]
        return np.mean([np.mean(means) for means in by_point])

    return mean(named), mean(rejected), [np.mean(tries) for tries in accepted.values()]


@pytest.mark.parametrize("seed", range(6))
def test_one_shot_is_the_mean_over_every_choice(seed):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(4), [3, 1, 2, 4]))
    points = rng.standard_normal((10, 2)) + labels[:, None]
    distances = np.linalg.norm(points[:, None] - points, axis=2).round(1)  # some are equal
    named, _, _ = every_choice(distances, labels, range(4), np.inf)
    assert one_shot(distances, labels).mean() == pytest.approx(named)


@pytest.mark.parametrize("seed", range(6))
def test_open_set_is_the_mean_over_every_choice(seed):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(5), [3, 2, 2, 1, 2]))
    points = rng.standard_normal((10, 2)) + labels[:, None]
    distances = np.linalg.norm(points[:, None] - points, axis=2).round(1)
    strangers = np.flatnonzero(labels >= 3)
    rates = open_set(distances, labels, labels < 3, labels >= 3, 1.1)
    named, rejected, accepted = every_choice(distances, labels, range(3), 1.1, strangers)
    assert rates[0].mean() == pytest.approx(named) and rates[1].mean() == pytest.approx(rejected)
    assert sorted(rates[2]) == pytest.approx(sorted(accepted))


# ---- numbers that are not finite


def test_a_distance_of_nan_is_refused():
    """argmin returns the index of a NaN, and comparisons with it are False: both would name the
    wrong point."""
    known = np.array([[0.0, 0.0], [1.0, 1.0], [5.0, 5.0]])
    with_nan = np.array([[0.0, 0.0], [np.nan, 1.0], [5.0, 5.0]])
    labels, all_points = np.array([0, 0, 1]), np.ones(3, bool)
    distances, same = pair_distances(with_nan, labels)
    square = square_of_pairs(distances, 3)
    for call in (
        lambda: nearest_neighbours(known, with_nan),
        lambda: nearest_neighbours(with_nan, known),
        lambda: two_nearest(known, with_nan, np.arange(3)),
        lambda: error_rates(distances, same),
        lambda: one_shot(square, labels),
        lambda: open_set(square, labels, all_points, ~all_points, 1.0),
    ):
        with pytest.raises(
            NonFiniteError, match="a distance is NaN; wanted points of finite numbers"
        ):
            call()
