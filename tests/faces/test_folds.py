"""The protocol of LFW's View 2, by hand."""

import numpy as np
import pytest

from minidl.errors import ArgumentError, NonFiniteError, ShapeError
from minidl.faces.folds import evaluate_folds


def test_by_hand():
    """On the first two folds a threshold of 3.5 is right for all pairs, on the others one between
    2 and 3; each is measured on the fold that is left out."""
    distances = np.array([1, 3, 4, 5, 2, 3, 4, 6, 1, 2, 3, 9.0])
    same = np.array([1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0], bool)
    folds = np.repeat([0, 1, 2], 4)
    result = evaluate_folds(distances, same, folds, 5.0)
    # Without the last fold, 3.5 has no error. Without the first or the second, the thresholds from
    # 2 to 3 and from 3 to 4 have one error each, and the first counts.
    assert result.thresholds == (2.5, 2.5, 3.5)
    assert result.accuracies == (0.75, 0.75, 0.75)
    assert result.accuracy == 0.75 and result.standard_error == 0
    assert (result.pairs, result.same_pairs, result.different_pairs) == (12, 6, 6)
    assert result.accuracy_at_threshold == pytest.approx(8 / 12)
    assert (result.false_accept, result.false_reject) == pytest.approx((4 / 6, 0))


def test_the_standard_error_is_that_of_the_mean():
    rng = np.random.default_rng(0)
    same = np.tile([True, False], 300)
    distances = np.where(same, 0.3, 0.6) + 0.15 * rng.standard_normal(600)
    folds = np.repeat(np.arange(10), 60)
    result = evaluate_folds(distances, same, folds, 0.45)
    assert len(result.accuracies) == 10 and 0.7 < result.accuracy < 0.95
    assert result.accuracy == pytest.approx(np.mean(result.accuracies))
    deviations = np.array(result.accuracies) - result.accuracy
    assert result.standard_error == pytest.approx((deviations @ deviations / 9 / 10) ** 0.5)
    for fold, threshold in enumerate(result.thresholds):
        others = folds != fold
        accuracy = ((distances[others] <= threshold) == same[others]).mean()
        best = max(
            ((distances[others] <= other) == same[others]).mean() for other in distances[others]
        )
        assert accuracy == best


def test_a_pair_without_a_face_counts_as_two_people():
    distances = np.array([1.0, np.inf, 1.0, np.inf, 1.0, np.inf, np.inf, np.inf])
    same = np.array([True, False] * 3 + [True, False])
    result = evaluate_folds(distances, same, np.repeat([0, 1], 4), 2.0)
    assert result.accuracies == (1.0, 0.75) and result.false_reject == 0.25
    assert np.isfinite(result.thresholds).all()


def test_all_pairs_may_be_taken_for_different():
    """This is the most accurate choice if all same pairs are farther than all different ones."""
    distances = np.array([1.0, 2.0, 1.5, 2.5])
    same = np.array([False, True, False, True])
    result = evaluate_folds(distances, same, np.array([0, 0, 1, 1]), 1.0)
    assert max(result.thresholds) < 1.5 and result.accuracies == (0.5, 0.5)


def test_invalid_pairs_are_refused():
    distances, same, folds = np.arange(4.0), np.array([True, False] * 2), np.array([0, 0, 1, 1])
    with pytest.raises(ShapeError, match="in at least two folds"):
        evaluate_folds(distances, same, folds * 0, 1.0)
    with pytest.raises(ShapeError, match="wanted"):
        evaluate_folds(distances[:3], same, folds, 1.0)
    with pytest.raises(NonFiniteError):
        evaluate_folds(distances * np.nan, same, folds, 1.0)
    with pytest.raises(ArgumentError, match="at least one pair"):
        evaluate_folds(distances, same, np.array([0, 1, 0, 1]), 1.0)
