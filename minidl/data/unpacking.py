"""Files of data sets as they are handed around: plain, gzip or xz, told by their content."""

import gzip
import lzma
import zlib
from functools import partial

from minidl.errors import FileError, printable
from minidl.files import must_exist
from minidl.limits import PACKED, SPARE

# bytes unpacked; the largest official file, the archive of CIFAR-10, has 184 million
LARGEST = 2**28
PIECE = 2**16  # bytes
XZ_MEMORY = 2**27  # bytes; the largest preset of xz needs 65 million to unpack


def unpacked(path):
    """All bytes of a file, decompressed if it is compressed. Raises FileError where it is damaged,
    or unpacks to more than LARGEST bytes or than PACKED times its length plus SPARE."""
    path = must_exist(path)
    most, content = min(LARGEST, PACKED * path.stat().st_size + SPARE), bytearray()
    try:
        with open(path, "rb") as file:
            for piece in _pieces(file):
                content += piece
                if len(content) > most:
                    raise FileError(
                        f"{path} unpacks to more than {most:,} bytes, more than any official file; fetch the official one"
                    )
    except (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
        raise damaged(path, printable(str(error), 200)) from error
    return bytes(content)


def _pieces(file):
    """Yield the unpacked bytes of an open file, at most PIECE at a time."""
    start = file.peek(6)
    if start.startswith(b"\xfd7zXZ\0"):
        return _pieces_of_xz(file)
    return iter(
        partial((gzip.open(file) if start.startswith(b"\x1f\x8b") else file).read, PIECE), b""
    )


def _pieces_of_xz(file):
    """Like lzma.open, but with a limit on the memory that the header of the file requests"""
    unpack = None
    while packed := file.read(PIECE):
        while packed:
            if unpack is None:
                packed = packed.lstrip(b"\0")  # padding between streams
                unpack = (
                    lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY) if packed else None
                )
                continue
            yield unpack.decompress(packed, PIECE)
            while not unpack.eof and not unpack.needs_input:
                yield unpack.decompress(b"", PIECE)
            packed, unpack = (unpack.unused_data, None) if unpack.eof else (b"", unpack)
    if unpack is not None:
        raise EOFError("it ends before its last stream does")


def damaged(path, why):
    """The FileError for a file that is not what its name says, to be raised."""
    return FileError(f"{path} is damaged or not what its name says: {why}; fetch it again")
