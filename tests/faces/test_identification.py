"""Identification: the nearest known person, and strangers."""

import numpy as np
import pytest

from minidl.faces.database import Database
from minidl.faces.identification import THRESHOLD, Gallery, Match, between
from tests.faces.fake import embedding


def test_the_nearest_person_is_that_of_an_exhaustive_search():
    rng = np.random.default_rng(0)
    known, faces = rng.standard_normal((2, 60, 128)).astype(np.float32)
    names = [f"person {number // 3}" for number in range(60)]
    for face, match in zip(faces, Gallery(names, known, 15.5).identify(faces), strict=True):
        distances = [np.linalg.norm(face.astype(float) - other) for other in known]
        assert match.nearest == names[int(np.argmin(distances))]
        assert match.distance == pytest.approx(min(distances), rel=1e-12)
        assert match.known == (min(distances) <= 15.5)
        assert match.name == (match.nearest if match.known else None)


def test_a_distance_equal_to_the_threshold_is_accepted_and_the_threshold_may_be_0():
    [match] = Gallery(["ann"], np.array([[0.0, 0.0]]), 5.0).identify([[3.0, 4.0]])
    assert match == Match("ann", 5.0, True)
    gallery = Gallery(["ann", "bob"], np.stack([embedding(0, 0), embedding(1, 0)]), 0.0)
    matches = gallery.identify([embedding(1, 0), embedding(1, 1)])
    assert [match.name for match in matches] == ["bob", None]


def test_a_second_person_who_is_nearly_as_near_is_named():
    """A second person is close if the difference of the distances is less than 1/8 of the
    threshold."""
    people = np.array([[0.0], [0.2], [9.0], [9.0 + 1.9], [20.0], [21.0]])
    gallery = Gallery(["ann", "ann", "ann", "bob", "cat", "cat"], people, 4.0)
    matches = gallery.identify(np.array([[0.1], [9.69], [9.71], [15.5], [30.0]]))
    assert [match.close for match in matches] == [False, False, True, False, False]
    assert [match.second for match in matches] == ["bob", "bob", "bob", "bob", "bob"]
    assert [match.second_distance for match in matches] == pytest.approx(
        [10.8, 1.21, 1.19, 4.6, 19.1]
    )
    [match] = Gallery(["ann", "ann"], people[:2], 4.0).identify(people[:1])
    assert match == Match("ann", 0.0, True, None, None, False)


def test_an_empty_gallery_and_no_faces():
    matches = Gallery([], np.empty((0, 0)), 1.0).identify(np.ones((2, 128)))
    assert matches == [Match(None, None, False)] * 2
    assert Gallery(["ann"], np.ones((1, 128)), 1.0).identify([]) == []


def test_the_threshold_is_the_given_one_or_that_of_the_database_or_the_shipped_one(tmp_path):
    database = Database(tmp_path / "people.db", "model", create=True)
    database.enroll("ann", embedding(0, 0))
    assert Gallery.of(database).threshold == THRESHOLD
    database.calibrate(0.0, {})
    assert Gallery.of(database).threshold == 0.0
    assert Gallery.of(database, 0.25).threshold == 0.25
    assert Gallery.of(database, 0.0).threshold == 0.0


def test_the_distance_has_no_cancellation_error():
    [match] = Gallery(["ann"], embedding(0, 0)[None] * 1000, 1.0).identify([embedding(0, 0) * 1000])
    assert match.distance == 0
    assert between(np.float32([1e4, 1]), np.float32([1e4, 2])) == 1


def test_100_000_known_people():
    known = np.random.default_rng(0).standard_normal((100_000, 128), np.float32)
    gallery = Gallery([str(number) for number in range(100_000)], known, 1.0)
    sample = slice(0, None, 10_000)
    matches = gallery.identify(known[sample] + np.float32(1e-3))
    assert [match.name for match in matches] == gallery.names[sample]
