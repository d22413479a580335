"""Thresholds, by hand and against trying them all."""

import numpy as np
import pytest

from minidl.errors import ArgumentError
from minidl.faces import calibration
from minidl.faces.calibration import calibrate

# On a line: pairs of one person at 1, 2, 3 (twice) and different ones at 4 (0, 4), 6, 7, ... and, with cat, nearer
POINTS = np.array([[0.0], [1.0], [3.0], [10.0], [12.0], [12.5]])
LABELS = np.array(["ann", "ann", "ann", "bob", "bob", "cat"])


def test_by_hand():
    found = calibrate(POINTS, LABELS)  # same: 1 2 2 3; different: 0.5 2.5 and 7 to 12.5
    assert (found.people, found.faces, found.same_pairs, found.different_pairs) == (3, 6, 4, 11)
    assert found.threshold == pytest.approx(2.75) and found.rule == "both errors as common"
    assert (found.false_accept, found.false_reject) == (pytest.approx(2 / 11), pytest.approx(1 / 4))
    assert found.equal_error_rate == pytest.approx((2 / 11 + 1 / 4) / 2)


def test_at_a_wanted_share_of_false_accepts():
    found = calibrate(POINTS, LABELS, false_accept=0.1)
    assert (
        found.threshold == 2.25 and found.false_accept == pytest.approx(1 / 11) and found.false_reject == pytest.approx(1 / 4)
    )
    assert found.rule == "at most 0.1 of different pairs accepted"
    strict = calibrate(POINTS, LABELS, false_accept=0)
    assert (strict.threshold, strict.false_accept, strict.false_reject) == (0.25, 0, 1)


@pytest.mark.parametrize(("threshold", "accept", "reject"), [(0.0, 0, 1), (2.0, 1 / 11, 1 / 4), (100.0, 1, 0)])
def test_of_a_given_threshold_the_errors_are_told(threshold, accept, reject):
    found = calibrate(POINTS, LABELS, threshold=threshold)
    assert found[:4] == (threshold, "given", pytest.approx(accept), pytest.approx(reject))


def test_people_who_are_far_apart_are_told_apart_with_room_on_both_sides():
    found = calibrate(np.array([[0.0], [1.0], [9.0], [10.0]]), [0, 0, 1, 1])
    assert found.threshold == 4.5 and found.equal_error_rate == found.false_accept == found.false_reject == 0


def test_of_many_faces_some_people_are_drawn_each_with_all_faces(monkeypatch):
    monkeypatch.setattr(calibration, "MOST", 12)
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(50), 3)
    found = calibrate(rng.standard_normal((150, 4)), labels)
    assert (found.people, found.faces, found.same_pairs, found.different_pairs) == (4, 12, 12, 54)
    assert found == calibrate(np.random.default_rng(0).standard_normal((150, 4)), labels)


@pytest.mark.parametrize(
    ("faces", "drawn"),
    [([1] * 40 + [2], {"people": 11, "same_pairs": 1}), ([30, 30], {"people": 2, "same_pairs": 2 * 15}),
     ([30, 1], {"people": 2, "same_pairs": 15, "faces": 7})],
)  # fmt: skip
def test_a_draw_has_same_pairs_and_different_ones(faces, drawn, monkeypatch):
    """Where few people have two faces, and where one has nearly all"""
    monkeypatch.setattr(calibration, "MOST", 12)
    labels = np.repeat(np.arange(len(faces)), faces)
    found = calibrate(np.random.default_rng(0).standard_normal((len(labels), 4)), labels)
    assert found._asdict().items() >= {"faces": 12, **drawn}.items()


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2], [0], []])
def test_too_few_people_or_pictures_are_said(labels):
    with pytest.raises(ArgumentError, match="wanted at least two people, one of them with two pictures"):
        calibrate(np.ones((len(labels), 2)), labels)


@pytest.mark.parametrize("options", [{"threshold": -1.0}, {"threshold": float("nan")}, {"false_accept": 2}])
def test_what_is_no_threshold_or_share_is_refused(options):
    with pytest.raises(ArgumentError, match="wanted"):
        calibrate(POINTS, LABELS, **options)
