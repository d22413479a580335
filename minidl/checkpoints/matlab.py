"""Read MATLAB's MAT-files of version 5, which MATLAB writes with the options -v6 and -v7.

A file has a header of 128 bytes and then elements: a type, a size, and so many bytes.

    1 .. 13    numbers                      15        a compressed element (zlib)
    14         an array, made of elements   16 .. 18  text

An array consists of its flags with its class, its shape, its name and its contents. The contents of
a cell array are arrays. Those of a structure are the names of the fields and an array for each.
The source is "MAT-File Format" (The MathWorks).

scipy.io.loadmat reads the same files but trusts them. It crashes if cells are nested some thousand
deep, and takes gigabytes for a small file that claims a large cell or decompresses to much.
"""

import io
import pathlib
import struct
import zlib
from collections.abc import Collection
from math import prod
from typing import IO, Any

import numpy as np

from minidl.checkpoints.checkpoint import placeholder
from minidl.errors import FileError
from minidl.limits import DEPTH, NUMBERS, Allowance, in_memory, is_shape
from minidl.typing import Path

SIGNATURE = b"MATLAB "
ARRAYS = 2**17  # in a file; a network needs a few thousand
TEXT = 2**20  # bytes of a text, of a shape, or of the names of fields
PIECE = 2**16  # bytes that are decompressed at once

_HEADER = 128
_ORDERS = {b"IM": "<", b"MI": ">"}  # how the header writes the letters "MI" as one number
_DTYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4"}
_DTYPES |= {7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_LETTERS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
_ARRAY, _COMPRESSED = 14, 15
_CELL, _STRUCTURE, _TEXT, _NUMERIC = 1, 2, 4, range(6, 16)  # classes of arrays
_COMPLEX = 0x800


def variables(path: Path, names: Collection[str], largest: int = NUMBERS) -> dict[str, Any]:
    """Return {name: value} of some variables of a MAT-file.

    A value is an array of MATLAB's shape for numbers, a text, a list of texts for several lines, a
    list for a cell array, a dict for a structure, a list of dicts for an array of structures, and
    None for anything else.

    names: of the variables. largest: arrays of more numbers are not read; they become zeros of
    their shape.

    Raises FileError if the file has another version or is damaged.
    """
    values, limits = {}, _Limits(path, largest)
    with open(path, "rb") as file:
        header = file.read(_HEADER)
        if len(header) < _HEADER:
            raise limits.damaged(f"it ends after {len(header)} bytes")
        order = _ORDERS.get(header[126:])
        if not order or not header.startswith(b"MATLAB 5"):
            raise FileError(
                f"{path} is a MAT-file of another version than 5; save it again with the option -v7"
            )
        limits.order = order
        end = pathlib.Path(path).stat().st_size
        while (begin := file.tell()) < end:
            kind, size, _ = _Elements(file, end - begin, limits).head()
            if size > end - file.tell():
                raise limits.damaged(f"it ends within an array of {size:,} bytes")
            if kind == _COMPRESSED:
                name, value = _compressed(file, size, names, limits)
            else:
                file.seek(begin)
                name, value = _Elements(file, end - begin, limits).array(names)
            if name in names:
                values[name] = value
            file.seek(begin + 8 + size)
    return values


def _compressed(file, size, names, limits):
    """Return (name, value) of the array that the next `size` bytes of the file decompress to."""
    most, contents = limits.unpacked.left, _Decompressed(file, size)
    stream = io.BufferedReader(contents, PIECE)
    elements = _Elements(stream, most, limits)
    name, value = elements.array(names)
    if stream.read(1) or not contents.unpacker.eof:
        raise limits.damaged("a compressed array has another length than it says")
    limits.unpacked.spend(most - elements.left, "compressed arrays")
    return name, value


class _Limits:
    """What is left for the arrays of a file, and how they are read."""

    order: str  # "<" or ">" of the bytes of a number

    def __init__(self, path, largest):
        self.path, self.largest = path, largest
        self.memory, self.unpacked = Allowance(path), Allowance(path)
        self.arrays = ARRAYS

    def damaged(self, what):
        return FileError(f"{self.path} is damaged: {what}; get it again")


class _Decompressed(io.RawIOBase):
    """The bytes that the next `size` bytes of a file decompress to."""

    def __init__(self, file: IO[bytes], size: int):
        self.file, self.left, self.unpacker = file, size, zlib.decompressobj()

    def readable(self):
        return True

    def readinto(self, buffer):
        contents = b""
        while not contents and not self.unpacker.eof:
            packed = self.unpacker.unconsumed_tail
            if not packed:
                packed = self.file.read(min(self.left, PIECE))
                self.left -= len(packed)
                if not packed:
                    break
            contents = self.unpacker.decompress(packed, len(buffer))
        buffer[: len(contents)] = contents
        return len(contents)


class _Elements:
    """Reads one element after the other from a stream, of which `left` more bytes may be read."""

    def __init__(self, stream, left, limits):
        self.stream, self.left, self.limits = stream, left, limits

    def array(self, names=None, depth=0):
        """Return (name, value) of an array. If `names` are given and do not contain its name, the
        value is None."""
        limits = self.limits
        limits.arrays -= 1
        if depth > DEPTH or limits.arrays < 0:
            raise limits.damaged(f"it holds more than {ARRAYS:,} arrays, or {DEPTH} nested ones")
        kind, size, _ = self.head()
        if kind != _ARRAY or size > self.left:
            raise limits.damaged(
                f"an element of type {kind} and {size:,} bytes stands for an array"
            )
        end = self.left - size
        if not size:
            return "", None
        flags, shape, name = self.numbers(), tuple(map(int, self.numbers())), self.text()
        if len(flags) != 2 or not is_shape(shape):
            raise limits.damaged(f"an array has the shape {shape[:9]}")
        value = None
        if names is None or name in names:
            value = self._contents(int(flags[0]), shape, depth)
        self.skip(self.left - end)
        return name, value

    def _contents(self, flags, shape, depth):
        kind = flags & 0xFF
        if kind == _CELL:
            self.must_hold(prod(shape), "cells")
            return [self.array(depth=depth + 1)[1] for _ in range(prod(shape))]
        if kind == _STRUCTURE:
            return self._structures(prod(shape), depth)
        if kind == _TEXT:
            return _lines(self.text(), shape)
        if kind in _NUMERIC and not flags & _COMPLEX:
            return self._values(shape)
        return None

    def _structures(self, count, depth):
        width, letters = max(1, *map(int, self.numbers())), self.text()
        fields = [
            letters[begin : begin + width].partition("\0")[0]
            for begin in range(0, len(letters), width)
        ]
        self.must_hold(count * len(fields), "fields")
        values = [
            {field: self.array(depth=depth + 1)[1] for field in fields}
            for _ in range(count if fields else 0)
        ]
        return values[0] if len(values) == 1 else values

    def _values(self, shape):
        kind, size, is_small = self.head()
        dtype = np.dtype(self.limits.order + _DTYPES.get(kind, "f8"))
        if kind not in _DTYPES or size != prod(shape) * dtype.itemsize or size > self.left:
            raise self.limits.damaged(
                f"an array of shape {shape} has {size:,} bytes of type {kind}"
            )
        if prod(shape) > self.limits.largest:
            self.skip(size + _padding(size, is_small))
            return placeholder(shape, dtype)
        self.limits.memory.spend(in_memory(prod(shape), dtype), "an array")
        contents = self.read(size)
        self.skip(_padding(size, is_small))
        return np.frombuffer(contents, dtype).reshape(shape, order="F")

    def numbers(self):
        """Return the whole numbers of a short element."""
        kind, contents = self._short()
        if kind not in (5, 6):
            raise self.limits.damaged(f"an element of type {kind} stands for whole numbers")
        return np.frombuffer(contents, self.limits.order + _DTYPES[kind])

    def text(self):
        """Return the letters of a short element."""
        kind, contents = self._short()
        if kind not in _LETTERS:
            raise self.limits.damaged(f"an element of type {kind} stands for text")
        letters = _LETTERS[kind]
        if letters in ("utf-16", "utf-32"):
            letters += "-le" if self.limits.order == "<" else "-be"
        return contents.decode(letters, "replace")

    def _short(self):
        kind, size, is_small = self.head()
        if size > TEXT:
            raise self.limits.damaged(f"a text has {size:,} bytes")
        contents = self.read(size)
        self.skip(_padding(size, is_small))
        return kind, contents

    def head(self):
        """Return (type, size, whether the contents are in the last four of its eight bytes)."""
        words = self.read(4)
        kind, size = struct.unpack(f"{self.limits.order}I", words)[0], 0
        if kind >> 16:
            return kind & 0xFFFF, kind >> 16, True
        [size] = struct.unpack(f"{self.limits.order}I", self.read(4))
        return kind, size, False

    def must_hold(self, count, what):
        """Raise FileError if so many arrays are more than can follow: each takes eight bytes."""
        if count > self.limits.arrays or 8 * count > self.left:
            raise self.limits.damaged(f"it claims {count:,} {what}")

    def read(self, size):
        contents = self.stream.read(size) if size <= self.left else b""
        if len(contents) < size:
            raise self.limits.damaged(f"it ends within {size:,} bytes of an array")
        self.left -= size
        return contents

    def skip(self, size):
        if size < 0:
            raise self.limits.damaged("an array is longer than it says")
        while size:
            size -= len(self.read(min(size, PIECE)))


def _padding(size, is_small):
    """Return the bytes between an element and the next, which begins at a multiple of 8 bytes."""
    return 4 - size if is_small else -size % 8


def _lines(letters, shape):
    """Return the text of an array of letters, or the list of its lines, without spaces at the end.
    The letters are stored column after column."""
    rows = shape[0] if shape else 0
    if rows < 2 or len(letters) % rows:
        return letters.rstrip()
    return [letters[row::rows].rstrip() for row in range(rows)] if letters else []
