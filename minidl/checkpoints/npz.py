"""NumPy's .npy, a file of one array, and .npz, a zip archive of such files. An array is a header in
text and the raw numbers.

The header is a Python literal, {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }. Regular
expressions read it, because Python's parser needs much memory for a few kilobytes of brackets. The
reader takes the size of an entry from this header and not from the directory of the archive.
"""

import re
import zipfile
from math import prod

import numpy as np

from minidl.checkpoints.checkpoint import Checkpoint, numberless
from minidl.checkpoints.zips import exactly, must_end, opened
from minidl.errors import FileError, brief
from minidl.limits import Allowance, in_memory, is_shape, must_have_names

MAGIC = b"\x93NUMPY"
LONGEST = 4096  # bytes of a header
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DTYPE = re.compile(r"['\"]descr['\"]\s*:\s*['\"]([<>=|]?[fiub][0-9]{1,2})['\"]")
_ORDER = re.compile(r"['\"]fortran_order['\"]\s*:\s*(True|False)\b")
_SHAPE = re.compile(r"['\"]shape['\"]\s*:\s*\(([0-9L,\s]*)\)")


def read_npz(path, wanted=None):
    """A Checkpoint with the arrays as named in the archive; wanted: see `read`. Raises FileError
    for Python objects, because reading them could run code."""
    allowance, arrays = Allowance(path), {}
    with opened(path) as archive:
        for entry in archive.infolist():
            name = entry.filename.removesuffix(".npy")
            must_have_names([name], path)
            if entry.compress_type not in _PACKINGS:
                raise FileError(
                    f"{path} has {name} compressed by a method that NumPy never uses; save it again with numpy.savez"
                )
            with archive.open(entry) as stream:
                arrays[name] = _array(stream, name, allowance, wanted is None or name in wanted)
    return Checkpoint(arrays, form="npz")


def read_npy(path):
    """The array of an .npy file of numbers. Raises FileError for another file, or one that is cut
    off."""
    with open(path, "rb") as stream:
        shape, order, dtype = _header(stream, "the array", path)
        size, found = prod(shape) * dtype.itemsize, path.stat().st_size - stream.tell()
        if size != found:
            raise FileError(
                f"{path} holds {found:,} bytes of numbers, but its header says {size:,}; write it again with numpy.save"
            )
        return np.frombuffer(stream.read(size), dtype).reshape(shape, order=order)


def _array(stream, name, allowance, is_wanted):
    shape, order, dtype = _header(stream, name, allowance.path)
    if not is_wanted:
        return numberless(shape, dtype)
    size = prod(shape) * dtype.itemsize
    allowance.spend(in_memory(prod(shape), dtype), name)
    contents = exactly(stream, size, name, allowance.path)
    must_end(stream, name, allowance.path)
    return np.frombuffer(contents, dtype).reshape(shape, order=order)


def _header(stream, name, path):
    """(shape, order, dtype)"""
    magic, major = exactly(stream, 6, name, path), exactly(stream, 2, name, path)[0]
    if magic != MAGIC or major not in (1, 2, 3):
        raise FileError(
            f"{path} is damaged: {name} begins with {magic!r}; wanted {MAGIC!r}: get it again"
        )
    length = int.from_bytes(exactly(stream, 2 if major == 1 else 4, name, path), "little")
    if length > LONGEST:
        raise FileError(
            f"{path} is damaged: the header of {name} has {length:,} bytes; wanted at most {LONGEST:,}: get it again"
        )
    header = exactly(stream, length, name, path).decode("latin-1")
    dtype, order, lengths = (pattern.search(header) for pattern in (_DTYPE, _ORDER, _SHAPE))
    if not dtype:
        kind = re.search(r"['\"]descr['\"]\s*:\s*(.{1,40})", header)
        raise FileError(
            f"{path} holds {name} as {brief(kind[1]) if kind else 'an unknown type'}; wanted plain numbers: save it again as "
            "float32"
        )
    shape = tuple(map(int, re.findall(r"[0-9]+", lengths[1]))) if lengths else None
    if not order or not is_shape(shape):
        raise FileError(
            f"{path} is damaged: the header of {name} is {brief(header)}; wanted a shape and order: get it again"
        )
    return shape, "F" if order[1] == "True" else "C", np.dtype(dtype[1])
