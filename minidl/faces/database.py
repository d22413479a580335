"""Store the names and embeddings of known people in one SQLite file.

Each change is a transaction, which SQLite writes completely or not at all. A process may therefore
be killed at any time, and several processes may write. The file names the model of its embeddings
(model.py). Pictures are stored only on request. sqlite_file.py opens the file, and creates a new
one that only its owner may read. editing.py changes people and pictures.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minidl.errors import ArgumentError, FileError, printable
from minidl.faces import editing
from minidl.faces.model import Model
from minidl.faces.names import proper_name
from minidl.faces.sqlite_file import (
    FROM_A_COPY,
    LONGEST_PICTURE,
    LONGEST_VALUE,
    checked,
    make_private,
    transaction,
)
from minidl.files import must_be_writable, must_exist
from minidl.models.face_recognition import NUMBERS
from minidl.typing import Array
from minidl.typing import Path as PathLike

if TYPE_CHECKING:
    from minidl.faces.reader import FaceReader

STORED = np.dtype("<f4")
WITH_PICTURE = LONGEST_PICTURE + LONGEST_VALUE  # bytes of a row
LONGEST_ORIGIN, LONGEST_EVIDENCE = 1000, 2**16  # characters
EVIDENCE = str | int | float | None  # the type of a value in the evidence of a calibration


class Person(NamedTuple):
    """A known person."""

    name: str
    pictures: int  # the number of embeddings
    enrolled: str  # date and time of the first embedding, UTC


class Enrolled(NamedTuple):
    """A picture of a known person."""

    number: int  # 1 for the first picture of the person
    origin: str  # the name of its file
    enrolled: str  # date and time, UTC
    stored: bool  # whether the database contains the picture itself


class Database:
    """Names and embeddings in a file.

    path: of the file. identity: `FaceReader.identity` of the model that the embeddings belong to;
    None accepts any, for operations that use no embeddings. create: create the file if it does not
    exist. numbers: of an embedding. network: the run of the model's network, "" for the shipped
    one; it is named in messages.

    Every method opens the file anew, so several threads and processes may use it. All methods raise
    FileError for a file that is not a database of faces, is damaged, belongs to another model or a
    later version of minidl, or cannot be read or written.
    """

    def __init__(
        self,
        path: PathLike,
        identity: str | None,
        create: bool = False,
        *,
        numbers: int = NUMBERS,
        network: str = "",
    ) -> None:
        self.path, self.identity = Path(path), identity
        self._model = Model(identity, numbers, network)
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

    @classmethod
    def of(cls, reader: "FaceReader", path: PathLike, create: bool = False) -> "Database":
        """Return the database of the embeddings of a reader.

        A new one stores the threshold of the reader's network, if this is not the shipped one.
        """
        is_new = create and not (Path(path).exists() and Path(path).stat().st_size)
        database = cls(
            path, reader.identity, create, numbers=reader.numbers, network=reader.network
        )
        if is_new and reader.network:
            rule = f"the one of the network {reader.network}"
            database.calibrate(reader.threshold, {"rule": rule})
        return database

    def enroll(
        self,
        name: str,
        embedding: Array,
        *,
        digest: str | None = None,
        origin: str = "",
        picture: bytes | None = None,
    ) -> list[str]:
        """Store an embedding (D,) of a new or known person, and return the names under which the
        same picture was already stored.

        If `name` is among these, nothing is stored, except for the picture if it is missing.

        digest: the SHA-256 of the picture's file, which identifies the picture; by default that of
        the embedding. origin: where the picture comes from. picture: the contents of the picture's
        file, to be stored. Raise ArgumentError for a name that `proper_name` refuses, an embedding
        of another shape or with NaN or infinity, or a picture that is too large.
        """
        name, numbers = proper_name(name), np.ascontiguousarray(embedding, STORED)
        if numbers.shape != (self._model.numbers,) or not np.isfinite(numbers).all():
            raise ArgumentError(
                f"the embedding of {name} has shape {numbers.shape}; wanted "
                f"({self._model.numbers},), "
                "of finite numbers"
            )
        if picture is not None and len(picture) > LONGEST_PICTURE:
            raise ArgumentError(
                f"the picture of {name} has {len(picture):,} bytes; wanted at most "
                f"{LONGEST_PICTURE:,}: scale it down, or do not store it"
            )
        stored = numbers.tobytes()
        digest = digest or sha256(stored).hexdigest()
        with self._transaction("IMMEDIATE", WITH_PICTURE) as run:
            rows = run(
                "SELECT name FROM embedding CROSS JOIN person ON person.id = person "
                "WHERE digest = ?",
                [digest],
            )
            names = sorted(known for (known,) in checked(self.path, run, rows, str))
            if name in names:
                run(
                    "UPDATE embedding SET picture = ? WHERE picture IS NULL AND digest = ? "
                    "AND person = (SELECT id FROM person WHERE name = ?)",
                    [picture, digest, name],
                )
            else:
                run("INSERT INTO person (name) VALUES (?) ON CONFLICT DO NOTHING", [name])
                run(
                    "INSERT INTO embedding (person, numbers, origin, digest, picture) "
                    "SELECT id, ?, ?, ?, ? FROM person WHERE name = ?",
                    [stored, printable(origin, LONGEST_ORIGIN), digest, picture, name],
                )
        return names

    def rename(self, old: str, new: str) -> None:
        """Give a person a new name, as `minidl.faces.editing.rename` does."""
        with self._transaction("IMMEDIATE") as run:
            editing.rename(run, self.path, old, new)

    def merge(self, name: str, other: str) -> int:
        """Make one person of two, as `minidl.faces.editing.merge` does."""
        with self._transaction("IMMEDIATE", WITH_PICTURE) as run:
            return editing.merge(run, self.path, name, other)

    def remove(self, name: str, picture: int | None = None) -> int:
        """Delete a person or one of their pictures, as `minidl.faces.editing.remove` does.

        Their bytes in the file are overwritten with zeros.
        """
        with self._transaction("IMMEDIATE") as run:
            return editing.remove(run, self.path, name, picture)

    def pictures_of(self, name: str) -> list[Enrolled]:
        """Return the pictures of a person, in the order of enrolment. Raise ArgumentError for an
        unknown name."""
        with self._transaction() as run:
            person = editing.person_of(run, self.path, name)
            rows = run(
                "SELECT origin, enrolled, picture IS NOT NULL FROM embedding WHERE person = ? "
                "ORDER BY id",
                [person],
            )
            found = checked(self.path, run, rows, str, str, int)
            return [
                Enrolled(number, origin, date, bool(stored))
                for number, (origin, date, stored) in enumerate(found, start=1)
            ]

    def digests(self) -> set[tuple[str, str]]:
        """Return (name, digest of the picture) of each embedding."""
        return set(self._embeddings("digest", str))

    def people(self) -> list[Person]:
        """Return all people, sorted by name."""
        enrolled = defaultdict(list)
        for name, date in self._embeddings("enrolled", str):
            enrolled[name].append(date)
        return [Person(name, len(dates), min(dates)) for name, dates in sorted(enrolled.items())]

    def embeddings(self) -> tuple[list[str], Array]:
        """Return N names and their embeddings (N, D), float32, in the order of enrolment."""
        length = STORED.itemsize * self._model.numbers
        blobs = f"CASE WHEN length(numbers) = {length} THEN numbers END"
        rows = list(self._embeddings(blobs, bytes))
        if all(len(blob) == length for _, blob in rows):
            joined = b"".join(blob for _, blob in rows)
            numbers = np.frombuffer(joined, STORED).reshape(-1, self._model.numbers)
            if np.isfinite(numbers).all():
                return [name for name, _ in rows], numbers.astype(np.float32, copy=False)
        raise FileError(
            f"{self.path} is damaged: it holds embeddings with NaN or of another length; "
            f"{FROM_A_COPY}"
        )

    def pictures(self) -> Iterator[tuple[str, str, bytes]]:
        """Yield (name, origin, contents of the file) of each stored picture, in the order of
        enrolment."""
        contents = f"CASE WHEN length(picture) <= {LONGEST_PICTURE} THEN picture END"
        stored = "WHERE picture IS NOT NULL"
        yield from self._embeddings(
            f"origin, {contents}", str, bytes, where=stored, longest=WITH_PICTURE
        )

    def _embeddings(self, columns, *types, where="", longest=LONGEST_VALUE):
        """Yield (name, *columns) of each embedding. The query needs no sorting, so SQLite keeps no
        rows in memory."""
        joined = "FROM embedding CROSS JOIN person ON person.id = person"
        with self._transaction(longest=longest) as run:
            rows = run(f"SELECT name, {columns} {joined} {where} ORDER BY embedding.id")
            yield from checked(self.path, run, rows, str, *types)

    def calibrate(self, threshold: float, evidence: Mapping[str, EVIDENCE]) -> None:
        """Store the threshold of this database, and the evidence for it.

        threshold: a distance. evidence: texts and numbers by name. Raise ArgumentError unless the
        threshold is finite and at least 0.
        """
        must_be_distance(threshold)
        with self._transaction("IMMEDIATE") as run:
            run(
                "INSERT INTO calibration (threshold, evidence) VALUES (?, ?)",
                [float(threshold), json.dumps(evidence)],
            )

    def calibration(self) -> tuple[float, dict[str, Any]] | None:
        """Return the threshold that was stored last and its evidence, or None.

        The evidence has the additional entry "stored", the date and time.
        """
        with self._transaction() as run:
            rows = run(
                "SELECT threshold, evidence, stored FROM calibration ORDER BY id DESC LIMIT 1"
            )
            last = list(checked(self.path, run, rows, float, str, str, longest=LONGEST_EVIDENCE))
        if not last:
            return None
        [(threshold, text, date)] = last
        try:
            evidence = dict(json.loads(text))
            is_distance = np.isfinite(threshold) and threshold >= 0
            if is_distance and all(isinstance(value, EVIDENCE) for value in evidence.values()):
                return threshold, evidence | {"stored": date}
        except (TypeError, ValueError, RecursionError):
            pass
        raise FileError(
            f"{self.path} is damaged: its calibration is invalid; calibrate again, "
            "or restore the file from a copy"
        )

    @contextmanager
    def _transaction(self, kind="DEFERRED", longest=LONGEST_VALUE, create=False):
        """Yield the function that runs SQL, as `transaction` does, after a check of the model."""
        about = self._model.facts() if create else None
        with transaction(self.path, kind, longest, about) as run:
            self._model.must_fit(run, self.path)
            yield run


def must_be_distance(threshold: float) -> None:
    """Raise ArgumentError unless a threshold is finite and at least 0."""
    if not (np.isfinite(threshold) and threshold >= 0):
        raise ArgumentError(
            f"the threshold is {threshold}; wanted a distance, finite and at least 0"
        )
