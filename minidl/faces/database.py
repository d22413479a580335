"""The people who are known: their names and embeddings in one SQLite file.

Each change is a transaction of its own that SQLite brings to the disk whole or not at all: a process may be killed, and several
may write at once, one after the other. An embedding means something beside others of the same model alone, so the file says
which one it belongs to, and any other is refused. Pictures are kept for those who ask for it.
"""

import json
import sqlite3
import unicodedata
from contextlib import contextmanager
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minidl.errors import ArgumentError, FileError, printable
from minidl.files import must_be_writable, must_exist
from minidl.models.face_recognition import NUMBERS

APPLICATION, FORM = 0x6D646C66, 1  # in the header of the file: that it is ours, and which of our forms
PATIENCE = 60  # seconds to wait for other writers
STORED = np.dtype("<f4")
TOLD = str | int | float | None  # a piece of evidence
LONGEST_NAME = 200
UNKNOWN = "unknown"  # what nobody may be called
FILLERS = "\u115f\u1160\u2800\u3164\uffa0"  # which Unicode calls letters and signs, though they show nothing

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
REASONS = {  # what SQLite says -> what that means to the user
    "not a database": "is no database of faces; name one that `minidl faces enroll` has made",
    "no such table": "is damaged: tables are missing; fetch it again from a copy",
    "no such column": "is damaged: columns are missing; fetch it again from a copy",
    "malformed": "is damaged and cannot be read; fetch it again from a copy",
    "full": "cannot be written: the disk is full; make room there and go on, for what was enrolled is kept",
    "readonly": "may not be written to; change its permissions and those of its folder, or work on a copy",
    "unable to open": "cannot be opened or written: see that it, its folder and the files in there may be read and written",
    "locked": f"was being written by another process for more than {PATIENCE} s; try again when that is done",
}


class Person(NamedTuple):
    name: str
    pictures: int
    enrolled: str  # the first of them: date and time, UTC


class Database:
    """Names and embeddings in the file `path`, of the model that calls itself `identity` (`FaceReader.identity`; None: of
    whichever, to look at the people alone).

    create: make the file where there is none. Raises FileError for a file that is none of ours, damaged, of another model or of
    a later minidl, or that may not be read. Safe to use from several threads and processes: every method opens the file
    for itself.
    """

    def __init__(self, path, identity, create=False):
        self.path, self.identity, self._mode = Path(path), identity, "rw"
        if create:
            must_be_writable(self.path)
        if create and not (self.path.exists() and self.path.stat().st_size):
            self._mode = "rwc"
            with self._transaction("IMMEDIATE"):
                self._mode = "rw"
        else:
            must_exist(self.path, "database of faces")
            with self._transaction():
                pass

    def enroll(self, name, embedding, *, digest=None, origin="", picture=None):
        """Store one embedding of a person, who need not be new; the names under which this picture was enrolled before.

        Where the person's own is among them, nothing is stored anew but the picture, if it was not kept. embedding: (128,),
        finite; digest: the SHA-256 of the picture's file, by which it is known again (default: that of the embedding); origin:
        words on where it came from; picture: the bytes of the file, to be kept.
        """
        name, numbers = proper_name(name), np.ascontiguousarray(embedding, STORED)
        if numbers.shape != (NUMBERS,) or not np.isfinite(numbers).all():
            raise ArgumentError(f"the embedding of {name} has shape {numbers.shape}; wanted ({NUMBERS},), of finite numbers")
        numbers = numbers.tobytes()
        digest = digest or sha256(numbers).hexdigest()
        with self._transaction("IMMEDIATE") as run:
            known = run("SELECT name FROM embedding JOIN person ON person.id = person WHERE digest = ? ORDER BY name", [digest])
            before = [found for (found,) in self._rows(known, str)]
            if name in before:
                run(
                    "UPDATE embedding SET picture = ? "
                    "WHERE picture IS NULL AND digest = ? AND person = (SELECT id FROM person WHERE name = ?)",
                    [picture, digest, name],
                )
            else:
                run("INSERT INTO person (name) VALUES (?) ON CONFLICT DO NOTHING", [name])
                run(
                    "INSERT INTO embedding (person, numbers, origin, digest, picture) "
                    "SELECT id, ?, ?, ?, ? FROM person WHERE name = ?",
                    [numbers, printable(origin, 1000), digest, picture, name],
                )
        return before

    def remove(self, name):
        """Forget a person; how many embeddings that were. Their place in the file is overwritten with zeros."""
        with self._transaction("IMMEDIATE") as run:
            found = run("SELECT id FROM person WHERE name = ?", [unicodedata.normalize("NFC", name).strip()]).fetchone()
            if not found:
                near = get_close_matches(name, [known for (known,) in self._rows(run("SELECT name FROM person"), str)], n=3)
                meant = f"did you mean {' or '.join(map(repr, near))}?" if near else "`minidl faces list` shows who is"
                raise ArgumentError(f"nobody in {self.path} is called {printable(name, LONGEST_NAME)!r}; {meant}")
            count = run("DELETE FROM embedding WHERE person = ?", found).rowcount
            run("DELETE FROM person WHERE id = ?", found)
        return count

    def people(self):
        """[Person], by name"""
        with self._transaction() as run:
            rows = run(
                "SELECT name, count(*), min(enrolled) FROM person JOIN embedding ON person.id = person GROUP BY person.id "
                "ORDER BY name"
            )
            return [Person(*row) for row in self._rows(rows, str, int, str)]

    def embeddings(self):
        """(names (N,), embeddings (N, 128) float32), in the order of enrolment"""
        with self._transaction() as run:
            rows = run("SELECT name, numbers FROM embedding JOIN person ON person.id = person ORDER BY embedding.id")
            rows = list(self._rows(rows, str, bytes))
        if all(len(blob) == NUMBERS * STORED.itemsize for _, blob in rows):
            numbers = np.frombuffer(b"".join(blob for _, blob in rows), STORED).reshape(-1, NUMBERS)
            if np.isfinite(numbers).all():
                return [name for name, _ in rows], numbers.astype(np.float32, copy=False)
        raise FileError(f"{self.path} is damaged: it holds embeddings that are none; fetch it again from a copy")

    def pictures(self):
        """(name, origin, bytes of the file) of each picture that was kept, one after the other"""
        with self._transaction() as run:
            kept = "FROM embedding JOIN person ON person.id = person WHERE picture IS NOT NULL"
            rows = run(f"SELECT name, origin, picture {kept} ORDER BY name, embedding.id")
            yield from self._rows(rows, str, str, bytes)

    def calibrate(self, threshold, evidence):
        """Store a threshold, from now on the one of this file, and the evidence for it: a dict of words and numbers."""
        if not (np.isfinite(threshold) and threshold >= 0):
            raise ArgumentError(f"the threshold is {threshold}; wanted a distance, finite and at least 0")
        with self._transaction("IMMEDIATE") as run:
            run("INSERT INTO calibration (threshold, evidence) VALUES (?, ?)", [float(threshold), json.dumps(evidence)])

    def calibration(self):
        """(threshold, evidence) as it was last stored, the evidence with its date; None where there is none."""
        with self._transaction() as run:
            row = run("SELECT threshold, evidence, stored FROM calibration ORDER BY id DESC LIMIT 1").fetchone()
        if row is None:
            return None
        [(threshold, evidence, stored)] = self._rows([row], float, str, str)
        try:
            evidence = dict(json.loads(evidence))
            if np.isfinite(threshold) and threshold >= 0 and all(isinstance(told, TOLD) for told in evidence.values()):
                return threshold, evidence | {"stored": stored}
        except (TypeError, ValueError, RecursionError):
            pass
        raise FileError(f"{self.path} is damaged: its calibration is none; calibrate again, or fetch a copy")

    def _rows(self, rows, *types):
        """The rows, once their columns are seen to be of these types: SQLite stores any in each."""
        for row in rows:
            if not all(map(isinstance, row, types)):
                raise FileError(f"{self.path} is damaged: it holds other things than it should; fetch it again from a copy")
            yield row

    @contextmanager
    def _transaction(self, kind="DEFERRED"):
        """A function that runs SQL; what it changed is kept when the block ends well, and else nothing."""
        try:
            uri = f"{self.path.absolute().as_uri()}?mode={self._mode}"
            connection = sqlite3.connect(uri, uri=True, timeout=PATIENCE, isolation_level=None)
            try:
                connection.execute("PRAGMA secure_delete = ON")
                connection.execute(f"BEGIN {kind}")
                self._must_be_ours(connection)
                yield connection.execute
                connection.execute("COMMIT")
            finally:
                connection.close()  # which undoes what was not committed
        except (sqlite3.Error, UnicodeDecodeError) as error:
            meant = (text for words, text in REASONS.items() if words in str(error))
            raise FileError(f"{self.path} {next(meant, f'cannot be used ({error}); fetch it again from a copy')}") from error

    def _must_be_ours(self, connection):
        [(application,)], [(form,)] = connection.execute("PRAGMA application_id"), connection.execute("PRAGMA user_version")
        [(tables,)] = connection.execute("SELECT count(*) FROM sqlite_master")
        if self._mode == "rwc" and not (application or form or tables):
            for statement in (*TABLES.split(";\n"), f"PRAGMA application_id = {APPLICATION}", f"PRAGMA user_version = {FORM}"):
                connection.execute(statement)
            connection.execute("INSERT INTO about VALUES ('model', ?)", [self.identity])
        elif application != APPLICATION:
            what = "the database of another program" if application or tables else "empty"
            raise FileError(f"{self.path} is {what}; name a database that `minidl faces enroll` has made")
        elif form > FORM:
            raise FileError(f"{self.path} is of form {form}, of a later minidl; this one knows form {FORM}: update minidl")
        model = connection.execute("SELECT told FROM about WHERE what = 'model'").fetchone()
        if model is None:
            raise FileError(f"{self.path} is damaged: it does not say of which model it is; fetch it again from a copy")
        if self.identity is not None and model[0] != self.identity:
            raise FileError(
                f"{self.path} holds embeddings of another model ({printable(str(model[0]), 40)}; this one is {self.identity}), "
                "which no distance compares; enroll the pictures anew, in another database"
            )


def proper_name(name):
    """The name without spaces around it, its accents composed (Unicode's NFC), or a sentence on why nobody can be called so.

    >>> proper_name("  Zoe\\u0308 ")
    'Zoë'
    """
    name = unicodedata.normalize("NFC", str(name)).strip()
    if len(name) > LONGEST_NAME:
        raise ArgumentError(f"the name {name[:20]}... has {len(name)} characters; wanted at most {LONGEST_NAME}")
    if printable(name) != name:
        raise ArgumentError(f"the name {printable(name)!r} holds characters that cannot be shown; leave them out")
    seen = "".join(c for c in name if unicodedata.category(c)[0] not in "CMZ" and c not in FILLERS)
    if not seen:
        raise ArgumentError("the name is empty, or nothing of it can be seen; give the person a name")
    if seen.casefold() == UNKNOWN:
        raise ArgumentError(f"nobody can be called {name!r}, which is what strangers are called; take another name")
    return name
