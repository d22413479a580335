"""Files of data sets as they are handed around: plain, gzip or xz, told by their content."""

import gzip
import lzma
import zlib

from minidl.errors import FileError
from minidl.files import must_exist

LARGEST = 2**30  # bytes unpacked; the largest official file, the archive of CIFAR-10, has 184 million


def unpacked(path):
    """All bytes of a file, unpacked where it is packed. Raises FileError where it is damaged or absurdly large."""
    with open(must_exist(path), "rb") as file:
        start = file.read(6)
    opener = gzip.open if start.startswith(b"\x1f\x8b") else lzma.open if start == b"\xfd7zXZ\0" else open
    try:
        with opener(path, "rb") as file:
            content = file.read(LARGEST + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
        raise damaged(path, str(error)) from error
    if len(content) > LARGEST:
        raise FileError(f"{path} unpacks to more than {LARGEST:,} bytes, which no official file does; fetch the official one")
    return content


def damaged(path, why):
    """The FileError for a file that is not what its name says, to be raised."""
    return FileError(f"{path} is damaged or not what its name says: {why}; fetch it again")
