"""Picture files and their faces: reading them one after the other, the words and JSON that describe
a face, and names for files to write."""

import numpy as np

from minidl.cli.faces.watching import watched
from minidl.cli.output import counted, shown, warn
from minidl.data.folders import files_within
from minidl.data.images import within_memory
from minidl.errors import FileError, listed
from minidl.faces import read_album, read_faces
from minidl.faces.cache import key_of
from minidl.faces.portraits import DOUBTFUL
from minidl.files import must_exist, numbered

ADVICE = "use a picture with a larger face, seen more from the front"
BOX = ("x", "y", "width", "height")
CHANGES = ("turned", "stretched")  # what was done to a picture to find a face
LONGEST_NAME = 150  # bytes


class Pictures:
    """Pictures and their faces. A file that cannot be read, or that the command refuses, is
    reported on the standard error; the exit code is then 2, and the other files are still read.

    paths: of pictures, and of folders, which stand for all pictures in them and their subfolders.
    cache: a FaceCache, or None. looking: as `minidl.faces.look` takes it
    """

    def __init__(self, paths, cache=None, **looking):
        self._cache, self._looking, self.exit_code = cache, looking, 0
        self.paths = [picture for path in paths for picture in self._pictures(path)]

    def _pictures(self, path):
        """Return the paths of the pictures that a path stands for."""
        if not path.is_dir():
            return [path]
        try:
            pictures, others = files_within(path)
        except FileError as error:
            self.refuse(error)
            return []
        warn_of_others(path, others)
        return pictures or [path]  # a folder without pictures is refused when it is read

    def faces(self, reader, embed=True):
        """Yield the path, the Faces and the bytes of each file that can be read.

        The file is read once, so that the Faces and the bytes belong to the same picture.
        """
        for path, file in self.files():
            faces = self.faces_of(path, file, reader, embed)
            if faces is not None:
                yield path, faces, file

    def files(self):
        """Yield the path and the bytes of each file that can be read."""
        for path in watched(self.paths):
            try:
                file = contents(path)
            except FileError as error:
                self.refuse(error)
            else:
                yield path, file

    def faces_of(self, path, file, reader, embed=True):
        """Return the Faces of the bytes of a file, or None if it is refused."""
        if self._cache is not None:
            key = key_of(file, reader.identity, self._looking)
            known = self._cache.get(key)
            if known is not None:
                return known
        try:
            faces = read_faces(path, reader, embed, file, **self._looking)
        except FileError as error:
            self.refuse(error)
            return None
        if self._cache is not None:
            self._cache.put(key, faces)
        return faces

    def refuse(self, reason):
        self.exit_code = 2
        warn(reason)


def album_of(folder, reader, **looking):
    """Return the Album of a folder PERSON/PICTURE. Warn of files that cannot be read, and of
    pictures without a face or with several faces.

    looking: as `minidl.faces.look` takes it
    """
    album = read_album(folder, reader, watched, **looking)
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


def warn_of_others(folder, files):
    """Warn of the files in a folder that are left out because they do not end like pictures."""
    if files:
        names = listed([str(path.relative_to(folder)) for path in files])
        warn(
            f"{counted(len(files), 'file')} in {folder} left out, because the names do not end "
            f"like those of pictures that minidl reads: {names}"
        )


def contents(path):
    """Return the contents of a picture file. Raise FileError if it cannot be read."""
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


def changes(face):
    """Return what was done to a picture to find a face, as the end of a sentence."""
    turned = f", the picture turned by {face.turned}°" if face.turned else ""
    return turned + ", its contrast stretched" * face.stretched


def record(face, landmarks=False):
    """Return a face as a dict for JSON."""
    fields = {"box": [float(number) for number in face.box], "score": float(face.score)}
    fields |= {"turned": face.turned, "stretched": face.stretched}
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
