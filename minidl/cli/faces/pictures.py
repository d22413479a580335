"""Picture files and their faces: reading them one after the other, the words and JSON that describe
a face, and names for files to write."""

import sys

import numpy as np
from tqdm import tqdm

from minidl.cli.output import counted, shown, warn
from minidl.data.images import within_memory
from minidl.errors import FileError, listed
from minidl.faces import read_album, read_faces
from minidl.faces.portraits import DOUBTFUL
from minidl.files import must_exist, numbered

ADVICE = "use a picture with a larger face, seen more from the front"
BOX = ("x", "y", "width", "height")
LONGEST_NAME = 150  # bytes


class Pictures:
    """Pictures and their faces. A file that cannot be read, or that the command refuses, is
    reported on the standard error; the exit code is then 2, and the other files are still read."""

    def __init__(self, paths):
        self._paths, self.exit_code = paths, 0

    def faces(self, reader, embed=True):
        """Yield the path, the Faces and the bytes of each file that can be read.

        The file is read once, so that the Faces and the bytes belong to the same picture.
        """
        for path in watched(self._paths):
            try:
                file = _bytes(path)
                faces = read_faces(path, reader, embed, file)
            except FileError as error:
                self.refuse(error)
            else:
                yield path, faces, file

    def refuse(self, reason):
        self.exit_code = 2
        warn(reason)


def album_of(folder, reader):
    """Return the Album of a folder PERSON/PICTURE. Warn of files that cannot be read, and of
    pictures without a face or with several faces."""
    album = read_album(folder, reader, watched)
    for error in album.unreadable:
        warn(error)
    remarks = {
        "no face was found": album.faceless,
        "there are several faces, and the largest is used": album.several,
    }
    for remark, paths in remarks.items():
        if paths:
            names = listed([str(path.relative_to(folder)) for path in paths])
            warn(f"in {counted(len(paths), 'picture')} {remark}: {names}")
    return album


def watched(paths):
    """Return the paths with a progress bar, if there are several and stderr is a terminal."""
    is_terminal = sys.stderr and sys.stderr.isatty()
    return tqdm(paths, unit="picture", leave=False, disable=not is_terminal or len(paths) < 2)


def _bytes(path):
    try:
        with within_memory(path):
            return must_exist(path, "picture").read_bytes()
    except FileError:
        raise
    except OSError as error:
        raise FileError(
            f"{path} cannot be read ({error}); check the disk, then run the command again"
        ) from error


def warn_of_doubt(path, face):
    """Warn if the box of a face has a low score."""
    if face.score < DOUBTFUL:
        warn(
            f"{path}: the box at {place(face)} may show no face, with a score of {face.score:.2f}; "
            f"look at it with `minidl faces find --output`, or {ADVICE}"
        )


def no_face_in(path):
    return f"{shown(path)}: no face was found"


def place(face):
    x, y, width, height = (round(float(number)) for number in face.box)
    return f"{x},{y} ({width}x{height})"


def record(face, landmarks=False):
    """Return a face as a dict for JSON."""
    fields = {"box": [float(number) for number in face.box], "score": float(face.score)}
    if landmarks:
        fields["landmarks"] = np.asarray(face.landmarks, float).tolist()
    return fields


def file_name(name):
    """Return the name of a person or a picture as that of a file.

    >>> file_name("A/B: C?"), file_name("..")
    ('A_B_ C_', '_')
    """
    allowed = "".join("_" if c in '/\\:*?"<>|' else c for c in shown(name))
    return allowed.encode()[:LONGEST_NAME].decode(errors="ignore").strip(". ") or "_"


def free(path, taken):
    """Return the path, with a number after its name if it is among the taken ones."""
    return next(name for name in numbered(path) if name not in taken)
