"""HDF5 files from strangers, opened with care: minidl's own files and Keras' both come through here. And minidl's own written.

libhdf5 trusts the numbers in a file. Fed with mutated files it hung, and once crashed, on attributes of variable length;
and where a file says so it fetches data from other files. So an attribute is read only when it is of fixed
length, and a dataset only when it is plain numbers, held in this file, of a size that the file can hold.
"""

import io
from math import prod

import h5py
import numpy as np

from minidl.checkpoints.allowance import Allowance
from minidl.errors import FileError

SIGNATURE = b"\x89HDF\r\n\x1a\n"

_FILTERS = (h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32, h5py.h5z.FILTER_LZF)


def image(attributes, arrays):
    """{name: text or numbers}, {path within the file: array} -> the bytes of a file of these; the same for the same

    Every dataset is one chunk with a Fletcher-32 checksum, and version 1.10 of the format has checksums on all the rest, so
    damage is noticed. Text becomes bytes, which HDF5 stores in fixed length: the only text that is safe to read back.
    """
    # Made in memory: libhdf5 that runs out of disk leaves an open file behind, Python leaves a clear OSError.
    memory = io.BytesIO()
    with h5py.File(memory, "w", libver=("v110", "v110")) as file:
        for name, value in attributes.items():
            file.attrs[name] = np.bytes_(value.encode("utf-8")) if isinstance(value, str) else value
        for name, array in arrays.items():
            whole = {"chunks": array.shape, "fletcher32": True} if array.size else {}
            file.create_dataset(name, data=array, track_times=False, **whole)
    return memory.getbuffer()


def attributes(file):
    """{name: str or array of numbers} of an open file's attributes, without those that are not safe to read."""
    found = {}
    for name in file.attrs:
        stored = file.attrs.get_id(name)
        if stored.dtype.kind in "Sf" and len(stored.shape) <= 1:
            value = file.attrs[name]
            found[name] = value.decode("utf-8") if isinstance(value, bytes) else value
    return found


def datasets(file, path):
    """{path within the file: array} of an open file's numeric datasets. FileError: one that cannot be trusted."""
    found = {}

    def visit(name, thing):
        if isinstance(thing, h5py.Dataset) and thing.dtype.kind in "fiu":
            found[name] = thing

    file.visititems(visit)  # each object once; links into other files are not followed
    allowance = Allowance(path)
    return {name: _read(dataset, name, allowance) for name, dataset in found.items()}


def _read(dataset, name, allowance):
    plan = dataset.id.get_create_plist()
    filters = [plan.get_filter(number)[0] for number in range(plan.get_nfilters())]
    if dataset.external or dataset.is_virtual or not set(filters) <= set(_FILTERS):
        raise FileError(
            f"{allowance.path} keeps {name} in another file or in an encoding that minidl does not read; "
            "save the weights again as one plain HDF5 file"
        )
    largest = max(prod(dataset.shape), prod(dataset.chunks or ()))
    allowance.spend(largest * dataset.dtype.itemsize, name)
    return dataset[()]
