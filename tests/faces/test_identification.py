"""Names for faces: the nearest of all, and strangers."""

import numpy as np
import pytest

from minidl.faces.database import Database
from minidl.faces.identification import THRESHOLD, Gallery, Match, between
from tests.faces.fake import embedding


def test_each_face_gets_the_nearest_name_by_brute_force():
    rng = np.random.default_rng(0)
    known, faces = rng.standard_normal((2, 60, 128)).astype(np.float32)
    names = [f"person {number // 3}" for number in range(60)]
    for face, match in zip(faces, Gallery(names, known, 15.5).identify(faces), strict=True):
        distances = [np.linalg.norm(face.astype(float) - other) for other in known]
        assert match.nearest == names[int(np.argmin(distances))]
        assert match.distance == pytest.approx(min(distances), rel=1e-12)
        assert match.known == (min(distances) <= 15.5)
        assert match.name == (match.nearest if match.known else None)


def test_at_the_threshold_it_is_still_the_same_and_zero_is_a_threshold():
    [match] = Gallery(["ann"], np.array([[0.0, 0.0]]), 5.0).identify([[3.0, 4.0]])
    assert match == Match("ann", 5.0, True)
    gallery = Gallery(["ann", "bob"], np.stack([embedding(0, 0), embedding(1, 0)]), 0.0)
    assert [match.name for match in gallery.identify([embedding(1, 0), embedding(1, 1)])] == [
        "bob",
        None,
    ]


def test_nobody_and_nothing():
    assert (
        Gallery([], np.empty((0, 0)), 1.0).identify(np.ones((2, 128)))
        == [Match(None, None, False)] * 2
    )
    assert Gallery(["ann"], np.ones((1, 128)), 1.0).identify([]) == []


def test_the_threshold_is_the_one_given_or_the_database_s_or_the_shipped_one(tmp_path):
    database = Database(tmp_path / "people.db", "model", create=True)
    database.enroll("ann", embedding(0, 0))
    assert Gallery.of(database).threshold == THRESHOLD
    database.calibrate(0.0, {})
    assert Gallery.of(database).threshold == 0.0
    assert (
        Gallery.of(database, 0.25).threshold == 0.25 and Gallery.of(database, 0.0).threshold == 0.0
    )


def test_the_distance_is_exact_where_the_short_form_would_lose_it():
    [match] = Gallery(["ann"], embedding(0, 0)[None] * 1000, 1.0).identify([embedding(0, 0) * 1000])
    assert match.distance == 0
    assert between(np.float32([1e4, 1]), np.float32([1e4, 2])) == 1


def test_among_100_000_each_is_found_again():
    known = np.random.default_rng(0).standard_normal((100_000, 128), np.float32)
    some = slice(0, None, 10_000)
    matches = Gallery([str(n) for n in range(100_000)], known, 1.0).identify(
        known[some] + np.float32(1e-3)
    )
    assert [match.name for match in matches] == [str(number) for number in range(100_000)[some]]
