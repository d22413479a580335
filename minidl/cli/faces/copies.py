"""Copies of pictures with boxes and landmarks, which `minidl faces find` writes to a folder."""

from pathlib import Path

from minidl.cli.faces.pictures import file_name, free
from minidl.data.images import WRITABLE, read_metadata, within_memory, write_image
from minidl.errors import FileError
from minidl.faces import draw_faces
from minidl.files import PRIVATE_FOLDER, make_folder, must_be_writable, must_differ

# key of the metadata in the copies; the value is the original's name
DRAWN = "faces drawn into a copy of"


class Copies:
    """The copies of pictures in a folder.

    A copy is called NAME-faces, in a format that minidl writes, with a number if another copy has
    that name. That of a frame is called NAME-faces-frame-N. An earlier copy is replaced, and no
    other file. Raise FileError if a copy would replace another file.
    """

    def __init__(self, paths, folder):
        make_folder(folder, PRIVATE_FOLDER)
        self._copies: dict[Path, Path] = {}
        for path in dict.fromkeys(paths):
            suffix = path.suffix if path.suffix.lower() in WRITABLE else ".png"
            copy = free(folder / f"{file_name(path.stem)}-faces{suffix}", self._copies.values())
            self._copies[path] = must_be_writable(copy)
        must_differ(
            {f"the copy of {path}": copy for path, copy in self._copies.items()},
            {f"picture {path}": path for path in self._copies},
        )
        for copy in self._copies.values():
            _must_be_a_copy(copy)

    def draw(self, path, picture, faces, frame=None):
        """Write the copy of a picture, and return its path. frame: its number in a sequence"""
        copy = self._copies[path]
        if frame is not None:
            copy = copy.with_name(f"{copy.stem}-frame-{frame}{copy.suffix}")
            _must_be_a_copy(copy)
        with within_memory(path):
            write_image(copy, draw_faces(picture, faces), {DRAWN: path.name})
        return copy


def _must_be_a_copy(path):
    """Refuse to replace a file that is no earlier copy."""
    if path.exists() and not _is_drawn(path):
        raise FileError(
            f"{path} exists already and was not drawn by minidl; name another folder, so that "
            "it is not overwritten"
        )


def _is_drawn(path):
    try:
        metadata = read_metadata(path)
    except FileError:
        return False
    return isinstance(metadata, dict) and DRAWN in metadata
