"""Neighbours and error rates, by hand and by brute force."""

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
)


def test_neighbours_are_those_of_a_brute_force_search(monkeypatch):
    monkeypatch.setattr(evaluation, "STRIP", 70)  # so that the points come in parts
    rng = np.random.default_rng(0)
    points, known = rng.standard_normal((25, 3)), rng.standard_normal((30, 3))
    brute = [min(range(30), key=lambda j: np.linalg.norm(p - known[j])) for p in points]
    assert nearest_neighbours(points, known).tolist() == brute


def test_of_equals_the_first_is_taken():
    assert nearest_neighbours(np.zeros((1, 2)), np.array([[1.0, 0], [0, 1], [1, 0]])).tolist() == [
        0
    ]


def test_neighbours_of_nothing_are_refused():
    with pytest.raises(ShapeError, match="wanted"):
        nearest_neighbours(np.zeros((1, 2)), np.zeros((0, 2)))


def test_rates_by_hand():
    rates = error_rates([1.0, 2.0, 3.0, 4.0, 4.0], [True, True, False, True, False])
    assert rates.thresholds.tolist() == [1, 2, 3, 4]
    assert rates.false_accept.tolist() == [0, 0, 0.5, 1]
    np.testing.assert_allclose(rates.false_reject, [2 / 3, 1 / 3, 1 / 3, 0], atol=1e-15)
    assert rates.equal == (pytest.approx((0.5 + 1 / 3) / 2), 3.0)


def test_rates_are_those_of_the_definition():
    rng = np.random.default_rng(0)
    same = rng.random(200) < 0.4
    distances = np.round(rng.normal(np.where(same, 1, 2), 1), 1)
    rates = error_rates(distances, same)
    for threshold, accept, reject in zip(*rates, strict=True):
        assert accept == pytest.approx((distances[~same] <= threshold).mean())
        assert reject == pytest.approx((distances[same] > threshold).mean())


@pytest.mark.parametrize("same", [[True, True], [False, False], [True]])
def test_one_kind_of_pairs_has_no_rates(same):
    with pytest.raises(ArgumentError, match="with at least one pair of the same"):
        error_rates([1.0, 2.0], same)


def test_neighbours_are_the_same_with_squares_brought_along():
    rng = np.random.default_rng(1)
    points, known = rng.standard_normal((9, 3)), rng.standard_normal((20, 3))
    brought = nearest_neighbours(points, known, (known * known).sum(axis=1))
    assert brought.tolist() == nearest_neighbours(points, known).tolist()


def test_distances_of_all_pairs_are_those_of_the_definition(monkeypatch):
    monkeypatch.setattr(evaluation, "STRIP", 40)  # so that they come in parts
    rng = np.random.default_rng(0)
    points, labels = rng.standard_normal((12, 4)) + 5, np.array(list("aabbccddeeff"))
    points[7], points[9] = points[2], points[2] + 1e-9
    distances, same = pair_distances(points.astype(np.float32), labels)
    pairs = [(i, j) for i in range(12) for j in range(i + 1, 12)]
    wanted = [
        np.linalg.norm(np.float64(np.float32(points[i])) - np.float32(points[j])) for i, j in pairs
    ]
    np.testing.assert_allclose(distances, wanted, rtol=1e-9)
    assert distances[pairs.index((2, 7))] == 0
    assert same.tolist() == [labels[i] == labels[j] for i, j in pairs]


def test_near_points_keep_their_digits():
    [distance], _ = pair_distances(np.array([[1e3, 1.0], [1e3, 1.0 + 1e-9]]), np.zeros(2))
    assert distance == pytest.approx(1e-9, rel=1e-6)


def test_one_point_makes_no_pair():
    assert [len(array) for array in pair_distances(np.ones((1, 2)), np.ones(1))] == [0, 0]
    with pytest.raises(ShapeError, match="wanted"):
        pair_distances(np.ones((2, 2)), np.ones(1))


# same pairs at 1, 2, 4; different ones at 3, 4, 8
RATES = error_rates([1.0, 2.0, 3.0, 4.0, 4.0, 8.0], [True, True, False, True, False, False])


def test_a_threshold_lies_in_the_middle_of_its_plateau():
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


def test_a_threshold_of_zero_is_a_threshold():
    rates = error_rates([0.0, 0.0, 1.0], [True, True, False])
    assert rates.at(0.0) == (0, 0) and rates.at(-0.1) == (0, 1)
    with pytest.raises(ArgumentError, match="one picture under two names"):
        error_rates([0.0, 1.0], [False, True]).for_false_accept(0.5)


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_share_is_between_0_and_1(rate):
    with pytest.raises(ArgumentError, match="wanted a number from 0 to 1"):
        RATES.for_false_accept(rate)


def test_thresholds_keep_what_they_promise():
    """for_false_accept is the best there is, by trying all; at is the definition."""
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


def test_the_middle_of_neighbouring_numbers_is_the_lower_one():
    above = np.nextafter(1.0, 2.0)
    assert error_rates([1.0, above], [True, False]).for_false_accept(0) == 1.0


def every_choice(distances, labels, people, threshold, strangers=()):
    """(named, rejected, accepted), by trying every choice of one enrolled picture for each of the
    people"""
    named, rejected, accepted = {}, {}, {}
    for choice in itertools.product(*(np.flatnonzero(labels == person) for person in people)):
        for picture in np.flatnonzero(np.isin(labels, people)):
            own = choice[list(people).index(labels[picture])]
            if own != picture:
                apart, others = (
                    distances[picture, own],
                    [distances[picture, other] for other in choice if other != own],
                )
                key = (picture, own)
                named.setdefault(picture, {}).setdefault(key, []).append(
                    apart <= threshold and all(d > apart for d in others)
                )
                rejected.setdefault(picture, {}).setdefault(key, []).append(
                    apart > threshold and all(d > threshold for d in others)
                )
        for picture in strangers:
            accepted.setdefault(picture, []).append(
                any(distances[picture, other] <= threshold for other in choice)
            )

    def mean(found):
        return np.mean(
            [
                np.mean([np.mean(tried) for tried in of_picture.values()])
                for of_picture in found.values()
            ]
        )

    return mean(named), mean(rejected), [np.mean(tried) for tried in accepted.values()]


@pytest.mark.parametrize("seed", range(6))
def test_one_shot_is_the_average_over_every_choice(seed):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(4), [3, 1, 2, 4]))
    points = rng.standard_normal((10, 2)) + labels[:, None]
    distances = np.linalg.norm(points[:, None] - points, axis=2).round(1)  # with ties
    named, _, _ = every_choice(distances, labels, range(4), np.inf)
    assert one_shot(distances, labels).mean() == pytest.approx(named)


@pytest.mark.parametrize("seed", range(6))
def test_strangers_are_the_average_over_every_choice_too(seed):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(5), [3, 2, 2, 1, 2]))
    points = rng.standard_normal((10, 2)) + labels[:, None]
    distances = np.linalg.norm(points[:, None] - points, axis=2).round(1)
    strangers = np.flatnonzero(labels >= 3)
    rates = open_set(distances, labels, labels < 3, labels >= 3, 1.1)
    named, rejected, accepted = every_choice(distances, labels, range(3), 1.1, strangers)
    assert rates[0].mean() == pytest.approx(named) and rates[1].mean() == pytest.approx(rejected)
    assert sorted(rates[2]) == pytest.approx(sorted(accepted))


def test_pairs_make_a_square():
    points = np.random.default_rng(0).standard_normal((5, 3))
    distances, _ = pair_distances(points, np.zeros(5))
    np.testing.assert_allclose(
        square_of_pairs(distances, 5), np.linalg.norm(points[:, None] - points, axis=2), atol=1e-15
    )


def test_a_nan_is_neither_near_nor_far():
    """argmin takes a NaN for the least, and a comparison with it is False: both would name the
    wrong one."""
    known, bad = (
        np.array([[0.0, 0.0], [1.0, 1.0], [5.0, 5.0]]),
        np.array([[0.0, 0.0], [np.nan, 1.0], [5.0, 5.0]]),
    )
    labels, everything = np.array([0, 0, 1]), np.ones(3, bool)
    distances, same = pair_distances(bad, labels)
    square = square_of_pairs(distances, 3)
    for ask in (
        lambda: nearest_neighbours(known, bad),
        lambda: nearest_neighbours(bad, known),
        lambda: error_rates(distances, same),
        lambda: one_shot(square, labels),
        lambda: open_set(square, labels, everything, ~everything, 1.0),
    ):
        with pytest.raises(
            NonFiniteError, match="a distance is NaN; wanted points of finite numbers"
        ):
            ask()


def test_neighbours_of_float16_have_squares_beyond_it():
    known = np.array([[0.0] * 4, [300.0] * 4, [400.0] * 4], np.float16)
    assert nearest_neighbours(known, known).tolist() == [0, 1, 2]
