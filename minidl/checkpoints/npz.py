"""Read NumPy's .npy, a file of one array, and .npz, a zip archive of such files.

An array is stored as a text header followed by its numbers. The header is a Python literal such as
{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }. It is read by regular expressions,
because Python's parser needs much memory for a few kilobytes of brackets. The size of an entry is
computed from this header, not from the directory of the archive.
"""

import pathlib
import re
import zipfile
from collections.abc import Collection
from math import prod

import numpy as np

from minidl.checkpoints.checkpoint import Checkpoint, placeholder
from minidl.checkpoints.zips import must_end, opened, read_exactly
from minidl.errors import FileError, brief
from minidl.limits import Allowance, in_memory, is_shape, must_have_names
from minidl.typing import Array, Path

MAGIC = b"\x93NUMPY"
LONGEST = 4096  # bytes of a header
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DTYPE = re.compile(r"['\"]descr['\"]\s*:\s*['\"]([<>=|]?[fiub][0-9]{1,2})['\"]")
_ORDER = re.compile(r"['\"]fortran_order['\"]\s*:\s*(True|False)\b")
_SHAPE = re.compile(r"['\"]shape['\"]\s*:\s*\(([0-9L,\s]*)\)")
_ANY_DTYPE = re.compile(r"['\"]descr['\"]\s*:\s*(.{1,40})")


def read_npz(path: Path, wanted: Collection[str] | None = None) -> Checkpoint:
    """Read an .npz file. The arrays have the names of the archive's entries.

    wanted: see `read`. Raises FileError if an entry is damaged or holds Python objects, because
    reading those could run code.
    """
    allowance, arrays = Allowance(path), {}
    with opened(path) as archive:
        for entry in archive.infolist():
            name = entry.filename.removesuffix(".npy")
            must_have_names([name], path)
            if entry.compress_type not in _COMPRESSIONS:
                raise FileError(
                    f"{path} has {name} compressed by a method that NumPy never uses; save it "
                    "again with numpy.savez"
                )
            with archive.open(entry) as stream:
                arrays[name] = _array(stream, name, allowance, wanted is None or name in wanted)
    return Checkpoint(arrays, form="npz")


def read_npy(path: Path) -> Array:
    """Return the array of an .npy file of numbers. Raises FileError if the file is of another kind
    or its length does not match its header."""
    with open(path, "rb") as stream:
        shape, order, dtype = _header(stream, "the array", path)
        expected = prod(shape) * dtype.itemsize
        size = pathlib.Path(path).stat().st_size - stream.tell()
        if size != expected:
            raise FileError(
                f"{path} holds {size:,} bytes of numbers, but its header says {expected:,}; write "
                "it again with numpy.save"
            )
        return np.frombuffer(stream.read(size), dtype).reshape(shape, order=order)


def _array(stream, name, allowance, is_wanted):
    shape, order, dtype = _header(stream, name, allowance.path)
    if not is_wanted:
        return placeholder(shape, dtype)
    size = prod(shape) * dtype.itemsize
    allowance.spend(in_memory(prod(shape), dtype), name)
    contents = read_exactly(stream, size, name, allowance.path)
    must_end(stream, name, allowance.path)
    return np.frombuffer(contents, dtype).reshape(shape, order=order)


def _header(stream, name, path):
    """Return (shape, order, dtype) of the array that follows in the stream."""
    magic = read_exactly(stream, 6, name, path)
    major, _ = read_exactly(stream, 2, name, path)
    if magic != MAGIC or major not in (1, 2, 3):
        raise FileError(
            f"{path} is damaged: {name} begins with {magic!r}; wanted {MAGIC!r}: get it again"
        )
    digits = read_exactly(stream, 2 if major == 1 else 4, name, path)
    length = int.from_bytes(digits, "little")
    if length > LONGEST:
        raise FileError(
            f"{path} is damaged: the header of {name} has {length:,} bytes; wanted at most "
            f"{LONGEST:,}: get it again"
        )
    header = read_exactly(stream, length, name, path).decode("latin-1")
    dtype, order, lengths = (pattern.search(header) for pattern in (_DTYPE, _ORDER, _SHAPE))
    if not dtype:
        other = _ANY_DTYPE.search(header)
        raise FileError(
            f"{path} holds {name} as {brief(other[1]) if other else 'an unknown type'}; wanted "
            "plain numbers: save it again as float32"
        )
    shape = tuple(map(int, re.findall(r"[0-9]+", lengths[1]))) if lengths else None
    if not order or shape is None or not is_shape(shape):
        raise FileError(
            f"{path} is damaged: the header of {name} is {brief(header)}; wanted a shape and "
            "order: get it again"
        )
    return shape, "F" if order[1] == "True" else "C", np.dtype(dtype[1])
