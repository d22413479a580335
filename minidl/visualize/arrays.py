"""Examples in files of arrays: .npy, and .npz with several arrays."""

from pathlib import Path

import numpy as np

from minidl import typing
from minidl.checkpoints.npz import read_npy, read_npz
from minidl.errors import FileError
from minidl.files import must_exist

ENDINGS = (".npy", ".npz")


def is_array(path: typing.Path) -> bool:
    """Return whether the name of a file says that it holds an array, not a picture."""
    return Path(path).suffix == ".npy"


def holds_arrays(path: typing.Path) -> bool:
    """Return whether the name of a file says that it holds one array or several."""
    return Path(path).suffix in ENDINGS


def read_array(path: typing.Path) -> np.ndarray:
    """Return the array of an .npy file, float32, with at least two axes. Raises FileError if there
    is no such file, or if it does not hold one array of finite numbers."""
    path = must_exist(path, "array")
    if _is_archive(path):
        raise FileError(
            f"{path} is an .npz file of several arrays; write one array with numpy.save"
        )
    return _as_examples(path, _read(path, read_npy), "")


def read_arrays(path: typing.Path) -> dict[str, np.ndarray]:
    """Return {name: array} of an .npz file, or {"": array} of an .npy file, as `read_array` returns
    an array."""
    path = must_exist(path, "array")
    if not _is_archive(path):
        return {"": read_array(path)}
    arrays = _read(path, lambda path: read_npz(path).arrays)
    return {name: _as_examples(path, array, f" as {name}") for name, array in arrays.items()}


def _is_archive(path):
    with open(path, "rb") as file:
        return file.read(2) == b"PK"


def _read(path, read):
    try:
        return read(path)
    except FileError:
        raise
    except Exception as error:  # a damaged header can raise any exception
        raise FileError(
            f"{path} holds no array of numbers ({error}); write one with numpy.save"
        ) from None


def _as_examples(path, array, name):
    if array.dtype.kind not in "fiu" or array.ndim < 2 or 0 in array.shape:
        raise FileError(
            f"{path} holds {array.dtype} {array.shape}{name}; "
            "wanted numbers (L, C), (H, W, C) or (D, H, W, C)"
        )
    with np.errstate(over="ignore"):
        array = array.astype(np.float32)
    if not np.isfinite(array).all():
        raise FileError(
            f"{path} holds NaN, or numbers outside the range of float32{name}; wanted finite ones"
        )
    return array
