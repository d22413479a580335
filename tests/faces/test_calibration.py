"""Thresholds and their error rates, by hand."""

import math

import numpy as np
import pytest

from minidl.errors import ArgumentError
from minidl.faces import THRESHOLD, FaceReader, calibration, main_face, read_faces
from minidl.faces.calibration import calibrate

# On a line. Distances of pairs of one person: 1, 2, 2, 3; of different people: 0.5, 2.5, and 7 to
# 12.5
POINTS = np.array([[0.0], [1.0], [3.0], [10.0], [12.0], [12.5]])
LABELS = np.array(["ann", "ann", "ann", "bob", "bob", "cat"])


def test_by_hand():
    result = calibrate(POINTS, LABELS)
    assert (result.people, result.faces, result.same_pairs, result.different_pairs) == (3, 6, 4, 11)
    assert result.threshold == pytest.approx(2.75) and result.rule == "equal error rates"
    assert (result.false_accept, result.false_reject) == (
        pytest.approx(2 / 11),
        pytest.approx(1 / 4),
    )
    assert result.equal_error_rate == pytest.approx((2 / 11 + 1 / 4) / 2)


def test_a_given_rate_of_false_accepts():
    result = calibrate(POINTS, LABELS, false_accept=0.1)
    assert result.threshold == 2.25
    assert (result.false_accept, result.false_reject) == pytest.approx((1 / 11, 1 / 4))
    assert result.rule == "at most 0.1 of different pairs accepted"
    strict = calibrate(POINTS, LABELS, false_accept=0)
    assert (strict.threshold, strict.false_accept, strict.false_reject) == (0.25, 0, 1)


@pytest.mark.parametrize(
    ("threshold", "accept", "reject"), [(0.0, 0, 1), (2.0, 1 / 11, 1 / 4), (100.0, 1, 0)]
)
def test_the_errors_of_a_given_threshold(threshold, accept, reject):
    result = calibrate(POINTS, LABELS, threshold=threshold)
    assert result[:4] == (threshold, "given", pytest.approx(accept), pytest.approx(reject))


def test_the_threshold_between_separate_people_is_in_the_middle_of_the_gap():
    result = calibrate(np.array([[0.0], [1.0], [9.0], [10.0]]), [0, 0, 1, 1])
    assert result.threshold == 4.5
    assert result.equal_error_rate == result.false_accept == result.false_reject == 0


def test_a_sample_of_many_faces_has_all_faces_of_each_drawn_person(monkeypatch):
    monkeypatch.setattr(calibration, "MOST", 12)
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(50), 3)
    result = calibrate(rng.standard_normal((150, 4)), labels)
    assert (result.people, result.faces, result.same_pairs, result.different_pairs) == (
        4,
        12,
        12,
        54,
    )
    assert result == calibrate(np.random.default_rng(0).standard_normal((150, 4)), labels)


@pytest.mark.parametrize(
    ("faces", "drawn"),
    [
        ([1] * 40 + [2], {"people": 11, "same_pairs": 1}),
        ([30, 30], {"people": 2, "same_pairs": 2 * 15}),
        ([30, 1], {"people": 2, "same_pairs": 15, "faces": 7}),
    ],
)
def test_a_sample_has_pairs_of_one_person_and_of_different_people(faces, drawn, monkeypatch):
    """This includes the cases that one person has two faces, and that one has nearly all faces."""
    monkeypatch.setattr(calibration, "MOST", 12)
    labels = np.repeat(np.arange(len(faces)), faces)
    result = calibrate(np.random.default_rng(0).standard_normal((len(labels), 4)), labels)
    assert result._asdict().items() >= {"faces": 12, **drawn}.items()


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2], [0], []])
def test_too_few_people_or_pictures_are_refused(labels):
    with pytest.raises(
        ArgumentError, match="wanted at least two people, one of them with two pictures"
    ):
        calibrate(np.ones((len(labels), 2)), labels)


@pytest.mark.parametrize(
    "options", [{"threshold": -1.0}, {"threshold": float("nan")}, {"false_accept": 2}]
)
def test_an_invalid_threshold_or_rate_is_refused(options):
    with pytest.raises(ArgumentError, match="wanted"):
        calibrate(POINTS, LABELS, **options)


# ---- the shipped threshold, and what a few people prove


def made(people, looks, spread=0.2, apart=0.7, odd=()):
    """Return random (embeddings, labels). The distance is about 1.4 `spread` within a person, and
    1.4 `apart` between people. The embeddings of a person in `odd` differ more."""
    rng, labels = np.random.default_rng(0), np.repeat(np.arange(people), looks)
    directions = rng.standard_normal((people + len(labels), 128)) / 128**0.5
    spreads = np.where(np.isin(labels, odd), 0.5, spread)[:, None]
    return apart * directions[labels] + spreads * directions[people:], labels


def test_the_shipped_threshold_is_kept_if_nothing_contradicts_it():
    """These six people have no errors at thresholds from 0.33 to 0.9. The middle of that interval
    would accept strangers."""
    result = calibrate(*made(6, 10))
    assert result.threshold == THRESHOLD and result.rule == calibration.SHIPPED
    assert result.false_accept == result.false_reject == result.strangers == 0
    assert result.strangers_at_most == pytest.approx(1 - 0.05 ** (1 / 6))
    bound = 1 - 0.05 ** (1 / 60)
    assert calibrate(*made(60, 3)).strangers_at_most == pytest.approx(bound) and bound < 3 / 60


def test_one_odd_person_of_six_with_45_pairs_is_no_proof():
    result = calibrate(*made(6, 10, odd=[3]))
    assert result.false_reject == pytest.approx(1 / 6) and result.threshold == THRESHOLD


def test_rejects_of_many_people_increase_the_threshold():
    result = calibrate(*made(6, 10, odd=range(6)))
    assert result.threshold > 0.6 and result.rule == "equal error rates"


def test_similar_people_decrease_the_threshold():
    result = calibrate(*made(8, 4, spread=0.05, apart=0.2))
    assert result.threshold < 0.3 and result.rule == "equal error rates" and result.strangers == 0


def test_two_similar_people_among_many_do_not_increase_the_threshold():
    embeddings, labels = made(40, 3)
    embeddings[labels == 1] = embeddings[labels == 0] + 0.01
    result = calibrate(embeddings, labels)
    assert result.threshold <= THRESHOLD
    strangers = 2 / 40 if result.threshold == THRESHOLD else 0
    assert result.strangers == pytest.approx(strangers)


def test_strangers_by_hand():
    """At the threshold 2.6, one of two pictures of person 0 and the one of person 2 are accepted as
    each other."""
    points, labels = np.array([[0.0], [10.0], [20.0], [21.0], [12.5]]), np.array([0, 0, 1, 1, 2])
    result = calibrate(points, labels, threshold=2.6)
    assert result.strangers == pytest.approx((1 / 2 + 0 + 1) / 3)
    assert result.strangers_at_most == calibration.at_most(2, 3)
    assert calibrate(points, labels, threshold=0.0).strangers == 0


@pytest.mark.parametrize(
    ("errors", "trials"),
    [(0, 1), (0, 6), (1, 6), (3, 20), (19, 20), (20, 20), (0, 4000), (7, 4000)],
)
def test_bounds_are_those_of_clopper_and_pearson(errors, trials):
    """At the bound, this number of errors or fewer has a probability of 5 %."""
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
    result = calibrate(np.stack(faces), labels)
    assert result.threshold == THRESHOLD and result.rule == calibration.SHIPPED
    assert result.strangers_at_most > 0.39
