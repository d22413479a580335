"""Pictures one after the other, of which a bad one does not stop the others, and the words for what
is seen in them."""

import sys

import numpy as np
from tqdm import tqdm

from minidl.cli.output import counted, shown, warn
from minidl.data.images import within_memory
from minidl.errors import FileError, listed
from minidl.faces import read_album, read_faces
from minidl.faces.portraits import DOUBTFUL
from minidl.files import must_exist

MENDED = "take a picture that shows one larger, or more from the front"
BOX = ("x", "y", "width", "height")


def watched(paths):
    """The paths, with a bar where there are several, and a terminal"""
    somebody_looks = sys.stderr and sys.stderr.isatty()
    return tqdm(paths, unit="picture", leave=False, disable=not somebody_looks or len(paths) < 2)


class Pictures:
    """Pictures and their faces. A file that cannot be read, or that the command refuses, is said on
    the standard error, and the exit code is then 2."""

    def __init__(self, paths):
        self._paths, self.exit_code = paths, 0

    def faces(self, reader, embed=True):
        """(path, [Face], bytes of the file) of each that can be read; it is read once, so that
        these are of one picture"""
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


def _bytes(path):
    try:
        with within_memory(path):
            return must_exist(path, "picture").read_bytes()
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{path} cannot be read ({error}); see that it stays there") from error


def album_of(folder, reader):
    """The Album of a folder PERSON/PICTURE; what could not be read or seen in it is said."""
    album = read_album(folder, reader, watched)
    for error in album.unreadable:
        warn(error)
    for what, paths in {
        "no face was found": album.faceless,
        "the largest of several faces is taken": album.several,
    }.items():
        if paths:
            names = listed([str(path.relative_to(folder)) for path in paths])
            warn(f"in {counted(len(paths), 'picture')} {what}: {names}")
    return album


def warn_of_doubt(path, face):
    """Where it may be none"""
    if face.score < DOUBTFUL:
        warn(f"{path}: what is at {place(face)} may be no face, with a score of {face.score:.2f}; look at it with `minidl "
             f"faces find --output`, or {MENDED}")  # fmt: skip


def no_face_in(path):
    return f"{shown(path)}: no face was found"


def place(face):
    x, y, width, height = (round(float(number)) for number in face.box)
    return f"{x},{y} ({width}x{height})"


def record(face, landmarks=False):
    """For JSON"""
    told = {"box": [float(number) for number in face.box], "score": float(face.score)}
    return told | ({"landmarks": np.asarray(face.landmarks, float).tolist()} if landmarks else {})
