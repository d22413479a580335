"""Zip archives of unknown origin, in which .npz and PyTorch files come."""

import zipfile

from minidl.errors import FileError
from minidl.limits import ENTRIES, must_have_few

DIRECTORY = 256  # bytes of the directory for an entry; PyTorch and NumPy write less than 100
_SIZE = 5  # the place of the directory's length in its end record


def opened(path):
    """A zipfile.ZipFile. FileError: its directory lists too much, which zipfile would read in one piece."""
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
    """The next `size` bytes of an archive's entry. FileError: it has fewer."""
    contents = stream.read(size)
    if len(contents) != size:
        raise FileError(f"{path} is cut off or damaged: {name} ends after {len(contents):,} of {size:,} bytes; get it again")
    return contents


def must_end(stream, name, path):
    """FileError: the entry goes on, or its checksum is wrong."""
    if stream.read(1):
        raise FileError(f"{path} is damaged: {name} holds more than its header tells; get it again")
