"""How often a JPEG file goes over its pixels.

A progressive JPEG stores its pixels in scans, each of which refines all of them. A scan may take 50
bytes, but a decoder goes over the whole picture for each, so a small file with thousands of scans
takes hours. libjpeg has no limit of its own.
"""

import re

MOST_SCANS = 100  # encoders write about ten
START, END, SCAN = b"\xff\xd8", 0xD9, 0xDA
# A marker is 255 and a code; within a scan, 255 0 stands for the number 255, and 255 208 to 255 215
# for a restart.
MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")


def scans(stream):
    """The number of scans in the bytes of a JPEG file, up to its end marker; thumbnails are not
    counted.

    >>> segment = b"\\xff\\xda\\x00\\x03a"  # a marker, the length of what follows it, and that
    >>> scans(START + segment + b"pixels" + segment + b"\\xff\\x00\\xff\\xd9" + segment)
    2
    """
    count, position = 0, len(START)
    while (found := MARKER.search(stream, position)) and found[1][0] != END:
        count += found[1][0] == SCAN
        position = found.end() + max(
            2, int.from_bytes(stream[found.end() : found.end() + 2], "big")
        )
    return count
