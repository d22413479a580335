"""Open zip archives of unknown origin (.npz and PyTorch files), and read their entries."""

import zipfile
from typing import IO

from minidl.errors import FileError
from minidl.limits import ENTRIES, must_have_few
from minidl.typing import Path

DIRECTORY = 256  # bytes of the directory for each entry; PyTorch and NumPy write fewer than 100
_SIZE = 5  # index of the directory's length in the end record


def opened(path: Path) -> zipfile.ZipFile:
    """Open a zip archive. Raises FileError if its directory is too long. zipfile reads the whole
    directory at once, so the check comes first."""
    with open(path, "rb") as file:
        end = zipfile._EndRecData(file)  # type: ignore[attr-defined]
    if end and end[_SIZE] > DIRECTORY * ENTRIES:
        raise FileError(
            f"{path} has a directory of {end[_SIZE]:,} bytes; wanted a file of weights, with at "
            f"most {ENTRIES:,} arrays"
        )
    archive = zipfile.ZipFile(path)
    try:
        must_have_few(len(archive.infolist()), "files", path)
    except FileError:
        archive.close()
        raise
    return archive


def read_exactly(stream: IO[bytes], size: int, name: str, path: Path) -> bytes:
    """Read `size` bytes of the entry `name`. Raises FileError if it has fewer."""
    contents = stream.read(size)
    if len(contents) != size:
        raise FileError(
            f"{path} is cut off or damaged: {name} ends after {len(contents):,} of {size:,} bytes; "
            "get it again"
        )
    return contents


def must_end(stream: IO[bytes], name: str, path: Path) -> None:
    """Raise FileError if the entry `name` has more bytes. Reading its end makes zipfile verify the
    checksum."""
    if stream.read(1):
        raise FileError(f"{path} is damaged: {name} holds more than its header says; get it again")
