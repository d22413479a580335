"""Archives of tar, as far as data sets come in them: plain files with short names.

An archive is a row of blocks of 512 bytes. A header (name 100, .. size 12 octal digits at 124, .. checksum at 148, kind at 156)
stands before the blocks of each file; a block of zeros ends it. Python's tarfile understands much more, such as sizes in the
text of other members, sparse files and negative lengths, by which an archive can send it far away or round in circles.
"""

import re

BLOCK = 512
NAME, SIZE, CHECKSUM, KIND = slice(0, 100), slice(124, 136), slice(148, 156), slice(156, 157)
PLAIN = b"0", b"\0"


class TarError(Exception):
    """What is wrong with an archive; the sentence lacks its subject, the file."""


def members(archive):
    """(name, slice of the content) of each plain file in an archive, which are its bytes. TarError: it is damaged."""
    begin = 0
    while header := archive[begin : begin + BLOCK]:
        if not header.strip(b"\0"):
            return
        name = header[NAME].partition(b"\0")[0].decode("latin-1")
        told, size = _octal(header[CHECKSUM]), _octal(header[SIZE])
        blank = header[: CHECKSUM.start] + b" " * 8 + header[CHECKSUM.stop :]
        if len(header) < BLOCK or told != sum(blank):
            raise TarError(f"it has no header of a member at byte {begin:,}")
        begin += BLOCK
        if size is None or begin + size > len(archive):
            raise TarError(f"it ends within the member at byte {begin - BLOCK:,}")
        if header[KIND] in PLAIN:
            yield name, slice(begin, begin + size)
        begin += -(-size // BLOCK) * BLOCK


def _octal(field):
    """The number in a field; None where there is none"""
    digits = re.fullmatch(rb" *([0-7]{1,11})[ \0]*", field)
    return int(digits[1], 8) if digits else None
