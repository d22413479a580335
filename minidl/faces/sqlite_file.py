"""The SQLite file of a database of faces: creating it with private permissions, and opening files
of unknown origin.

A transaction runs only if the tables and indexes are exactly those of TABLES. A foreign view,
trigger, virtual table, generated column or CHECK could run without end. Three limits bound what a
damaged or malicious file with the right tables can cost:

    steps of SQLite's virtual machine   SCHEMA_STEPS until the tables are checked, then a number
                                        in proportion to the size of the file
    bytes of one value                  LONGEST_VALUE; while a picture is read or a row is written
                                        LONGEST_PICTURE too (Python 3.11 or later)
    rows, and characters of a text      `checked`
"""

import os
import sqlite3
from contextlib import contextmanager, suppress
from functools import cache

from minidl.errors import FileError, printable
from minidl.files import PRIVATE_FILE
from minidl.models.face_recognition import NUMBERS

# in the header of the file: the number of minidl's databases, and their version
APPLICATION, FORM = 0x6D646C66, 1
PATIENCE = 60  # seconds to wait for other writers
STRIDE = 1000  # steps between two checks of the limit
SCHEMA_STEPS = 10_000  # reading or creating the tables and indexes of TABLES takes fewer
LEAST_STEPS, MOST_STEPS, BYTES_A_STEP = 10**6, 5 * 10**8, 4  # a row of 600 bytes takes up to 40
LONGEST_VALUE, LONGEST_PICTURE = 2**20, 2**28  # bytes
LONGEST_TEXT = 1010  # characters of a name, an origin or a date
# endings of the files that SQLite keeps beside a database
COMPANIONS = ("-journal", "-wal", "-shm")
ROW = 4 * NUMBERS  # bytes that an embedding takes at least

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
    id INTEGER PRIMARY KEY, threshold REAL NOT NULL, evidence TEXT NOT NULL, stored TEXT NOT NULL DEFAULT (datetime('now'))
);
"""
FROM_A_COPY = "fetch it again from a copy"
OTHER_THINGS = f"is damaged: it holds values of unexpected types or lengths; {FROM_A_COPY}"
REASONS = {  # words of an error message of SQLite -> what that means to the user
    "not a database": "is no database of faces; name one that `minidl faces enroll` has made",
    "malformed": f"is damaged and cannot be read; {FROM_A_COPY}",
    "interrupted": f"is damaged: reading it takes longer than its size allows; {FROM_A_COPY}",
    "too big": OTHER_THINGS,
    "decode": OTHER_THINGS,
    "full": "cannot be written: the disk is full; free some space and continue, all earlier enrolments are kept",
    "readonly": "may not be written to; change its permissions and those of its folder, or work on a copy",
    "unable to open": "cannot be opened or written; check the permissions of the file, of its folder and of the files in it",
    "locked": f"was being written by another process for more than {PATIENCE} s; try again when that is done",
}


def make_private(path):
    """Create an empty file that only its owner may read, whatever the umask, unless the file
    exists."""
    try:
        descriptor = os.open(
            os.path.realpath(path), os.O_CREAT | os.O_EXCL | os.O_RDWR, PRIVATE_FILE
        )
    except FileExistsError:
        return
    except OSError as error:
        raise FileError(
            f"{path} cannot be made: {error.strerror.lower()}; choose another place"
        ) from None
    # there is no fchmod on Windows and on some file systems
    with suppress(AttributeError, OSError):
        os.fchmod(descriptor, PRIVATE_FILE)  # the journal of SQLite gets the same mode
    os.close(descriptor)


@contextmanager
def transaction(path, kind="DEFERRED", longest=LONGEST_VALUE, model=None):
    """Give a function that runs SQL. Its changes are kept if the block ends without an error, and
    undone otherwise.

    longest: most bytes of a value. model: create the tables for this model where the file is empty.
    Raises FileError for a file that is not a database of faces, is damaged, or cannot be used.
    """
    _must_have_plain_companions(path)
    try:
        uri = f"{path.absolute().as_uri()}?mode=rw"
        connection = sqlite3.connect(uri, uri=True, timeout=PATIENCE, isolation_level=None)
        try:
            if hasattr(connection, "setlimit"):  # from Python 3.11 on
                connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, longest)
            _limit_steps(connection, SCHEMA_STEPS)
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute(f"BEGIN {kind}")
            _must_have_our_tables(connection, path, model)
            _limit_steps(
                connection, min(LEAST_STEPS + _size(connection.execute) // BYTES_A_STEP, MOST_STEPS)
            )
            yield connection.execute
            connection.execute("COMMIT")
        finally:
            connection.close()  # this undoes what was not committed
    except (sqlite3.Error, UnicodeDecodeError) as error:
        meant = (text for words, text in REASONS.items() if words in str(error))
        unknown = f"cannot be used ({printable(str(error), 200)}); {FROM_A_COPY}"
        raise FileError(f"{path} {next(meant, unknown)}") from error


def checked(path, run, rows, *types, longest=LONGEST_TEXT):
    """Yield the rows. Raises FileError for a column of another type, because SQLite stores any type
    in any column.

    Each row belongs to one embedding, so more rows than the file can hold embeddings are an error.
    longest: most characters of a text
    """
    most = _size(run) // ROW
    for number, row in enumerate(rows, start=1):
        expected = number <= most and all(map(isinstance, row, types))
        if not expected or any(isinstance(value, str) and len(value) > longest for value in row):
            raise FileError(f"{path} {OTHER_THINGS}")
        yield row


def _must_have_plain_companions(path):
    """Refuse a pipe or a device where SQLite would open a file of its own, because it may wait
    there without end"""
    for ending in COMPANIONS:
        beside = os.path.realpath(path) + ending
        if os.path.exists(beside) and not os.path.isfile(beside):
            raise FileError(
                f"{beside} is not a file but a folder or a device; remove it, and {path} can be used"
            )


def _limit_steps(connection, steps):
    """Interrupt the connection after this many more steps."""
    checks = iter(range(steps // STRIDE))
    connection.set_progress_handler(lambda: next(checks, None) is None, STRIDE)


def _size(run):
    """The bytes of the file"""
    [(pages,)], [(bytes_a_page,)] = run("PRAGMA page_count"), run("PRAGMA page_size")
    return pages * bytes_a_page


def _must_have_our_tables(connection, path, model):
    run = connection.execute
    [(application,)], [(form,)] = run("PRAGMA application_id"), run("PRAGMA user_version")
    found = _schema(connection)
    if model is not None and not (application or form or found):
        for statement in (
            *TABLES.split(";\n"),
            f"PRAGMA application_id = {APPLICATION}",
            f"PRAGMA user_version = {FORM}",
        ):
            run(statement)
        run("INSERT INTO about VALUES ('model', ?)", [model])
    elif application != APPLICATION:
        what = "the database of another program" if application or found else "empty"
        raise FileError(f"{path} is {what}; name a database that `minidl faces enroll` has made")
    elif form > FORM:
        raise FileError(
            f"{path} has form {form}, of a later minidl; this one reads form {FORM}: update minidl"
        )
    elif foreign := found - _ours():
        name = printable(str(min(foreign, key=str)[0]), 100)
        raise FileError(
            f"{path} has another schema than minidl creates, found {name!r} in it; {FROM_A_COPY}"
        )
    elif missing := _ours() - found:
        names = ", ".join(sorted(name for name, *_ in missing))
        raise FileError(f"{path} is damaged: tables are missing ({names}); {FROM_A_COPY}")


def _schema(connection):
    """{(name, type, table, SQL)} of all tables, indexes, views and triggers"""
    return set(connection.execute("SELECT name, type, tbl_name, sql FROM sqlite_master LIMIT 1000"))


@cache
def _ours():
    connection = sqlite3.connect(":memory:")
    connection.executescript(TABLES)
    schema = _schema(connection)
    connection.close()
    return schema
