"""Read models of Keras 3, NAME.keras: zip archives with the weights as an HDF5 file.

config.json        the layers of the model; not read
metadata.json      the version of Keras; not read
model.weights.h5   the weights, as model.save_weights writes them
"""

import zipfile
from collections.abc import Collection
from pathlib import PurePosixPath

import h5py

from minidl.checkpoints import hdf5
from minidl.checkpoints.checkpoint import Checkpoint
from minidl.checkpoints.zips import must_end, opened, read_exactly
from minidl.errors import FileError, brief
from minidl.limits import Allowance
from minidl.typing import Path

WEIGHTS = "model.weights.h5"
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read_keras(path: Path, wanted: Collection[str] | None = None) -> Checkpoint:
    """Read the weights of a Keras model. The arrays have the names in model.weights.h5.

    wanted: see `read`. No file is unpacked to disk. Raises FileError if an entry names a place
    outside of the archive, or if the weights are damaged or unpack to more than they may.
    """
    with opened(path) as archive:
        for name in archive.namelist():
            if PurePosixPath(name).is_absolute() or {"..", ""} & set(name.split("/")[:-1]):
                raise FileError(
                    f"{path} names an entry {brief(name)}, a place outside of it: it is malicious, "
                    "and nothing of it was read"
                )
        entry = archive.getinfo(WEIGHTS)
        if entry.compress_type not in _COMPRESSIONS:
            raise FileError(f"{path} has {WEIGHTS} compressed as Keras never does; save it again")
        Allowance(path).spend(entry.file_size, WEIGHTS)
        with archive.open(entry) as stream:
            contents = read_exactly(stream, entry.file_size, WEIGHTS, path)
            must_end(stream, WEIGHTS, path)
    if not contents.startswith(hdf5.SIGNATURE):
        raise FileError(f"{path} is damaged: {WEIGHTS} is no HDF5 file; get it again")
    with h5py.File.in_memory(contents) as file:
        return Checkpoint(hdf5.datasets(file, path, wanted), form="keras")
