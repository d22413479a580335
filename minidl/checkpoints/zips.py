"""Zip archives of unknown origin: .npz and PyTorch files."""

import zipfile

from minidl.errors import FileError
from minidl.limits import ENTRIES, must_have_few

DIRECTORY = 256  # bytes of the directory for each entry; PyTorch and NumPy write fewer than 100
_SIZE = 5  # index of the directory's length in the end record


def opened(path):
    """Open a zipfile.ZipFile. Raises FileError for a directory that is too long, which zipfile
    would read at once."""
    with open(path, "rb") as file:
        end = zipfile._EndRecData(file)  # type: ignore[attr-defined]
    if end and end[_SIZE] > DIRECTORY * ENTRIES:
        raise FileError(
            f"{path} has a directory of {end[_SIZE]:,} bytes; wanted a file of weights, with at most {ENTRIES:,} arrays"
        )
    archive = zipfile.ZipFile(path)
    try:
        must_have_few(len(archive.infolist()), "files", path)
    except FileError:
        archive.close()
        raise
    return archive


def exactly(stream, size, name, path):
    """Read `size` bytes of an entry of an archive. Raises FileError where it has fewer."""
    contents = stream.read(size)
    if len(contents) != size:
        raise FileError(
            f"{path} is cut off or damaged: {name} ends after {len(contents):,} of {size:,} bytes; get it again"
        )
    return contents


def must_end(stream, name, path):
    """Raise FileError where the entry has more bytes. Reading its end makes zipfile check the
    checksum."""
    if stream.read(1):
        raise FileError(f"{path} is damaged: {name} holds more than its header says; get it again")
