"""Read tar archives of plain files with short names.

An archive is a sequence of blocks of 512 bytes. A file is stored as a header block followed by the
blocks of its content. The header contains the name in its first 100 bytes, the size in 12 octal
digits at byte 124, a checksum at byte 148 and the kind at byte 156. A block of zeros ends the
archive.

Python's tarfile also accepts sizes in the text of other members, sparse files and negative lengths.
With these a malicious archive can make it seek far beyond the end, or loop.
"""

import re
from collections.abc import Iterator

BLOCK = 512
NAME, SIZE, CHECKSUM, KIND = slice(0, 100), slice(124, 136), slice(148, 156), slice(156, 157)
PLAIN = b"0", b"\0"


class TarError(Exception):
    """An archive is damaged. The message is the second half of a sentence about the file."""


def members(archive: bytes) -> Iterator[tuple[str, slice]]:
    """Yield the name of each plain file, and the slice of the archive that is its content. Raises
    TarError if the archive is damaged."""
    begin = 0
    while header := archive[begin : begin + BLOCK]:
        if not header.strip(b"\0"):
            return
        name = header[NAME].partition(b"\0")[0].decode("latin-1")
        checksum, size = _octal(header[CHECKSUM]), _octal(header[SIZE])
        blank = header[: CHECKSUM.start] + b" " * 8 + header[CHECKSUM.stop :]
        if len(header) < BLOCK or checksum != sum(blank):
            raise TarError(f"it has no header of a member at byte {begin:,}")
        begin += BLOCK
        if size is None or begin + size > len(archive):
            raise TarError(f"it ends within the member at byte {begin - BLOCK:,}")
        if header[KIND] in PLAIN:
            yield name, slice(begin, begin + size)
        begin += -(-size // BLOCK) * BLOCK


def _octal(field):
    """Return the octal number in a field, or None if it contains no number."""
    digits = re.fullmatch(rb" *([0-7]{1,11})[ \0]*", field)
    return int(digits[1], 8) if digits else None
