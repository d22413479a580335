"""A tree of named arrays, numbers and texts in one HDF5 file.

    /                           attribute   format, such as "minidl training 2"
    /rest                       uint8 (N,)  JSON: the tree without its arrays
    /arrays/model/fc1/kernel    an array of the tree

In the JSON, an array is null, and any other value is in a list of one element. A checkpoint may be
of unknown origin: it is checked as files of weights are.
"""

import json
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np

from minidl.backend import is_array, to_numpy
from minidl.checkpoints import hdf5
from minidl.errors import FileError, printable
from minidl.files import must_exist, replacing
from minidl.typing import Path

TEXT = "rest"  # the dataset with the JSON


def save(path: Path, tree: Mapping[str, Any], form: str) -> None:
    """Write a tree to the file `path`: a dict of dicts, of arrays on any device, and of values that
    JSON can hold. form: the name of the format.

    Equal trees give equal bytes. The file is written to a temporary name and then renamed. Raises
    FileError if it cannot be written.
    """
    arrays: dict[str, Any] = {}
    text = json.dumps(_without_arrays(tree, "arrays", arrays))
    contents = hdf5.image(
        {"format": form}, {TEXT: np.frombuffer(text.encode(), np.uint8), **arrays}
    )
    with replacing(path) as temporary:
        temporary.write_bytes(contents)


def load(path: Path, form: str, with_arrays: bool = True) -> dict[str, Any]:
    """Return the tree of a file that `save` wrote, with NumPy arrays.

    form: the name of the format. with_arrays: whether to read the arrays. Otherwise they are zeros.

    Raises FileError if the file is missing, damaged, or of another format.
    """
    path = must_exist(path, "checkpoint")
    try:
        with h5py.File(path, "r") as file:
            stored_format = hdf5.attributes(file).get("format")
            if stored_format == form:
                arrays = hdf5.datasets(file, path, None if with_arrays else [TEXT])
                return _with_arrays(json.loads(_text(arrays, path)), "arrays", arrays)
    except FileError:
        raise
    except Exception as error:  # the parsers raise many types of errors for a damaged file
        reason = printable(str(error).partition("\n")[0], 200)
        raise FileError(
            f"{path} is not a complete checkpoint ({reason}); take an earlier one, or begin again"
        ) from None
    shown = f"the format {printable(str(stored_format), 80)!r}" if stored_format else "no format"
    raise FileError(
        f"{path} has {shown}; wanted {form!r}: name a checkpoint that this version of minidl wrote"
    )


def _text(arrays, path):
    text = arrays[TEXT]
    if text.dtype != np.uint8 or text.ndim != 1:
        raise ValueError(
            f"its text has the shape {text.shape} and the dtype {text.dtype}, not one axis of bytes"
        )
    if text.nbytes > path.stat().st_size:  # `save` does not compress
        raise ValueError("its text unpacks to more than the file")
    return text.tobytes()


def _without_arrays(tree, path, arrays):
    """Move the arrays of the tree to the dict `arrays`, and return the others for JSON."""
    others = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            others[name] = _without_arrays(value, f"{path}/{name}", arrays)
        elif is_array(value) and value.ndim:
            arrays[f"{path}/{name}"] = to_numpy(value)
            others[name] = None
        else:
            others[name] = [value.item() if is_array(value) else value]
    return others


def _with_arrays(others, path, arrays):
    """Put the arrays back: the inverse of `_without_arrays`."""
    tree = {}
    for name, value in others.items():
        if isinstance(value, dict):
            tree[name] = _with_arrays(value, f"{path}/{name}", arrays)
        else:
            tree[name] = arrays[f"{path}/{name}"] if value is None else value[0]
    return tree
