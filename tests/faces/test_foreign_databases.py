"""Malicious database files are refused in one sentence, with little time and memory. New files are
private."""

import os
import sqlite3
import stat
import struct
import time

import numpy as np
import pytest

from minidl.cli import main
from minidl.errors import ArgumentError, FileError
from minidl.faces import sqlite_file
from minidl.faces.database import Database
from tests.faces.fake import change, embedding

ROW = (
    "x AS id, 1 AS person, zeroblob(512) AS numbers, 'o' AS origin, 'd' AS digest, "
    "'' AS enrolled, NULL AS picture"
)
ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "people.db"
    Database(path, "model", create=True).enroll("Ann", embedding(0, 0))
    return path


def uses(path):
    """Return every operation on an existing database."""
    return (
        lambda: Database(path, "model").embeddings(),
        lambda: Database(path, None).people(),
        lambda: list(Database(path, "model").pictures()),
        lambda: Database(path, "model").calibration(),
        lambda: Database(path, "model", create=True).enroll("Bob", embedding(1, 0)),
        lambda: Database(path, "model").remove("Ann"),
        lambda: Database(path, "model").calibrate(0.5, {}),
    )


def rebuilt(table, old, new):
    """Return the statements that create a table again with a changed definition."""
    statements = sqlite_file.TABLES.split(";\n")
    [definition] = [sql for sql in statements if sql.strip().startswith(f"CREATE TABLE {table} ")]
    assert old in definition
    return [f"DROP TABLE {table}", definition.replace(old, new)]


FOREIGN = {
    "an endless view for a table": [
        "DROP TABLE embedding",
        f"CREATE VIEW embedding AS {ENDLESS} SELECT {ROW} FROM c",
    ],
    "an endless view for `about`": [
        "DROP TABLE about",
        f"CREATE VIEW about AS {ENDLESS} SELECT x AS what, 1 AS told FROM c",
    ],
    "an additional view": ["CREATE VIEW more AS SELECT 1"],
    "a trigger": [
        "CREATE TRIGGER t AFTER INSERT ON person "
        f"BEGIN INSERT INTO about {ENDLESS} SELECT x, 'y' FROM c; END"
    ],
    "a trigger with the name of a table": [
        "CREATE TRIGGER person DELETE ON person BEGIN DELETE FROM about; END"
    ],
    "a virtual table": ["CREATE VIRTUAL TABLE names USING fts5(name)"],
    "an additional table": ["CREATE TABLE songs (title)"],
    "an additional column": ["ALTER TABLE person ADD COLUMN age"],
    "a missing column": rebuilt(
        "calibration", ", stored TEXT NOT NULL DEFAULT (datetime('now'))", ""
    ),
    "a generated column": rebuilt(
        "person",
        "name TEXT NOT NULL UNIQUE",
        "name TEXT NOT NULL UNIQUE, g AS (hex(zeroblob(100000000)))",
    ),
    "a check": rebuilt("person", "UNIQUE", "UNIQUE CHECK (length(hex(zeroblob(100000000))) > 1)"),
    "a default": rebuilt("calibration", "datetime('now')", "hex(zeroblob(100000000))"),
    "another collation": rebuilt("person", "UNIQUE", "COLLATE NOCASE UNIQUE"),
    "an index on an expression": ["CREATE INDEX slow ON person (hex(zeroblob(1000)))"],
    "another index of the same name": [
        "DROP INDEX same_picture",
        "CREATE INDEX same_picture ON embedding (origin)",
    ],
    "statistics": ["ANALYZE"],
}


@pytest.mark.parametrize("what", FOREIGN)
def test_another_schema_is_refused_before_it_is_used(path, what):
    change(path, *FOREIGN[what])
    before = path.read_bytes()
    for use in uses(path):
        with pytest.raises(
            FileError,
            match=r"people.db has another schema than minidl creates: found '.*' in it; restore it",
        ):
            use()
    assert path.read_bytes() == before and list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("table", ["about", "person", "embedding", "calibration"])
def test_a_missing_table_is_damage(path, table):
    change(path, f"DROP TABLE {table}")
    for use in uses(path):
        with pytest.raises(FileError, match=f"damaged: tables are missing .*{table}"):
            use()


def test_a_missing_index_is_damage(path):
    change(path, "DROP INDEX same_picture")
    with pytest.raises(FileError, match=r"damaged: tables are missing \(same_picture\)"):
        Database(path, "model")


def test_reading_a_schema_of_many_tables_is_stopped(path):
    change(path, "BEGIN", *[f"CREATE TABLE t{number} (x)" for number in range(3000)])
    with pytest.raises(FileError, match="longer than its size allows"):
        Database(path, "model")


def test_a_foreign_schema_is_printed_without_control_characters(path):
    change(path, 'CREATE TABLE "\x1b[31m\nred" (x)')
    with pytest.raises(FileError) as error:
        Database(path, "model")
    assert "'?[31m?red'" in str(error.value)


def test_the_schema_is_accepted_after_vacuum_and_in_wal_mode(path):
    change(path, "VACUUM")
    change(path, "PRAGMA journal_mode = WAL")
    assert Database(path, "model").embeddings()[0] == ["Ann"]
    Database(path, "model").enroll("Bob", embedding(1, 0))
    assert [person.name for person in Database(path, "model").people()] == ["Ann", "Bob"]


def test_steps_are_limited_in_proportion_to_the_file(path, monkeypatch):
    with pytest.raises(FileError, match="damaged: reading it takes longer than its size allows"):
        with sqlite_file.transaction(path) as run:
            run(f"{ENDLESS} SELECT count(*) FROM c").fetchone()
    monkeypatch.setattr(sqlite_file, "BYTES_A_STEP", 1e-9)
    count = f"{ENDLESS} SELECT count(*) FROM (SELECT x FROM c LIMIT 100000)"
    with sqlite_file.transaction(path) as run:
        assert run(count).fetchone() == (100_000,)


def write_page(file, size, number, child, cells):
    """Write an interior page of a table whose cells all point to one child."""
    page = bytearray(size)
    cell = struct.pack(">IB", child, 1)
    begin = size - len(cell) * cells
    struct.pack_into(">BHHHBI", page, 0, 5, 0, cells, begin, 0, child)
    for n in range(cells):
        struct.pack_into(">H", page, 12 + 2 * n, begin + n * len(cell))
    page[begin:] = cell * cells
    file[(number - 1) * size : number * size] = page


def test_pages_that_are_reached_many_times_are_damage(path):
    """Each of five pages points to the next one 500 times: 3e13 rows in a few kilobytes."""
    for number in range(60):
        Database(path, "model").enroll(
            f"person {number}", embedding(number, 0), picture=b"x" * 3000
        )
    connection = sqlite3.connect(path)
    [(root,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'embedding'")
    [(size,)] = connection.execute("PRAGMA page_size")
    connection.close()
    file = bytearray(path.read_bytes())
    assert file[(root - 1) * size] == 5  # the root has children
    leaves = [
        page
        for page in range(1, len(file) // size + 1)
        if page != root and file[(page - 1) * size] == 13
    ]
    last = max(leaves)
    chain = [root, *range(len(file) // size - 4, len(file) // size)]
    for page, child in zip(chain, [*chain[1:], last], strict=True):
        write_page(file, size, page, child, 500)
    path.write_bytes(file)
    begun = time.process_time()
    for use in uses(path)[:3]:
        with pytest.raises(FileError, match="damaged"):
            use()
    assert time.process_time() - begun < 10


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE person SET name = CAST(zeroblob(3000000) AS TEXT)",
        "UPDATE person SET name = hex(zeroblob(1000))",
        "UPDATE person SET name = CAST(x'ff1b5b33' AS TEXT)",
        "UPDATE embedding SET numbers = zeroblob(3000000)",
        "UPDATE embedding SET numbers = hex(zeroblob(256))",
        "UPDATE embedding SET origin = hex(zeroblob(1000)), picture = x'00'",
        "UPDATE embedding SET enrolled = hex(zeroblob(1000))",
        "UPDATE embedding SET picture = hex(zeroblob(100))",
    ],
)
def test_values_that_are_too_long_or_of_another_type_are_damage(path, statement):
    change(path, statement)
    refused = 0
    for use in uses(path)[:3]:
        try:
            use()
        except FileError as error:
            assert "damaged" in str(error) and error.args[0].isprintable() and len(str(error)) < 300
            refused += 1
    assert refused


def test_too_long_evidence_of_a_calibration_is_damage(path):
    change(
        path,
        "INSERT INTO calibration (threshold, evidence) "
        "VALUES (.5, '{\"rule\": \"' || hex(zeroblob(100000)) || '\"}')",
    )
    with pytest.raises(FileError, match="damaged"):
        Database(path, "model").calibration()


def test_a_too_long_picture_is_not_stored(path, monkeypatch):
    monkeypatch.setattr("minidl.faces.database.LONGEST_PICTURE", 1000)
    with pytest.raises(
        ArgumentError,
        match="the picture of Bob has 1,001 bytes; wanted at most 1,000: scale it down",
    ):
        Database(path, "model").enroll("Bob", embedding(1, 0), picture=bytes(1001))
    Database(path, "model").enroll("Bob", embedding(1, 0), picture=bytes(1000))
    assert [len(picture) for *_, picture in Database(path, "model").pictures()] == [1000]
    monkeypatch.setattr("minidl.faces.database.LONGEST_PICTURE", 999)
    with pytest.raises(FileError, match="damaged"):
        list(Database(path, "model").pictures())


@pytest.mark.parametrize(
    "action", [["list"], ["identify"], ["enroll", "Ann"], ["remove", "Ann"], ["calibrate"]]
)
def test_a_command_prints_one_sentence_and_exits_with_2(path, action, capsys, tmp_path):
    change(path, *FOREIGN["an endless view for a table"])
    pictures = ["missing.png"] if action[0] in ("identify", "enroll") else []
    assert main(["faces", action[0], str(path), *action[1:], *pictures]) == 2
    out, err = capsys.readouterr()
    assert not out and err.splitlines() == [err.strip()]
    assert "has another schema than minidl creates" in err


def test_names_are_printed_without_control_characters(path, capsys):
    change(path, "UPDATE person SET name = 'A' || char(27) || '[31m' || char(0) || char(10) || 'n'")
    for form in ([], ["--csv"], ["--json"]):
        assert main(["faces", "list", str(path), *form]) == 0
        out, _ = capsys.readouterr()
        assert out.isascii() and "\0" not in out
        assert all(line.isprintable() for line in out.splitlines())
    assert "31m" in out


# ---- permissions


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o277])
def umask(request):
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_a_new_database_and_its_journal_are_private(tmp_path, umask):
    database = Database(tmp_path / "new.db", "model", create=True)
    assert mode(tmp_path / "new.db") == 0o600
    with database._transaction("IMMEDIATE") as run:
        run("INSERT INTO person (name) VALUES ('Ann')")
        assert mode(tmp_path / "new.db-journal") == 0o600
    change(tmp_path / "new.db", "PRAGMA journal_mode = WAL")
    with database._transaction("IMMEDIATE") as run:
        run("INSERT INTO person (name) VALUES ('Bob')")
        assert mode(tmp_path / "new.db-wal") == 0o600
    assert mode(tmp_path / "new.db") == 0o600


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_the_permissions_of_an_existing_file_are_kept(tmp_path):
    (tmp_path / "shared.db").touch()
    (tmp_path / "shared.db").chmod(0o660)
    Database(tmp_path / "shared.db", "model", create=True).enroll("Ann", np.ones(128, np.float32))
    assert mode(tmp_path / "shared.db") == 0o660


@pytest.mark.skipif(os.name != "posix", reason="links are POSIX's")
def test_a_link_to_nothing_is_followed(tmp_path):
    (tmp_path / "link.db").symlink_to(tmp_path / "target.db")
    Database(tmp_path / "link.db", "model", create=True).enroll("Ann", np.ones(128, np.float32))
    assert mode(tmp_path / "target.db") == 0o600 and (tmp_path / "link.db").is_symlink()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
@pytest.mark.parametrize("ending", sqlite_file.COMPANIONS)
def test_pipes_beside_a_database_are_not_opened(path, tmp_path, ending):
    """SQLite would wait for a writer. The test keeps the pipe open, so that it would fail and not
    wait."""
    linked = tmp_path / "elsewhere.db"
    linked.symlink_to(path)
    pipe = path.with_name(path.name + ending)
    os.mkfifo(pipe)
    opened = os.open(pipe, os.O_RDWR)
    try:
        for place in (path, linked):
            with pytest.raises(
                FileError, match=f"{pipe.name} is not a file but a folder or a device; remove it"
            ):
                Database(place, "model").people()
    finally:
        os.close(opened)
    pipe.unlink()
    assert len(Database(linked, "model").people()) == 1
