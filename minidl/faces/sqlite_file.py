"""Create the SQLite file of a database of faces with private permissions, and open files of unknown
origin safely.

A transaction runs only if the tables and indexes are exactly those of TABLES. A foreign view,
trigger, virtual table, generated column or CHECK could run without end. Three limits bound what a
damaged or malicious file with the right tables can cost:

    steps of SQLite's virtual machine   SCHEMA_STEPS until the tables are checked, then a number
                                        in proportion to the size of the file
    bytes of one value                  LONGEST_VALUE; while a picture is read or a row is written,
                                        LONGEST_PICTURE more (Python 3.11 or later)
    rows, and characters of a text      `checked`
"""

import os
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from minidl.errors import FileError, printable
from minidl.files import PRIVATE_FILE

# Numbers in the header of the file: that of minidl's databases, and the version of their format
APPLICATION, VERSION = 0x6D646C66, 1
PATIENCE = 60  # seconds to wait for other writers
STRIDE = 1000  # steps between two checks of the limit
SCHEMA_STEPS = 10_000  # reading or creating the tables and indexes of TABLES takes fewer
LEAST_STEPS, MOST_STEPS, BYTES_A_STEP = 10**6, 5 * 10**8, 4  # a row of 600 bytes: up to 40 steps
LONGEST_VALUE, LONGEST_PICTURE = 2**20, 2**28  # bytes
LONGEST_TEXT = 1010  # characters of a name, an origin or a date
# Endings of the files that SQLite creates beside a database
COMPANIONS = ("-journal", "-wal", "-shm")
ROW = 128  # bytes of a row at least: a digest of 64 letters in the table, and one in the index

Run = Callable[..., Any]  # runs SQL in an open transaction: sqlite3.Connection.execute

# The text of each statement is compared with the one that a file stores. Do not reformat it.
TABLES = """
CREATE TABLE about (what TEXT PRIMARY KEY, told TEXT NOT NULL);
CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE embedding (
    id INTEGER PRIMARY KEY,
    person INTEGER NOT NULL REFERENCES person,
    numbers BLOB NOT NULL,
    origin TEXT NOT NULL,
    digest TEXT NOT NULL,
    enrolled TEXT NOT NULL DEFAULT (datetime('now')),
    picture BLOB,
    UNIQUE (person, digest)
);
CREATE INDEX same_picture ON embedding (digest);
CREATE TABLE calibration (
    id INTEGER PRIMARY KEY, threshold REAL NOT NULL, evidence TEXT NOT NULL, \
stored TEXT NOT NULL DEFAULT (datetime('now'))
);
"""
FROM_A_COPY = "restore it from a copy"
UNEXPECTED = f"is damaged: it holds values of unexpected types or lengths; {FROM_A_COPY}"
REASONS = {  # words of an error message of SQLite -> the message for the user
    "not a database": "is no database of faces; name one that `minidl faces enroll` has created",
    "malformed": f"is damaged and cannot be read; {FROM_A_COPY}",
    "interrupted": f"is damaged: reading it takes longer than its size allows; {FROM_A_COPY}",
    "too big": UNEXPECTED,
    "decode": UNEXPECTED,
    "full": "cannot be written: the disk is full; free some space and continue, "
    "all earlier enrolments are kept",
    "readonly": "may not be written to; change its permissions and those of its folder, "
    "or work on a copy",
    "unable to open": "cannot be opened or written; check the permissions of the file, "
    "of its folder and of the files in it",
    "locked": f"was being written by another process for more than {PATIENCE} s; "
    "try again when that process has finished",
}


def make_private(path: Path) -> None:
    """Create an empty file that only its owner may read, with any umask, unless the file exists.

    Raise FileError if it cannot be created.
    """
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR
    try:
        descriptor = os.open(os.path.realpath(path), flags, PRIVATE_FILE)
    except FileExistsError:
        return
    except OSError as error:
        reason = str(error.strerror).lower()
        raise FileError(f"{path} cannot be created: {reason}; choose another place") from None
    # Windows and some file systems have no fchmod.
    with suppress(AttributeError, OSError):
        os.fchmod(descriptor, PRIVATE_FILE)  # the journal of SQLite gets the same mode
    os.close(descriptor)


@contextmanager
def transaction(
    path: Path,
    kind: str = "DEFERRED",
    longest: int = LONGEST_VALUE,
    about: Mapping[str, str] | None = None,
) -> Iterator[Run]:
    """Open a transaction for the block, and yield the function that runs SQL in it.

    The changes are committed if the block ends without an error, and undone otherwise.

    kind: "DEFERRED" to read, "IMMEDIATE" to write. longest: the most bytes of a value. about: if
    the file is empty, create the tables with these facts about the model of the embeddings. Raise
    FileError for a file that is not a database of faces, is damaged, or cannot be used.
    """
    _must_have_plain_companions(path)
    try:
        uri = f"{path.absolute().as_uri()}?mode=rw"
        connection = sqlite3.connect(uri, uri=True, timeout=PATIENCE, isolation_level=None)
        try:
            if sys.version_info >= (3, 11):
                connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, longest)
            _limit_steps(connection, SCHEMA_STEPS)
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute(f"BEGIN {kind}")
            _must_have_our_tables(connection, path, about)
            steps = LEAST_STEPS + _size(connection.execute) // BYTES_A_STEP
            _limit_steps(connection, min(steps, MOST_STEPS))
            yield connection.execute
            connection.execute("COMMIT")
        finally:
            connection.close()  # undoes changes that were not committed
    except (sqlite3.Error, UnicodeDecodeError) as error:
        reasons = (text for words, text in REASONS.items() if words in str(error))
        unknown = f"cannot be used ({printable(str(error), 200)}); {FROM_A_COPY}"
        raise FileError(f"{path} {next(reasons, unknown)}") from error


def checked(
    path: Path, run: Run, rows: Iterable[tuple], *types: Any, longest: int = LONGEST_TEXT
) -> Iterator[tuple]:
    """Yield the rows of a query after a check of each.

    run: the function of the open transaction. types: the expected type of each column. longest: the
    most characters of a text. Raise FileError for a value of another type, which SQLite can store
    in any column, for a longer text, and for more rows than the file can hold embeddings.
    """
    most = _size(run) // ROW
    for number, row in enumerate(rows, start=1):
        expected = number <= most and all(map(isinstance, row, types))
        if not expected or any(isinstance(value, str) and len(value) > longest for value in row):
            raise FileError(f"{path} {UNEXPECTED}")
        yield row


def _must_have_plain_companions(path):
    """Refuse a pipe or a device in the place of a file that SQLite would open, because SQLite might
    wait for it forever."""
    for ending in COMPANIONS:
        companion = os.path.realpath(path) + ending
        if os.path.exists(companion) and not os.path.isfile(companion):
            raise FileError(
                f"{companion} is not a file but a folder or a device; remove it to use {path}"
            )


def _limit_steps(connection, steps):
    """Interrupt the connection after this number of further steps."""
    checks = iter(range(steps // STRIDE))
    connection.set_progress_handler(lambda: next(checks, None) is None, STRIDE)


def _size(run):
    """Return the size of the file in bytes."""
    [(pages,)], [(bytes_a_page,)] = run("PRAGMA page_count"), run("PRAGMA page_size")
    return pages * bytes_a_page


def _must_have_our_tables(connection, path, about):
    """Refuse a file with another schema. With facts about a model, create the tables if the file is
    empty."""
    run = connection.execute
    [(application,)], [(version,)] = run("PRAGMA application_id"), run("PRAGMA user_version")
    schema = _schema(connection)
    if about is not None and not (application or version or schema):
        for statement in (
            *TABLES.split(";\n"),
            f"PRAGMA application_id = {APPLICATION}",
            f"PRAGMA user_version = {VERSION}",
        ):
            run(statement)
        for fact in about.items():
            run("INSERT INTO about VALUES (?, ?)", fact)
    elif application != APPLICATION:
        what = "the database of another program" if application or schema else "empty"
        raise FileError(f"{path} is {what}; name a database that `minidl faces enroll` has created")
    elif version > VERSION:
        raise FileError(
            f"{path} has format {version}, of a later minidl; this one reads format {VERSION}: "
            "update minidl"
        )
    elif foreign := schema - _own_schema():
        name = printable(str(min(foreign, key=str)[0]), 100)
        raise FileError(
            f"{path} has another schema than minidl creates: found {name!r} in it; {FROM_A_COPY}"
        )
    elif missing := _own_schema() - schema:
        names = ", ".join(sorted(name for name, *_ in missing))
        raise FileError(f"{path} is damaged: tables are missing ({names}); {FROM_A_COPY}")


def _schema(connection):
    """Return {(name, type, table, SQL)} of all tables, indexes, views and triggers."""
    return set(connection.execute("SELECT name, type, tbl_name, sql FROM sqlite_master LIMIT 1000"))


@cache
def _own_schema():
    """Return the schema of a database that minidl creates."""
    connection = sqlite3.connect(":memory:")
    connection.executescript(TABLES)
    schema = _schema(connection)
    connection.close()
    return schema
