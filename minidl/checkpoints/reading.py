"""Read a weight file of any supported format. The format is recognised by the file's first bytes,
never by its name."""

import pathlib
from collections.abc import Collection

from minidl.checkpoints import (
    hdf5,
    keras,
    matconvnet,
    matlab,
    native,
    npz,
    parts,
    pytorch,
    safetensors,
    tfjs,
)
from minidl.checkpoints.checkpoint import Checkpoint
from minidl.checkpoints.zips import opened
from minidl.errors import FileError, printable
from minidl.files import must_exist
from minidl.limits import must_have_few, must_have_names
from minidl.typing import Path


def read(path: Path, wanted: Collection[str] | None = None) -> Checkpoint:
    """Return the arrays of a weight file, with the names, layouts and types of the file.

    The formats are minidl's HDF5, also that of a training run; Keras' HDF5 (the official VGG files,
    Keras 2 and Keras 3) and .keras; PyTorch's state dicts (both containers); .safetensors; the
    MAT-files of MatConvNet; NumPy's .npz; and TensorFlow.js' manifests and the weight maps of Keras
    and PyTorch, with the files beside them. No code from the file is run.

    path: of the file. wanted: the names of the arrays to read; None means all. The others become
    zeros of their shapes.

    Raises FileError if the file does not exist, has another format or is damaged.
    """
    path = must_exist(path, "weight file")
    try:
        checkpoint = _reader(path)(path, wanted)
    except FileError:
        raise
    except PermissionError as error:
        raise FileError(f"{path} may not be read by you; ask its owner or copy it") from error
    except Exception as error:  # the libraries raise many types of errors for damaged files
        reason = printable(f"{type(error).__name__}: {error}".partition("\n")[0], 200)
        raise FileError(f"{path} is damaged or cut off ({reason}); get it again") from error
    if not checkpoint.arrays:
        raise FileError(
            f"{path} is a {checkpoint.form} file without any arrays; was it saved before the model "
            "was built?"
        )
    must_have_few(len(checkpoint.arrays), "arrays", path)
    must_have_names(checkpoint.arrays, path)
    return checkpoint


def files_of(path: Path) -> list[pathlib.Path]:
    """Return the paths of all files that `read(path)` reads: the file itself and, for a manifest,
    the files that it names."""
    path, reader = pathlib.Path(path), _reader(path)
    if reader is tfjs.read_manifest:
        return [path, *tfjs.numbers_of(path)]
    return [path, *(parts.shards_of(path) if reader is _read_shards else [])]


def _reader(path):
    with open(path, "rb") as file:
        head = file.read(32)
    if safetensors.has_header(head):  # the length of its header may look like another signature
        return safetensors.read_safetensors
    if head.startswith(hdf5.SIGNATURE):
        return native.read_hdf5
    if pytorch.LEGACY_MAGIC in head:
        return pytorch.read_legacy
    if head.startswith(matlab.SIGNATURE):
        return matconvnet.read_mat
    if head.startswith(b"PK"):
        return _zip_reader(path)
    if head.lstrip().startswith(b"["):
        return tfjs.read_manifest
    if head.lstrip().startswith(b"{"):
        return _read_shards
    if head.startswith(b"\x80"):
        raise FileError(
            f"{path} is a Python pickle, which could run any code, so it was not read; save it as "
            ".npz"
        )
    if head.startswith(npz.MAGIC):
        raise FileError(
            f"{path} is an .npy file, which holds one array, or a pickle that could run any code, "
            "so it was not read; save its arrays by name with numpy.savez"
        )
    if not head:
        raise FileError(f"{path} is empty; fetch or make it again")
    raise FileError(
        f"{path} begins with {head[:16]!r}, which is no weight file that minidl reads; wanted HDF5 "
        "(Keras, minidl), .keras, a PyTorch state dict, .safetensors, a MAT-file, .npz or a "
        "manifest in JSON; was the download an error page?"
    )


def _zip_reader(path):
    with opened(path) as archive:
        names = archive.namelist()
    if any(name.endswith("data.pkl") for name in names):
        return pytorch.read_zip
    return keras.read_keras if keras.WEIGHTS in names else npz.read_npz


def _read_shards(path, wanted=None):
    return parts.read_shards(path, wanted, _shard_reader)


def _shard_reader(path):
    reader = _reader(path)
    if reader in (_read_shards, tfjs.read_manifest):
        raise FileError(f"{path} is JSON; wanted a file of weights: get all of the files again")
    return reader
