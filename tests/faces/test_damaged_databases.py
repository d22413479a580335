"""Files that are not databases of faces, belong to another model, or are damaged."""

import random

import pytest

from minidl.errors import FileError, MinidlError
from minidl.faces.database import Database
from tests.faces.fake import change, embedding

ANN = embedding(0, 0)


def test_a_database_of_another_model_is_refused(database, path):
    with pytest.raises(
        FileError,
        match=r"holds embeddings of another model \(model; this one is other\).*"
        "enroll the pictures anew",
    ):
        Database(path, "other")
    with pytest.raises(FileError, match="another model"):
        Database(path, "other", create=True)
    assert Database(path, None).people() == []


LATER = "format 2, of a later minidl; this one reads format 1: update minidl"
REFUSED = {
    "PRAGMA user_version = 2": LATER,
    "PRAGMA application_id = 7": "the database of another program",
    "DROP TABLE about": "damaged: tables are missing",
    "DELETE FROM about": "damaged: it does not say of which model it is",
    "UPDATE about SET told = x'ff'": "another model",
}


@pytest.mark.parametrize(("statement", "words"), REFUSED.items())
def test_another_program_version_or_schema_is_refused(database, path, statement, words):
    change(path, statement)
    for create in (False, True):
        with pytest.raises(FileError, match=words):
            Database(path, "model", create=create)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE embedding SET numbers = x'00'",
        "UPDATE embedding SET numbers = 'words'",
        "UPDATE embedding SET numbers = 5",
        "UPDATE embedding SET numbers = x'0000c07f'",
        "INSERT INTO embedding SELECT 9, 1, x'00000000', '', 'e', '', NULL",
        "UPDATE embedding SET numbers = zeroblob(256)",
        "UPDATE embedding SET numbers = CAST(zeroblob(508) || x'0000c07f' AS BLOB)",
    ],
)
def test_damaged_embeddings_are_refused(database, path, statement):
    database.enroll("Ann", ANN)
    change(path, statement)
    reasons = "embeddings with NaN or of another length|values of unexpected types or lengths"
    with pytest.raises(FileError, match=f"damaged: it holds ({reasons})"):
        database.embeddings()


def test_columns_of_other_types_are_refused(database, path):
    """SQLite stores any type in any column."""
    uses = {
        "UPDATE person SET name = x'ff'": [
            database.people,
            database.embeddings,
            lambda: list(database.pictures()),
            lambda: database.remove("Bob"),
            lambda: database.enroll("Ann", ANN),
        ],
        "UPDATE embedding SET enrolled = x'ff'": [database.people],
        "UPDATE embedding SET picture = 5": [lambda: list(database.pictures())],
        "UPDATE embedding SET origin = x'ff'": [lambda: list(database.pictures())],
        "UPDATE calibration SET stored = x'ff'": [database.calibration],
    }
    database.enroll("Ann", ANN, picture=b"a picture")
    database.calibrate(0.5, {"rule": "r"})
    undamaged = path.read_bytes()
    for statement, affected in uses.items():
        path.write_bytes(undamaged)
        change(path, statement)
        for use in affected:
            with pytest.raises(
                FileError, match="damaged: it holds values of unexpected types or lengths"
            ):
                use()


def test_other_files_are_refused(tmp_path):
    (tmp_path / "words.txt").write_text("no database " * 100)
    (tmp_path / "empty.db").touch()
    change(tmp_path / "other.db", "CREATE TABLE songs (title)")
    to_read = {
        "words.txt": "is no database of faces",
        "empty.db": "is empty",
        "other.db": "another program",
        "missing.db": "there is no such database of faces",
        ".": "not a file",
    }
    for name, words in to_read.items():
        with pytest.raises(FileError, match=words):
            Database(tmp_path / name, "model")
    to_create = {
        "words.txt": "is no database of faces",
        "other.db": "another program",
        ".": "is a folder",
        "nowhere/new.db": "there is no folder",
    }
    for name, words in to_create.items():
        with pytest.raises(FileError, match=words):
            Database(tmp_path / name, "model", create=True)
    assert not (tmp_path / "missing.db").exists()
    assert (tmp_path / "words.txt").read_text() == "no database " * 100
    # A kill during the first enrolment leaves an empty file.
    Database(tmp_path / "empty.db", "model", create=True).enroll("Ann", ANN)


def test_random_damage_is_harmless_or_reported_in_one_sentence(path):
    """Bytes are changed and lost at random. Each operation returns or raises a FileError."""
    database = Database(path, "model", create=True)
    for number in range(40):
        database.enroll(
            f"person {number}", embedding(number, 0), origin="a.png", picture=b"x" * 500
        )
    database.calibrate(0.5, {"rule": "r"})
    undamaged, refused, rng = path.read_bytes(), 0, random.Random(0)
    uses = (
        lambda: Database(path, "model").embeddings(),
        lambda: Database(path, "model").people(),
        lambda: list(Database(path, "model").pictures()),
        lambda: Database(path, "model").calibration(),
        lambda: Database(path, "model", create=True).enroll("Ann", ANN),
        lambda: Database(path, "model").remove("person 3"),
    )
    for _ in range(150):
        damaged = bytearray(undamaged)
        for _ in range(rng.choice([1, 10, 1000])):
            damaged[rng.randrange(rng.choice([100, 4096, len(damaged)]))] = rng.randrange(256)
        path.write_bytes(damaged[: rng.choice([len(damaged), rng.randrange(1, len(damaged))])])
        for use in uses:
            try:
                use()
            except MinidlError as error:
                refused += 1
                assert "\n" not in str(error)
        for companion in path.parent.glob("people.db-*"):
            companion.unlink()
    assert 100 < refused < 900
