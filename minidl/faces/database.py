"""The people who are known: their names and embeddings in one SQLite file.

Each change is a transaction of its own that SQLite brings to the disk whole or not at all: a
process may be killed, and several may write at once, one after the other. An embedding means
something beside others of the same model alone, so the file says which one it belongs to, and any
other is refused. Pictures are kept for those who ask for it. sqlite_file.py opens the file, and
creates a new one that only its owner may read.
"""

import json
import unicodedata
from collections import defaultdict
from contextlib import contextmanager
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minidl.errors import ArgumentError, FileError, printable
from minidl.faces.sqlite_file import (
    FROM_A_COPY,
    LONGEST_PICTURE,
    LONGEST_VALUE,
    ROW,
    checked,
    make_private,
    transaction,
)
from minidl.files import must_be_writable, must_exist
from minidl.models.face_recognition import NUMBERS

STORED = np.dtype("<f4")
WITH_PICTURE = LONGEST_PICTURE + LONGEST_VALUE  # bytes of a row
LONGEST_ORIGIN, LONGEST_EVIDENCE = 1000, 2**16  # characters
TOLD = str | int | float | None  # a piece of evidence
LONGEST_NAME = 200
UNKNOWN = "unknown"  # a name that no person may have
# which Unicode calls letters and signs, though they show nothing
FILLERS = "\u115f\u1160\u2800\u3164\uffa0"


class Person(NamedTuple):
    name: str
    pictures: int
    enrolled: str  # the first of them: date and time, UTC


class Database:
    """Names and embeddings in the file `path`, of the model that calls itself `identity`
    (`FaceReader.identity`; None: of whichever, to look at the people alone).

    create: make the file where there is none. Raises FileError for a file that is none of ours,
    damaged, of another model or of a later minidl, or that may not be read. Safe to use from
    several threads and processes: every method opens the file for itself.
    """

    def __init__(self, path, identity, create=False):
        self.path, self.identity = Path(path), identity
        if create:
            must_be_writable(self.path)
        if create and not (self.path.exists() and self.path.stat().st_size):
            make_private(self.path)
            with self._transaction("IMMEDIATE", create=True):
                pass
        else:
            must_exist(self.path, "database of faces")
            with self._transaction():
                pass

    def enroll(self, name, embedding, *, digest=None, origin="", picture=None):
        """Store one embedding of a person, who need not be new; the names under which this picture
        was enrolled before.

        Where the person's own is among them, nothing is stored anew but the picture, if it was not
        kept. embedding: (128,), finite; digest: the SHA-256 of the picture's file, by which it is
        known again (default: that of the embedding); origin: words on where it came from; picture:
        the bytes of the file, to be kept.
        """
        name, numbers = proper_name(name), np.ascontiguousarray(embedding, STORED)
        if numbers.shape != (NUMBERS,) or not np.isfinite(numbers).all():
            raise ArgumentError(
                f"the embedding of {name} has shape {numbers.shape}; wanted ({NUMBERS},), of finite numbers"
            )
        if picture is not None and len(picture) > LONGEST_PICTURE:
            most = f"wanted at most {LONGEST_PICTURE:,}: scale it down, or do not keep it"
            raise ArgumentError(f"the picture of {name} has {len(picture):,} bytes; {most}")
        numbers = numbers.tobytes()
        digest = digest or sha256(numbers).hexdigest()
        with self._transaction("IMMEDIATE", WITH_PICTURE) as run:
            known = run(
                "SELECT name FROM embedding CROSS JOIN person ON person.id = person WHERE digest = ?",
                [digest],
            )
            before = sorted(found for (found,) in checked(self.path, run, known, str))
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
                    [numbers, printable(origin, LONGEST_ORIGIN), digest, picture, name],
                )
        return before

    def remove(self, name):
        """Forget a person; how many embeddings that were. Their place in the file is overwritten
        with zeros."""
        with self._transaction("IMMEDIATE") as run:
            found = run(
                "SELECT id FROM person WHERE name = ?", [unicodedata.normalize("NFC", name).strip()]
            ).fetchone()
            if not found:
                names = [
                    known
                    for (known,) in checked(self.path, run, run("SELECT name FROM person"), str)
                ]
                near = get_close_matches(name, names, n=3)
                meant = (
                    f"did you mean {' or '.join(map(repr, near))}?"
                    if near
                    else "`minidl faces list` shows who is"
                )
                raise ArgumentError(
                    f"nobody in {self.path} is called {printable(name, LONGEST_NAME)!r}; {meant}"
                )
            count = run("DELETE FROM embedding WHERE person = ?", found).rowcount
            run("DELETE FROM person WHERE id = ?", found)
        return count

    def people(self):
        """[Person], by name"""
        enrolled = defaultdict(list)
        for name, date in self._embeddings("enrolled", str):
            enrolled[name].append(date)
        return [Person(name, len(dates), min(dates)) for name, dates in sorted(enrolled.items())]

    def embeddings(self):
        """(names (N,), embeddings (N, 128) float32), in the order of enrolment"""
        rows = list(self._embeddings(f"CASE WHEN length(numbers) = {ROW} THEN numbers END", bytes))
        if all(len(blob) == ROW for _, blob in rows):
            numbers = np.frombuffer(b"".join(blob for _, blob in rows), STORED).reshape(-1, NUMBERS)
            if np.isfinite(numbers).all():
                return [name for name, _ in rows], numbers.astype(np.float32, copy=False)
        raise FileError(
            f"{self.path} is damaged: it holds embeddings with NaN or of another length; {FROM_A_COPY}"
        )

    def pictures(self):
        """(name, origin, bytes of the file) of each picture that was kept, in the order of
        enrolment"""
        kept = f"CASE WHEN length(picture) <= {LONGEST_PICTURE} THEN picture END"
        yield from self._embeddings(
            f"origin, {kept}", str, bytes, where="WHERE picture IS NOT NULL", longest=WITH_PICTURE
        )

    def _embeddings(self, columns, *types, where="", longest=LONGEST_VALUE):
        """Yield (name, columns) of each embedding. The query needs no sorting, so SQLite keeps no
        rows in memory."""
        joined = "FROM embedding CROSS JOIN person ON person.id = person"
        with self._transaction(longest=longest) as run:
            rows = run(f"SELECT name, {columns} {joined} {where} ORDER BY embedding.id")
            yield from checked(self.path, run, rows, str, *types)

    def calibrate(self, threshold, evidence):
        """Store a threshold, from now on the one of this file, and the evidence for it: a dict of
        words and numbers."""
        if not (np.isfinite(threshold) and threshold >= 0):
            raise ArgumentError(
                f"the threshold is {threshold}; wanted a distance, finite and at least 0"
            )
        with self._transaction("IMMEDIATE") as run:
            run(
                "INSERT INTO calibration (threshold, evidence) VALUES (?, ?)",
                [float(threshold), json.dumps(evidence)],
            )

    def calibration(self):
        """(threshold, evidence) as it was last stored, the evidence with its date; None where there
        is none."""
        with self._transaction() as run:
            rows = run(
                "SELECT threshold, evidence, stored FROM calibration ORDER BY id DESC LIMIT 1"
            )
            found = list(checked(self.path, run, rows, float, str, str, longest=LONGEST_EVIDENCE))
        if not found:
            return None
        [(threshold, evidence, stored)] = found
        try:
            evidence = dict(json.loads(evidence))
            if (
                np.isfinite(threshold)
                and threshold >= 0
                and all(isinstance(told, TOLD) for told in evidence.values())
            ):
                return threshold, evidence | {"stored": stored}
        except (TypeError, ValueError, RecursionError):
            pass
        raise FileError(
            f"{self.path} is damaged: its calibration is none; calibrate again, or fetch a copy"
        )

    @contextmanager
    def _transaction(self, kind="DEFERRED", longest=LONGEST_VALUE, create=False):
        """Give a function that runs SQL, as `transaction` does, after a check of the model."""
        with transaction(self.path, kind, longest, self.identity if create else None) as run:
            self._must_be_of_the_model(run)
            yield run

    def _must_be_of_the_model(self, run):
        model = run("SELECT told FROM about WHERE what = 'model'").fetchone()
        if model is None:
            raise FileError(
                f"{self.path} is damaged: it does not say of which model it is; fetch it again from a copy"
            )
        if self.identity is not None and model[0] != self.identity:
            raise FileError(
                f"{self.path} holds embeddings of another model ({printable(str(model[0]), 40)}; this one is {self.identity}), "
                "which no distance compares; enroll the pictures anew, in another database"
            )


def proper_name(name):
    """The name without spaces around it, its accents composed (Unicode's NFC), or a sentence on why
    nobody can be called so.

    >>> proper_name("  Zoe\\u0308 ")
    'Zoë'
    """
    name = unicodedata.normalize("NFC", str(name)).strip()
    if len(name) > LONGEST_NAME:
        raise ArgumentError(
            f"the name {name[:20]}... has {len(name)} characters; wanted at most {LONGEST_NAME}"
        )
    if printable(name) != name:
        raise ArgumentError(
            f"the name {printable(name)!r} holds characters that cannot be shown; leave them out"
        )
    seen = "".join(c for c in name if unicodedata.category(c)[0] not in "CMZ" and c not in FILLERS)
    if not seen:
        raise ArgumentError(
            "the name is empty, or nothing of it can be seen; give the person a name"
        )
    if seen.casefold() == UNKNOWN:
        raise ArgumentError(
            f"nobody can be called {name!r}, which is what strangers are called; take another name"
        )
    return name
