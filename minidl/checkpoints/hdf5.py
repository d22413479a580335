"""Reading HDF5 files of unknown origin, minidl's own and Keras', within limits; and writing
minidl's own.

libhdf5 trusts the numbers in a file. Fed with mutated files it hung, and once crashed, on
attributes of variable length; and where a file says so it fetches data from other files. So an
attribute is read only when it is of fixed length, and a dataset only when it is plain numbers, held
in this file, of a size that the file can hold.
"""

import io
import itertools
import zlib
from math import prod

import h5py
import numpy as np

from minidl.checkpoints.checkpoint import numberless
from minidl.errors import FileError
from minidl.limits import ATTRIBUTES, DEPTH, ENTRIES, NAME, Allowance, in_memory

SIGNATURE = b"\x89HDF\r\n\x1a\n"

LONGEST_ATTRIBUTE = 1 << 16  # bytes
OF_A_CHUNK = 4096  # bytes that libhdf5 keeps of a chunk while it reads, numbers aside
CHECKSUM = 4  # bytes, where one was added before packing

_FILTERS = (
    h5py.h5z.FILTER_DEFLATE,
    h5py.h5z.FILTER_SHUFFLE,
    h5py.h5z.FILTER_FLETCHER32,
    h5py.h5z.FILTER_LZF,
)


def image(attributes, arrays):
    """{name: text or numbers}, {path within the file: array} -> the bytes of a file of these; the
    same for the same

    Every dataset is one chunk with a Fletcher-32 checksum, and version 1.10 of the format has
    checksums on all the rest, so damage is noticed. Text becomes bytes, which HDF5 stores in fixed
    length: the only text that is safe to read back.
    """
    # Made in memory: libhdf5 that runs out of disk leaves an open file behind, Python leaves a
    # clear OSError.
    memory = io.BytesIO()
    with h5py.File(memory, "w", libver=("v110", "v110")) as file:
        for name, value in attributes.items():
            file.attrs[name] = (
                np.bytes_(value.encode("utf-8", "replace")) if isinstance(value, str) else value
            )
        for name, array in arrays.items():
            whole = {"chunks": array.shape, "fletcher32": True} if array.size else {}
            file.create_dataset(name, data=array, track_times=False, **whole)
    return memory.getbuffer()


def attributes(file):
    """{name: str or 1-D array of floats} of the attributes of an open file. Other types, and values
    that are too long, are left out."""
    if (count := len(file.attrs)) > ATTRIBUTES:
        raise FileError(
            f"{file.filename} has {count:,} attributes; wanted at most {ATTRIBUTES:,}: it is no file of weights"
        )
    found = {}
    for name in file.attrs:
        stored = file.attrs.get_id(name)
        kind, shape = stored.dtype.kind, stored.shape
        if (
            shape is None
            or stored.dtype.itemsize * prod(shape) > LONGEST_ATTRIBUTE
            or len(name) > NAME
        ):
            continue
        if kind == "S" and shape == ():
            found[name] = _text(file.attrs[name], name, file.filename)
        elif kind == "f" and len(shape) == 1:
            found[name] = file.attrs[name]
    return found


def _text(stored, name, path):
    try:
        return bytes(stored).decode("utf-8")
    except UnicodeDecodeError:
        raise FileError(
            f"{path} has the attribute {name!r} in another encoding than UTF-8; get it again"
        ) from None


def datasets(file, path, wanted=None):
    """{path within the file: array} of the numeric datasets of an open file. Raises FileError for
    one beyond the limits.

    wanted: names of the datasets to read; None: all. The others become zeros of their shape and
    dtype.
    """
    found, allowance, count = {}, Allowance(path), itertools.count(1)

    def visit(name, thing):
        if name.count("/") >= DEPTH or len(name) > DEPTH * NAME or next(count) > ENTRIES:
            raise FileError(
                f"{path} holds more than {ENTRIES} objects, or {DEPTH} nested groups; wanted a file of weights"
            )
        if (
            isinstance(thing, h5py.Dataset)
            and thing.shape is not None
            and thing.dtype.kind in "fiu"
        ):
            is_wanted = wanted is None or name in wanted
            found[name] = (
                _read(thing, name, allowance) if is_wanted else numberless(thing.shape, thing.dtype)
            )

    file.visititems(visit)  # each object once; links into other files are not followed
    return found


def _read(dataset, name, allowance):
    plan = dataset.id.get_create_plist()
    filters = [plan.get_filter(number)[0] for number in range(plan.get_nfilters())]
    if (
        dataset.external
        or dataset.is_virtual
        or not set(filters) <= set(_FILTERS)
        or len(set(filters)) < len(filters)
    ):
        raise FileError(
            f"{allowance.path} keeps {name} in another file or in an encoding that minidl does not read; "
            "save the weights again as one plain HDF5 file"
        )
    chunk = dataset.chunks or dataset.shape
    chunks = prod(
        -(-length // part) for length, part in zip(dataset.shape, chunk, strict=True) if part
    )
    size = in_memory(max(prod(dataset.shape), prod(chunk)), dataset.dtype)
    allowance.spend(size + chunks * OF_A_CHUNK, name)
    if h5py.h5z.FILTER_DEFLATE in filters:
        _must_not_burst(dataset, prod(chunk) * dataset.dtype.itemsize, name, allowance.path)
    return dataset[()]


def _must_not_burst(dataset, size, name, path):
    """libhdf5 unpacks a chunk to its end, even where that is a thousand times what a chunk
    holds."""

    def visit(stored):
        _, packed = dataset.id.read_direct_chunk(stored.chunk_offset)
        unpacked = zlib.decompressobj()
        unpacked.decompress(packed, size + CHECKSUM)
        if not unpacked.eof and unpacked.unconsumed_tail:
            raise FileError(
                f"{path} unpacks to more than {name} holds: it is damaged or made to burst; get it again"
            )

    dataset.id.chunk_iter(visit)
