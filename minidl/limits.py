"""How much a file of unknown origin may ask for.

A file is read only within these limits, which are checked before anything is allocated. Each is far above what real files of
weights and data sets hold.
"""

from math import prod
from reprlib import repr as short

from minidl.errors import FileError
from minidl.shapes import is_int

AXES = 32  # of an array; HDF5 has no more
NUMBERS = 2**48  # of an array
FINITE = 1e30  # a single number, such as a scale or a rate
NAME = 1000  # characters
DEPTH = 32  # groups within groups
ENTRIES = 10_000  # arrays, groups, or files of an archive; the largest networks have some thousands
ATTRIBUTES = 1000  # of an HDF5 file; libhdf5 takes seconds for some thousands
INSTRUCTIONS = 2**20  # of a pickle; a state dict needs about 30 for each tensor
TEXT = 2**22  # bytes of JSON; a manifest needs about 100 for each array
PACKED = 20  # bytes that a byte of a file may unpack to, beyond SPARE
SPARE = 2**26  # bytes that even the smallest file may unpack to


class Allowance:
    """The bytes of arrays that a file may still unpack to: PACKED times its own length, and SPARE."""

    def __init__(self, path):
        self.path = path
        self.left = PACKED * path.stat().st_size + SPARE

    def spend(self, size, what):
        """Take `size` bytes for `what`, or raise a FileError."""
        if size > self.left:
            raise FileError(f"{self.path} claims {size:,} bytes for {what}, more than it can hold; get it again")
        self.left -= size


def in_memory(count, dtype):
    """The bytes of so many numbers of a dtype, which become float32 where they are smaller.

    >>> import numpy as np
    >>> in_memory(10, np.dtype("u1")), in_memory(10, np.dtype("f8"))
    (40, 80)
    """
    return count * max(dtype.itemsize, 4)


def is_shape(value):
    """Whether a list or tuple is the shape of an array that could exist.

    >>> is_shape([3, 3, 64]), is_shape([3.0]), is_shape([-1]), is_shape([1] * 33), is_shape([10**9] * 6)
    (True, False, False, False, False)
    """
    return (
        isinstance(value, list | tuple)
        and len(value) <= AXES
        and all(is_int(length) and 0 <= length <= NUMBERS for length in value)
        and prod(value) <= NUMBERS
    )


def must_have_few(count, what, path):
    """Refuse a file of more than ENTRIES things."""
    if count > ENTRIES:
        raise FileError(f"{path} holds more than {ENTRIES:,} {what}; wanted a file of weights")


def must_have_names(names, path):
    """Refuse names of arrays that are no text, have control characters, or do not end."""
    for name in names:
        if not isinstance(name, str) or not name.isprintable():
            raise FileError(f"{path} names an array {short(name)}, which is no plain text: it is damaged or no file of weights")
        if len(name) > NAME:
            raise FileError(
                f"{path} names an array with {len(name):,} characters, {name[:40]!r}...; wanted at most {NAME:,}: it is "
                "damaged or no file of weights"
            )
