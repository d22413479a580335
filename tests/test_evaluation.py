"""Neighbours and error rates, by hand and by brute force."""

import numpy as np
import pytest

from minidl import evaluation
from minidl.errors import ArgumentError, ShapeError
from minidl.evaluation import error_rates, nearest_neighbours


def test_neighbours_are_those_of_a_brute_force_search(monkeypatch):
    monkeypatch.setattr(evaluation, "STRIP", 70)  # so that the points come in parts
    rng = np.random.default_rng(0)
    points, known = rng.standard_normal((25, 3)), rng.standard_normal((30, 3))
    brute = [min(range(30), key=lambda j: np.linalg.norm(p - known[j])) for p in points]
    assert nearest_neighbours(points, known).tolist() == brute


def test_of_equals_the_first_is_taken():
    assert nearest_neighbours(np.zeros((1, 2)), np.array([[1.0, 0], [0, 1], [1, 0]])).tolist() == [0]


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
    with pytest.raises(ArgumentError, match="of each at least one"):
        error_rates([1.0, 2.0], same)
