"""Limits on the sizes, counts and numbers that a file of unknown origin may contain.

The readers check them before they allocate memory. Each limit is far above what real weights and
data sets need.
"""

import pathlib
from collections.abc import Iterable
from math import prod
from typing import Any, TypeGuard

import numpy as np

from minidl.errors import FileError, brief
from minidl.shapes import is_int
from minidl.typing import Path

AXES = 32  # of an array; HDF5 has no more
NUMBERS = 2**48  # in an array
FINITE = 1e30  # largest absolute value of a single number, such as a scale or a rate
NAME = 1000  # characters of a name
DEPTH = 32  # nested groups
ENTRIES = 10_000  # arrays, groups, or files of an archive; the largest networks have a few thousand
ATTRIBUTES = 1000  # of an HDF5 file; libhdf5 takes seconds to read a few thousand
INSTRUCTIONS = 2**20  # of a pickle; a state dict needs about 30 for each tensor
TEXT = 2**22  # bytes of JSON; a manifest needs about 100 for each array
PACKED = 20  # decompressed bytes that each byte of a file allows, in addition to SPARE
SPARE = 2**26  # decompressed bytes that every file is allowed


class Allowance:
    """Counts the bytes that the arrays of a file take in memory. The limit is PACKED times the
    length of the file, plus SPARE."""

    def __init__(self, path: Path):
        self.path = path
        self.left = PACKED * pathlib.Path(path).stat().st_size + SPARE

    def spend(self, size: int, what: str) -> None:
        """Subtract the `size` bytes of the array `what`. Raises FileError if fewer are left."""
        if size > self.left:
            raise FileError(
                f"{self.path} claims {size:,} bytes for {what}, more than it can hold; get it again"
            )
        self.left -= size


def in_memory(count: int, dtype: np.dtype) -> int:
    """Return the bytes that `count` numbers of a dtype take in memory. Numbers of fewer than 4
    bytes become float32.

    >>> in_memory(10, np.dtype("u1")), in_memory(10, np.dtype("f8"))
    (40, 80)
    """
    return count * max(dtype.itemsize, 4)


def is_shape(value: Any) -> bool:
    """Whether the value is a list or tuple of lengths within the limits.

    >>> is_shape([3, 3, 64]), is_shape([3.0]), is_shape([-1])
    (True, False, False)
    >>> is_shape([1] * 33), is_shape([10**9] * 6)
    (False, False)
    """
    return (
        isinstance(value, list | tuple)
        and len(value) <= AXES
        and all(is_int(length) and 0 <= length <= NUMBERS for length in value)
        and prod(value) <= NUMBERS
    )


def is_count(value: Any) -> TypeGuard[int]:
    """Whether the value is an int from 0 to NUMBERS."""
    return is_int(value) and 0 <= value <= NUMBERS


def is_number(value: Any) -> TypeGuard[int | float]:
    """Whether the value is an int or a float from -FINITE to FINITE.

    >>> is_number(1), is_number(0.5), is_number(True), is_number(float("nan")), is_number("1")
    (True, True, False, False, False)
    """
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= FINITE


def must_have_few(count: int, what: str, path: Path) -> None:
    """Raise FileError if the file holds more than ENTRIES of `what`."""
    if count > ENTRIES:
        raise FileError(f"{path} holds more than {ENTRIES:,} {what}; wanted a file of weights")


def must_have_names(names: Iterable[object], path: Path, what: str = "an array") -> None:
    """Raise FileError if the name of an array is not a text, has control characters, or is longer
    than NAME characters. what: what is named, for the message."""
    for name in names:
        if not isinstance(name, str) or not name.isprintable():
            raise FileError(
                f"{path} names {what} {brief(name)}, which is no plain text: it is damaged or no "
                "file of weights"
            )
        if len(name) > NAME:
            raise FileError(
                f"{path} names {what} with {len(name):,} characters, {name[:40]!r}...; wanted at "
                f"most {NAME:,}: it is damaged or no file of weights"
            )
