"""Enrolling the faces of pictures in a database, one after the other."""

import os
import stat
from hashlib import sha256

import numpy as np

from minidl.cli.faces.pictures import ADVICE, warn_of_doubt
from minidl.cli.output import warn
from minidl.faces import Database, main_face
from minidl.faces.lookalikes import Lookalikes


class Enrolment:
    """Enrolls the faces of pictures, and reports what is doubtful about them.

    path: of the database, which is created only once there is a face to store. pictures: Pictures,
    which reports those that are refused. largest, keep: whether the largest of several faces is
    taken, and whether the picture files are stored.
    """

    def __init__(self, path, reader, pictures, largest, keep):
        self._path, self._reader, self._pictures = path, reader, pictures
        self._largest, self._keep = largest, keep
        self._database: Database | None = None
        self._known, self._threshold = Lookalikes([], np.empty((0, 0))), reader.threshold
        self._enrolled: set[tuple[str, str]] = set()  # (name, digest)
        self._similar: dict = {}  # {two names: (distance, the name and the picture last enrolled)}
        if path.exists() and path.stat().st_size:
            self._database = Database.of(reader, path)
            self._known = Lookalikes(*self._database.embeddings())
            self._threshold, _ = self._database.calibration() or (reader.threshold, None)
            self._enrolled = self._database.digests()
            self._warn_of_permissions()

    def add(self, name, path, file):
        """Enroll the face of a picture, and return the names under which the same picture was
        enrolled before, or None if the picture is refused.

        file: the contents of the picture
        """
        digest = sha256(file).hexdigest()
        if (name, digest) in self._enrolled and not self._keep:
            return [name]
        face = self._face(path, file)
        if face is None:
            return None
        if self._database is None:
            self._database = Database.of(self._reader, self._path, create=True)
        names_before = self._database.enroll(
            name,
            face.embedding,
            digest=digest,
            origin=path.name,
            picture=file if self._keep else None,
        )
        if name not in names_before:
            self._enrolled.add((name, digest))
            self._look_for_others(name, path, face)
        return names_before

    def _face(self, path, file):
        """Return the face to enroll, or None if the picture is refused."""
        faces = self._pictures.faces_of(path, file, self._reader)
        if faces is None:
            return None
        if not faces:
            self._pictures.refuse(f"{path}: no face was found; {ADVICE}")
            return None
        if len(faces) > 1 and not self._largest:
            self._pictures.refuse(
                f"{path} shows {len(faces)} faces; crop it to the one to enroll, or use --largest"
            )
            return None
        face = main_face(faces)
        warn_of_doubt(path, face)
        return face

    def _look_for_others(self, name, path, face):
        """Warn of a face that is far from its person, and remember one that is near to another."""
        likeness = self._known.add(name, face.embedding)
        if likeness.own is not None and likeness.own > self._threshold:
            warn(
                f"{path}: the distance of the face to the nearest face of {name} is "
                f"{likeness.own:.3f}, beyond the threshold of {self._threshold:.3f}; "
                f"if it is another person, remove {name} and enroll the right pictures"
            )
        if likeness.distance <= self._threshold:
            pair = frozenset([name, likeness.other])
            found = likeness.distance, name, likeness.other, path
            self._similar[pair] = min(self._similar.get(pair, found), found)

    def warn_of_lookalikes(self):
        """Warn of each two people of whom one may be taken for the other."""
        for distance, name, other, path in self._similar.values():
            warn(
                f"{name} is nearer to {other} ({distance:.3f} in {path}) than the threshold of "
                f"{self._threshold:.3f}, so that one may be taken for the other; if they are one "
                "person, use `minidl faces merge`, else add pictures of both or `minidl faces "
                "calibrate` with a smaller --threshold"
            )

    def warn_of_similar_names(self, name):
        """Warn of people whose names differ from a name in upper and lower case only."""
        for other in self._database.people() if self._database else ():
            if other.name != name and other.name.casefold() == name.casefold():
                warn(
                    f"{other.name} is enrolled already, and {name} is another name: "
                    "remove one of them if they are the same person"
                )

    def _warn_of_permissions(self):
        if os.name == "posix" and self._path.stat().st_mode & stat.S_IROTH:
            warn(
                f"every user of this machine may read {self._path}; "
                "run `chmod 600` on it to keep the faces private"
            )
