"""Count the scans of a JPEG file, and refuse files with too many.

A progressive JPEG stores its pixels in scans, each of which refines all pixels. A scan may take 50
bytes, but the decoder processes the whole picture for each one, so a small file with thousands of
scans takes hours. libjpeg has no limit of its own.
"""

import mmap
import re

from minidl.errors import FileError
from minidl.typing import Path

MOST_SCANS = 100  # encoders write about ten
START, END, SCAN = b"\xff\xd8", 0xD9, 0xDA
# A marker is 255 and a code. Within a scan, 255 0 represents the number 255, and 255 208 to 255 215
# a restart.
MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")


def scans(stream: bytes | mmap.mmap) -> int:
    """Return the number of scans in the bytes of a JPEG file, up to its end marker. The scans of
    thumbnails do not count.

    >>> segment = b"\\xff\\xda\\x00\\x03a"  # a marker, the length of what follows it, and that
    >>> scans(START + segment + b"pixels" + segment + b"\\xff\\x00\\xff\\xd9" + segment)
    2
    """
    count, position = 0, len(START)
    while (marker := MARKER.search(stream, position)) and marker[1][0] != END:
        count += marker[1][0] == SCAN
        length = int.from_bytes(stream[marker.end() : marker.end() + 2], "big")
        position = marker.end() + max(2, length)
    return count


def must_have_few_scans(path: Path, contents: bytes | None = None) -> None:
    """Raise FileError if a JPEG file has more than MOST_SCANS scans.

    contents: the bytes of the file, if they were read already.
    """
    if contents is None:
        with open(path, "rb") as file:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as stream:
                count = scans(stream)
    else:
        count = scans(contents)
    if count > MOST_SCANS:
        raise FileError(
            f"{path} stores its pixels in {count:,} scans; wanted at most {MOST_SCANS}: save it "
            "again as a PNG"
        )
