"""NumPy's .npz: a zip archive of arrays."""

import io
import zipfile

import numpy as np

from minidl.checkpoints.allowance import Allowance
from minidl.checkpoints.checkpoint import Checkpoint
from minidl.errors import FileError


def read_npz(path):
    """A Checkpoint with the arrays as named in the archive. FileError for Python objects, which could run code."""
    allowance = Allowance(path)
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            name = entry.filename.removesuffix(".npy")
            allowance.spend(entry.file_size, name)
            arrays[name] = _array(archive.read(entry), name, path)
    return Checkpoint(arrays, form="npz")


def _array(contents, name, path):
    """np.load without its trust in the header: no memory is asked for that the contents do not fill."""
    stream = io.BytesIO(contents)
    version = np.lib.format.read_magic(stream)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, by_columns, dtype = read_header(stream)
    if dtype.kind not in "fiub":
        raise FileError(f"{path} holds {name} as {dtype}, not as plain numbers; save it again as float32")
    return np.frombuffer(stream.read(), dtype).reshape(shape, order="F" if by_columns else "C")
