"""Decompress files of data sets: plain, gzip or xz, as their first bytes indicate."""

import gzip
import lzma
import zlib
from functools import partial

from minidl.errors import FileError, printable
from minidl.files import must_exist
from minidl.limits import PACKED, SPARE
from minidl.typing import Path

# Decompressed bytes of a file. The largest official file, the archive of CIFAR-10, has 184 million.
LARGEST = 2**28
PIECE = 2**16  # bytes that are read at once
XZ_MEMORY = 2**27  # bytes; the largest preset of xz needs 65 million to decompress


def unpacked(path: Path) -> bytes:
    """Return all bytes of a file, decompressed if it is compressed.

    Raises FileError if the file does not exist or is damaged, or if it decompresses to more than
    LARGEST bytes or than PACKED times its length plus SPARE.
    """
    path = must_exist(path)
    most, content = min(LARGEST, PACKED * path.stat().st_size + SPARE), bytearray()
    try:
        with open(path, "rb") as file:
            for piece in _pieces(file):
                content += piece
                if len(content) > most:
                    raise FileError(
                        f"{path} unpacks to more than {most:,} bytes, more than any official file; "
                        "fetch the official one"
                    )
    except (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
        raise damaged(path, printable(str(error), 200)) from error
    return bytes(content)


def _pieces(file):
    """Yield the decompressed bytes of an open file, at most PIECE at a time."""
    start = file.peek(6)
    if start.startswith(b"\xfd7zXZ\0"):
        return _pieces_of_xz(file)
    if start.startswith(b"\x1f\x8b"):
        file = gzip.GzipFile(fileobj=file)
    return iter(partial(file.read, PIECE), b"")


def _pieces_of_xz(file):
    """Do what lzma.open does, but limit the memory that the header of the file can request."""
    unpack = None
    while packed := file.read(PIECE):
        while packed:
            if unpack is None:
                packed = packed.lstrip(b"\0")  # padding between streams
                if packed:
                    unpack = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY)
                continue
            yield unpack.decompress(packed, PIECE)
            while not unpack.eof and not unpack.needs_input:
                yield unpack.decompress(b"", PIECE)
            packed, unpack = (unpack.unused_data, None) if unpack.eof else (b"", unpack)
    if unpack is not None:
        raise EOFError("it ends before its last stream does")


def damaged(path: Path, why: str) -> FileError:
    """Return the error for a file whose contents are not what its name says.

    why: the reason, for the message.
    """
    return FileError(f"{path} is damaged or not what its name says: {why}; fetch it again")
