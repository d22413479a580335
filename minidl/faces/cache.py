"""Keep the faces of pictures in a file, so that a stopped computation continues where it was.

Each line of the file is a JSON object: a key, which depends on the contents of a picture and on all
that its faces depend on, and the faces, with their numbers in base64. Lines are only added. A line
that is damaged or half-written counts as missing, and its picture is read again. Only the places of
the lines are in memory. The file is readable by its owner only.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from minidl.errors import FileError
from minidl.faces.reader import Face
from minidl.faces.sqlite_file import make_private
from minidl.files import append, make_folder, must_exist
from minidl.limits import is_number
from minidl.typing import Array
from minidl.typing import Path as PathLike

LONGEST = 2**24  # bytes of a line; a picture of a thousand faces has about 2 million
BEGIN, END = b'{"key": "', b'", '  # of the key in a line
KEY = 64  # letters of a key
STORED = np.dtype("<f4")


class FaceCache:
    """The faces of pictures that were read before.

    path: of the file, which is created with its folder if it does not exist. Raise FileError if it
    cannot be read or written.
    """

    def __init__(self, path: PathLike) -> None:
        self.path = Path(path)
        make_folder(self.path.parent)
        make_private(self.path)
        self._places: dict[bytes, int] = {}
        self._is_complete = True  # whether the last line is
        with open(must_exist(self.path, "cache of faces"), "rb") as file:
            place = 0
            while line := file.readline(LONGEST):
                self._is_complete = line.endswith(b"\n")
                key = line[len(BEGIN) : len(BEGIN) + KEY]
                if line == BEGIN + key + END + line[len(BEGIN) + KEY + len(END) :]:
                    self._places[key] = place
                place += len(line)

    def get(self, key: str) -> list[Face] | None:
        """Return the faces of a key, or None if the file does not have them."""
        place = self._places.get(key.encode())
        if place is None:
            return None
        with open(self.path, "rb") as file:
            file.seek(place)
            line = file.readline(LONGEST)
        try:
            return [_face(fields) for fields in json.loads(line)["faces"]]
        except (ValueError, TypeError, KeyError, RecursionError):
            return None

    def put(self, key: str, faces: Sequence[Face]) -> None:
        """Store the faces of a key. Raise FileError if the file cannot be written."""
        text = json.dumps({"key": key, "faces": [_fields(face) for face in faces]}) + "\n"
        try:
            place = self.path.stat().st_size
        except OSError as error:
            raise FileError(f"{self.path} was removed meanwhile; run the command again") from error
        if not self._is_complete:
            text, place = "\n" + text, place + 1
        append(self.path, text)
        self._is_complete = True
        self._places[key.encode()] = place


def key_of(file: bytes, identity: str, looking: Mapping[str, Any]) -> str:
    """Return the key of the faces in a picture file.

    file: its contents. identity: of the FaceReader. looking: the arguments of `minidl.faces.look`
    """
    rest = f"{identity} {sorted(looking.items())}"
    return sha256(sha256(file).digest() + rest.encode()).hexdigest()


def _fields(face):
    return {
        "box": face.box,
        "score": face.score,
        "turned": face.turned,
        "stretched": face.stretched,
        "landmarks": _text(face.landmarks),
        "embedding": _text(face.embedding),
    }


def _face(fields):
    box, score = fields["box"], fields["score"]
    if len(box) != 4 or not all(map(is_number, (*box, score, fields["turned"]))):
        raise ValueError
    return Face(
        box=tuple(map(float, box)),
        score=float(score),
        landmarks=_numbers(fields["landmarks"]).reshape(-1, 2),
        embedding=_numbers(fields["embedding"]),
        turned=int(fields["turned"]),
        stretched=bool(fields["stretched"]),
    )


def _text(array: Array) -> str:
    return b64encode(np.ascontiguousarray(array, STORED).tobytes()).decode()


def _numbers(text: str) -> Array:
    numbers = np.frombuffer(b64decode(text, validate=True), STORED).astype(np.float32)
    if not np.isfinite(numbers).all():
        raise ValueError
    return numbers
