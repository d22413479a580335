"""Read a weight file of any supported format. The format is recognised by the file's first bytes,
never by its name."""

import pathlib
from collections.abc import Collection

from minidl.checkpoints import hdf5, matconvnet, matlab, native, npz, pytorch, tfjs
from minidl.checkpoints.checkpoint import Checkpoint
from minidl.checkpoints.zips import opened
from minidl.errors import FileError, printable
from minidl.files import must_exist
from minidl.limits import must_have_few, must_have_names
from minidl.typing import Path


def read(path: Path, wanted: Collection[str] | None = None) -> Checkpoint:
    """Return the arrays of a weight file, with the names, layouts and types of the file.

    The formats are minidl's HDF5, also that of a training run; Keras' HDF5 (the official VGG files,
    Keras 2 and Keras 3); PyTorch's state dicts (both containers); TensorFlow.js' manifests, with
    the files beside them; and NumPy's .npz. No code from the file is run.

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
    path = pathlib.Path(path)
    return [path, *(tfjs.numbers_of(path) if _reader(path) is tfjs.read_manifest else [])]


def _reader(path):
    with open(path, "rb") as file:
        head = file.read(32)
    if head.startswith(hdf5.SIGNATURE):
        return native.read_hdf5
    if pytorch.LEGACY_MAGIC in head:
        return pytorch.read_legacy
    if head.startswith(matlab.SIGNATURE):
        return matconvnet.read_mat
    if head.startswith(b"PK"):
        return _zip_reader(path)
    if head.lstrip().startswith((b"[", b"{")):
        return tfjs.read_manifest
    if head.startswith(b"\x80"):
        raise FileError(
            f"{path} is a Python pickle, which could run any code, so it was not read; save it as "
            ".npz"
        )
    if not head:
        raise FileError(f"{path} is empty; fetch or make it again")
    raise FileError(
        f"{path} begins with {head[:16]!r}, which is no weight file that minidl reads; wanted HDF5 "
        "(Keras, minidl), a PyTorch state dict, a TensorFlow.js manifest or .npz; was the download "
        "an error page?"
    )


def _zip_reader(path):
    with opened(path) as archive:
        names = archive.namelist()
    if any(name.endswith("data.pkl") for name in names):
        return pytorch.read_zip
    if "model.weights.h5" in names:
        raise FileError(
            f"{path} is a whole Keras model; save only its weights with "
            "model.save_weights('NAME.weights.h5')"
        )
    return npz.read_npz
