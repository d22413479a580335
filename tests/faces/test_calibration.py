"""Thresholds, by hand and against trying them all."""

import math

import numpy as np
import pytest

from minidl.errors import ArgumentError
from minidl.faces import THRESHOLD, FaceReader, calibration, main_face, read_faces
from minidl.faces.calibration import calibrate

# On a line: pairs of one person at 1, 2, 3 (twice) and different ones at 4 (0, 4), 6, 7, ... and,
# with cat, nearer
POINTS = np.array([[0.0], [1.0], [3.0], [10.0], [12.0], [12.5]])
LABELS = np.array(["ann", "ann", "ann", "bob", "bob", "cat"])


def test_by_hand():
    found = calibrate(POINTS, LABELS)  # same: 1 2 2 3; different: 0.5 2.5 and 7 to 12.5
    assert (found.people, found.faces, found.same_pairs, found.different_pairs) == (3, 6, 4, 11)
    assert found.threshold == pytest.approx(2.75) and found.rule == "equal error rates"
    assert (found.false_accept, found.false_reject) == (pytest.approx(2 / 11), pytest.approx(1 / 4))
    assert found.equal_error_rate == pytest.approx((2 / 11 + 1 / 4) / 2)


def test_at_a_wanted_share_of_false_accepts():
    found = calibrate(POINTS, LABELS, false_accept=0.1)
    assert (
        found.threshold == 2.25
        and found.false_accept == pytest.approx(1 / 11)
        and found.false_reject == pytest.approx(1 / 4)
    )
    assert found.rule == "at most 0.1 of different pairs accepted"
    strict = calibrate(POINTS, LABELS, false_accept=0)
    assert (strict.threshold, strict.false_accept, strict.false_reject) == (0.25, 0, 1)


@pytest.mark.parametrize(
    ("threshold", "accept", "reject"), [(0.0, 0, 1), (2.0, 1 / 11, 1 / 4), (100.0, 1, 0)]
)
def test_of_a_given_threshold_the_errors_are_told(threshold, accept, reject):
    found = calibrate(POINTS, LABELS, threshold=threshold)
    assert found[:4] == (threshold, "given", pytest.approx(accept), pytest.approx(reject))


def test_people_who_are_far_apart_are_told_apart_with_room_on_both_sides():
    found = calibrate(np.array([[0.0], [1.0], [9.0], [10.0]]), [0, 0, 1, 1])
    assert (
        found.threshold == 4.5
        and found.equal_error_rate == found.false_accept == found.false_reject == 0
    )


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
    with pytest.raises(
        ArgumentError, match="wanted at least two people, one of them with two pictures"
    ):
        calibrate(np.ones((len(labels), 2)), labels)


@pytest.mark.parametrize(
    "options", [{"threshold": -1.0}, {"threshold": float("nan")}, {"false_accept": 2}]
)
def test_what_is_no_threshold_or_share_is_refused(options):
    with pytest.raises(ArgumentError, match="wanted"):
        calibrate(POINTS, LABELS, **options)


# ---- the shipped threshold, and what few people prove
# ---------------------------------------------------------------


def made(people, looks, spread=0.2, apart=0.7, odd=()):
    """(embeddings, labels): looks of one person are about 1.4 `spread` apart, people 1.4 `apart`;
    those of odd people far"""
    rng, labels = np.random.default_rng(0), np.repeat(np.arange(people), looks)
    directions = rng.standard_normal((people + len(labels), 128)) / 128**0.5
    spreads = np.where(np.isin(labels, odd), 0.5, spread)[:, None]
    return apart * directions[labels] + spreads * directions[people:], labels


def test_the_shipped_threshold_stays_where_nothing_contradicts_it():
    """Six people without errors at thresholds from 0.33 to 0.9: the middle of these would accept
    strangers."""
    found = calibrate(*made(6, 10))
    assert found.threshold == THRESHOLD and found.rule == calibration.SHIPPED
    assert found.false_accept == found.false_reject == found.strangers == 0
    assert found.strangers_at_most == pytest.approx(1 - 0.05 ** (1 / 6))
    assert (
        calibrate(*made(60, 3)).strangers_at_most == pytest.approx(1 - 0.05 ** (1 / 60))
        and 1 - 0.05 ** (1 / 60) < 3 / 60
    )


def test_one_odd_person_of_six_is_no_proof_though_it_has_45_pairs():
    found = calibrate(*made(6, 10, odd=[3]))
    assert found.false_reject == pytest.approx(1 / 6) and found.threshold == THRESHOLD


def test_rejects_of_many_people_raise_it():
    found = calibrate(*made(6, 10, odd=range(6)))
    assert found.threshold > 0.6 and found.rule == "equal error rates"


def test_people_who_look_alike_lower_it():
    found = calibrate(*made(8, 4, spread=0.05, apart=0.2))
    assert found.threshold < 0.3 and found.rule == "equal error rates" and found.strangers == 0


def test_two_who_look_alike_among_many_are_no_reason_to_reject_more():
    embeddings, labels = made(40, 3)
    embeddings[labels == 1] = embeddings[labels == 0] + 0.01
    found = calibrate(embeddings, labels)
    assert found.threshold <= THRESHOLD and found.strangers == (
        pytest.approx(2 / 40) if found.threshold == THRESHOLD else 0
    )


def test_strangers_by_hand():
    """At 2.6 ann's picture at 10 is near one of cat's, and bob and ann are near no other person"""
    points, labels = np.array([[0.0], [10.0], [20.0], [21.0], [12.5]]), np.array([0, 0, 1, 1, 2])
    found = calibrate(points, labels, threshold=2.6)
    assert found.strangers == pytest.approx((1 / 2 + 0 + 1) / 3)
    assert found.strangers_at_most == calibration.at_most(2, 3)
    assert calibrate(points, labels, threshold=0.0).strangers == 0


@pytest.mark.parametrize(
    ("errors", "trials"),
    [(0, 1), (0, 6), (1, 6), (3, 20), (19, 20), (20, 20), (0, 4000), (7, 4000)],
)
def test_bounds_are_those_of_clopper_and_pearson(errors, trials):
    """At the bound, so few errors or fewer have a probability of 5 %; computed with exact fractions
    of counts."""
    bound = calibration.at_most(errors, trials)
    if errors == trials:
        assert bound == 1
    else:
        few = sum(
            math.comb(trials, i) * bound**i * (1 - bound) ** (trials - i) for i in range(errors + 1)
        )
        assert few == pytest.approx(0.05, rel=1e-6)
    assert calibration.at_least(trials - errors, trials) == pytest.approx(1 - bound)


@pytest.mark.thorough
def test_six_people_of_orl_keep_the_shipped_threshold(minidl_data):
    """The threshold of equal error rates of their pairs would be 0.5 or more."""
    reader, faces, labels = FaceReader(), [], []
    for person in (1, 7, 13, 19, 25, 31):
        for number in (1, 4, 7):
            picture = minidl_data / f"orl/orl_faces/s{person}/{number}.pgm"
            faces.append(main_face(read_faces(picture, reader)).embedding)
            labels.append(person)
    found = calibrate(np.stack(faces), labels)
    assert found.threshold == THRESHOLD and found.rule == calibration.SHIPPED
    assert found.strangers_at_most > 0.39
