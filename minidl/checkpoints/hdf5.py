"""Read HDF5 files of unknown origin within limits, and write minidl's own.

libhdf5 trusts the numbers in a file. With mutated files it hung, and once crashed, while it read
attributes of variable length. It also reads data from other files where a file refers to them.
Therefore only attributes of fixed length are read, and only datasets of plain numbers that are
stored in the file itself and are no larger than the file can hold.
"""

import io
import itertools
import zlib
from collections.abc import Collection, Mapping
from math import prod

import h5py
import numpy as np

from minidl.checkpoints.checkpoint import placeholder
from minidl.errors import FileError
from minidl.limits import ATTRIBUTES, DEPTH, ENTRIES, NAME, Allowance, in_memory
from minidl.typing import Array, Path

SIGNATURE = b"\x89HDF\r\n\x1a\n"

LONGEST_ATTRIBUTE = 1 << 16  # bytes
CHUNK_OVERHEAD = 4096  # bytes that libhdf5 allocates for each chunk besides its values
CHECKSUM = 4  # bytes that the Fletcher-32 filter appends to a chunk before it is compressed

_FILTERS = {
    h5py.h5z.FILTER_DEFLATE,
    h5py.h5z.FILTER_SHUFFLE,
    h5py.h5z.FILTER_FLETCHER32,
    h5py.h5z.FILTER_LZF,
}


def image(attributes: Mapping[str, object], arrays: Mapping[str, Array]) -> memoryview:
    """Return the bytes of an HDF5 file. Equal contents give equal bytes.

    Every dataset is one chunk with a Fletcher-32 checksum, and version 1.10 of the format has
    checksums for everything else, so damage is detected. Text is stored as bytes of fixed length,
    because only such text is safe to read.

    attributes  {name: text or numbers}
    arrays      {path within the file: array}
    """
    # The file is made in memory: where the disk is full, libhdf5 leaves an open file behind, but
    # Python raises a clear OSError.
    memory = io.BytesIO()
    with h5py.File(memory, "w", libver=("v110", "v110")) as file:
        for name, value in attributes.items():
            if isinstance(value, str):
                value = np.bytes_(value.encode("utf-8", "replace"))
            file.attrs[name] = value
        for name, array in arrays.items():
            storage = {"chunks": array.shape, "fletcher32": True} if array.size else {}
            file.create_dataset(name, data=array, track_times=False, **storage)
    return memory.getbuffer()


def attributes(file: h5py.File) -> dict[str, str | Array]:
    """Return {name: text or 1-D array of floats} of the attributes of an open file.

    Attributes of other types, and those that are too long, are left out. Raises FileError if there
    are more than ATTRIBUTES, or if a text is not in UTF-8.
    """
    if (count := len(file.attrs)) > ATTRIBUTES:
        raise FileError(
            f"{file.filename} has {count:,} attributes; wanted at most {ATTRIBUTES:,}: it is no "
            "file of weights"
        )
    values: dict[str, str | Array] = {}
    for name in file.attrs:
        stored = file.attrs.get_id(name)
        kind, shape = stored.dtype.kind, stored.shape
        if shape is None or len(name) > NAME:
            continue
        if stored.dtype.itemsize * prod(shape) > LONGEST_ATTRIBUTE:
            continue
        if kind == "S" and shape == ():
            values[name] = _text(file.attrs[name], name, file.filename)
        elif kind == "f" and len(shape) == 1:
            values[name] = np.asarray(file.attrs[name])
    return values


def _text(stored, name, path):
    try:
        return bytes(stored).decode("utf-8")
    except UnicodeDecodeError:
        raise FileError(
            f"{path} has the attribute {name!r} in another encoding than UTF-8; get it again"
        ) from None


def datasets(
    file: h5py.File, path: Path, wanted: Collection[str] | None = None
) -> dict[str, Array]:
    """Return {path within the file: array} of the numeric datasets of an open file.

    Raises FileError if the file or a dataset exceeds the limits.

    wanted: the names of the datasets to read; None means all. The others become zeros of their
    shape and dtype.
    """
    arrays, allowance, count = {}, Allowance(path), itertools.count(1)

    def visit(name, item):
        if name.count("/") >= DEPTH or len(name) > DEPTH * NAME or next(count) > ENTRIES:
            raise FileError(
                f"{path} holds more than {ENTRIES} objects, or {DEPTH} nested groups; wanted a "
                "file of weights"
            )
        if not isinstance(item, h5py.Dataset) or item.shape is None:
            return
        if item.dtype.kind in "fiu":
            if wanted is None or name in wanted:
                arrays[name] = _read(item, name, allowance)
            else:
                arrays[name] = placeholder(item.shape, item.dtype)

    file.visititems(visit)  # visits each object once and follows no links into other files
    return arrays


def _read(dataset, name, allowance):
    plan = dataset.id.get_create_plist()
    filters = [plan.get_filter(number)[0] for number in range(plan.get_nfilters())]
    is_elsewhere = dataset.external or dataset.is_virtual
    if is_elsewhere or not set(filters) <= _FILTERS or len(set(filters)) < len(filters):
        raise FileError(
            f"{allowance.path} keeps {name} in another file or in an encoding that minidl does not "
            "read; save the weights again as one plain HDF5 file"
        )
    shape, chunk = dataset.shape, dataset.chunks or dataset.shape
    chunks = prod(-(-length // part) for length, part in zip(shape, chunk, strict=True) if part)
    size = in_memory(max(prod(shape), prod(chunk)), dataset.dtype)
    allowance.spend(size + chunks * CHUNK_OVERHEAD, name)
    if h5py.h5z.FILTER_DEFLATE in filters:
        _must_not_burst(dataset, prod(chunk) * dataset.dtype.itemsize, name, allowance.path)
    return dataset[()]


def _must_not_burst(dataset, size, name, path):
    """Raise FileError if a chunk decompresses to more than its `size` bytes. libhdf5 would allocate
    memory for all that a chunk decompresses to, up to a thousand times its stored length."""

    def visit(stored):
        _, packed = dataset.id.read_direct_chunk(stored.chunk_offset)
        decompressor = zlib.decompressobj()
        decompressor.decompress(packed, size + CHECKSUM)
        if not decompressor.eof and decompressor.unconsumed_tail:
            raise FileError(
                f"{path} unpacks to more than {name} holds: it is damaged or malicious; get it "
                "again"
            )

    dataset.id.chunk_iter(visit)
