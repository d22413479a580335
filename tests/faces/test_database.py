"""The contents of a database: people, embeddings, pictures and a calibration."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from minidl.errors import ArgumentError, FileError
from minidl.faces.database import Database, proper_name
from tests.faces.fake import embedding

ANN, BOB = embedding(0, 0), embedding(1, 0)


def test_enrolled_embeddings_are_returned(database, path):
    assert database.enroll("Ann", ANN) == [] and database.enroll("Bob", BOB) == []
    assert database.enroll("Ann", embedding(0, 1)) == []
    names, embeddings = Database(path, "model").embeddings()
    assert names == ["Ann", "Bob", "Ann"] and embeddings.dtype == np.float32
    np.testing.assert_array_equal(embeddings, [ANN, BOB, embedding(0, 1)])
    assert [person[:2] for person in database.people()] == [("Ann", 2), ("Bob", 1)]
    assert list(path.parent.iterdir()) == [path]


def test_a_new_database_is_empty(database):
    names, embeddings = database.embeddings()
    assert names == [] and embeddings.shape == (0, 128)
    assert database.people() == [] and database.calibration() is None


def test_the_same_picture_is_reported_and_stored_once(database):
    assert database.enroll("Ann", ANN, digest="d") == []
    assert database.enroll("Ann", ANN, digest="d") == ["Ann"]
    assert database.enroll("Bob", ANN, digest="d") == ["Ann"]
    assert database.enroll("Ann", ANN, digest="d", picture=b"a picture") == ["Ann", "Bob"]
    assert [person[:2] for person in database.people()] == [("Ann", 1), ("Bob", 1)]


def test_without_a_digest_the_embedding_identifies_the_picture(database):
    database.enroll("Ann", ANN)
    assert database.enroll("Ann", ANN.astype(float)) == ["Ann"]


def test_a_picture_is_stored_only_if_it_is_given(database):
    database.enroll("Ann", ANN, origin="a.png")
    assert list(database.pictures()) == []
    database.enroll("Bob", BOB, origin="b.png", picture=b"a picture of Bob")
    assert list(database.pictures()) == [("Bob", "b.png", b"a picture of Bob")]


def test_a_missing_picture_is_added_when_it_is_given_later(database):
    database.enroll("Ann", ANN, digest="d", origin="a.png")
    database.enroll("Bob", ANN, digest="d", origin="b.png")
    assert database.enroll("Ann", ANN, digest="d", picture=b"a picture") == ["Ann", "Bob"]
    database.enroll("Ann", ANN, digest="d")
    assert list(database.pictures()) == [("Ann", "a.png", b"a picture")]
    assert len(database.embeddings()[0]) == 2


def test_a_removed_person_is_erased_from_the_file(database, path):
    database.enroll("Ann", ANN)
    database.enroll("Ann", embedding(0, 1), picture=b"a picture of Ann" * 1000)
    database.enroll("Bob", BOB)
    assert b"a picture of Ann" in path.read_bytes() and ANN.tobytes() in path.read_bytes()
    assert database.remove("Ann") == 2
    assert [person.name for person in database.people()] == ["Bob"]
    assert b"a picture of Ann" not in path.read_bytes() and ANN.tobytes() not in path.read_bytes()


def test_an_unknown_person_cannot_be_removed(database):
    database.enroll("Catherine", ANN)
    with pytest.raises(
        ArgumentError, match=r"nobody in .* is called 'Katherine'; did you mean 'Catherine'\?"
    ):
        database.remove("Katherine")
    with pytest.raises(ArgumentError, match="`minidl faces list` shows all names"):
        database.remove("\x1b[31m")


NAMES = [
    "Ann Lee",
    "  Ann  ",
    "Zoë",
    "José\u200dé",
    "李小龍",
    "محمد",
    "می\u200cخواهم",
    "O'Neil; DROP TABLE person",
    "a" * 200,
    "0",
    "👩‍🚀",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_in_all_scripts(database, name):
    database.enroll(name, ANN)
    assert [person.name for person in database.people()] == [name.strip()]
    assert database.remove(name) == 1


def test_composed_and_decomposed_accents_are_equal(database):
    database.enroll("Zoe\u0308", ANN)
    database.enroll("Zo\u00eb", BOB)
    assert [person[:2] for person in database.people()] == [("Zoë", 2)]
    assert database.remove("Zoe\u0308") == 2


REFUSED_NAMES = {
    "": "the name is empty",
    "   ": "the name is empty",
    "a" * 201: "has 201 characters; wanted at most 200",
    "a\nb": "cannot be shown",
    "\x1b[31mred": "cannot be shown",
    "\udc80": "cannot be shown",
    "a\0b": "cannot be shown",
    "Unknown": "nobody can be called 'Unknown'",
    "unk\u200dnown": "which is the word for strangers",
    "\u3164unknown": "which is the word for strangers",
    "\u200d": "all of it is invisible",
    "\u3164": "all of it is invisible",
    "\u2800\u0301": "all of it is invisible",
}


@pytest.mark.parametrize(("name", "words"), REFUSED_NAMES.items())
def test_empty_invisible_and_reserved_names_are_refused(name, words):
    with pytest.raises(ArgumentError, match=words):
        proper_name(name)


@pytest.mark.parametrize(
    "bad", [np.full(128, np.nan), np.ones((2, 64)), np.ones(64), np.ones(0), np.full(128, 1e300)]
)
def test_invalid_embeddings_are_refused(database, bad):
    with (
        pytest.raises(ArgumentError, match=r"wanted \(128,\), of finite numbers"),
        np.errstate(over="ignore"),
    ):
        database.enroll("Ann", bad)
    assert database.people() == []


def test_the_last_calibration_is_returned_with_its_evidence(database, path):
    database.calibrate(0.5, {"rule": "first"})
    database.calibrate(0.0, {"rule": "second", "pairs": 3})
    threshold, evidence = Database(path, "model").calibration()
    assert threshold == 0.0 and evidence["rule"] == "second"
    assert evidence["pairs"] == 3 and evidence["stored"]


@pytest.mark.parametrize("threshold", [-1, float("nan"), float("inf")])
def test_a_threshold_must_be_a_distance(database, threshold):
    with pytest.raises(ArgumentError, match="wanted a distance"):
        database.calibrate(threshold, {})


DAMAGED_CALIBRATIONS = [
    (-1.0, "{}"),
    ("far", "{}"),
    (0.5, "["),
    (0.5, "3"),
    (0.5, b"\xff"),
    (0.5, "[" * 100_000),
    (0.5, '{"rule": ["nested"]}'),
]


@pytest.mark.parametrize("row", DAMAGED_CALIBRATIONS)
def test_a_damaged_calibration_is_reported(database, path, row):
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO calibration (threshold, evidence) VALUES (?, ?)", row)
    connection.close()
    with pytest.raises(FileError, match="damaged"):
        database.calibration()


@pytest.mark.parametrize(
    "name", ["100%.db", "what?.db", "a#b.db", "two words.db", "ü.db", "a?mode=memory.db"]
)
def test_names_of_files_with_special_characters(tmp_path, name):
    Database(tmp_path / name, "model", create=True).enroll("Ann", ANN)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert Database(tmp_path / name, "model").embeddings()[0] == ["Ann"]


def test_a_relative_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Database("people.db", "model", create=True).enroll("Ann", ANN)
    assert Path("people.db").is_file()
