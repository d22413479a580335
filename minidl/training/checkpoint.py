"""A checkpoint: a tree of named arrays, numbers and texts in one HDF5 file, written beside its
place and moved into it.

/                           attribute   format  "minidl training 2"
/rest                       uint8 (N,)  JSON: the tree without its arrays
/arrays/model/fc1/kernel    an array of the tree

It may come from a stranger, as a network to classify with, and is read with the care that weight
files are.
"""

import json

import h5py
import numpy as np

from minidl.backend import is_array, to_numpy
from minidl.checkpoints import hdf5
from minidl.errors import FileError, printable
from minidl.files import must_exist, replacing

FORMAT = "minidl training 2"


def save(path, tree):
    """Write a tree: dicts of dicts, arrays (of any device), and what JSON can hold. The same bytes
    for the same tree."""
    arrays = {}
    rest = json.dumps(_put(arrays, tree, "arrays"))
    contents = hdf5.image(
        {"format": FORMAT}, {"rest": np.frombuffer(rest.encode(), np.uint8), **arrays}
    )
    with replacing(path) as beside:
        beside.write_bytes(contents)


def load(path):
    """The tree of a file that `save` wrote. Raises FileError where it is missing, damaged, or of
    another format."""
    path = must_exist(path, "checkpoint")
    try:
        with h5py.File(path, "r") as file:
            found = hdf5.attributes(file).get("format")
            arrays = hdf5.datasets(file, path) if found == FORMAT else None
        tree = None if arrays is None else _take(arrays, json.loads(_text(arrays, path)), "arrays")
    except FileError:
        raise
    # a damaged file raises anything at all in the libraries that parse it
    except Exception as error:
        reason = printable(str(error).partition("\n")[0], 200)
        raise FileError(
            f"{path} is no whole checkpoint ({reason}); take an earlier one, or begin again"
        ) from None
    if tree is None:
        told = f"has the format {printable(str(found), 80)!r}" if found else "tells no format"
        raise FileError(
            f"{path} {told}; wanted {FORMAT!r}: name a checkpoint that this version of `minidl train` wrote"
        )
    return tree


def _text(arrays, path):
    rest = arrays["rest"]
    if rest.dtype != np.uint8 or rest.ndim != 1:
        raise ValueError(
            f"its text has {rest.ndim} axes and the dtype {rest.dtype}, not one axis of bytes"
        )
    if rest.nbytes > path.stat().st_size:  # `save` does not compress
        raise ValueError("its text unpacks to more than the file")
    return rest.tobytes()


def _put(arrays, tree, path):
    """The tree without its arrays, for JSON: each is put among the arrays, and None in its
    place."""
    rest = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            rest[name] = _put(arrays, value, f"{path}/{name}")
        elif is_array(value) and value.ndim:
            arrays[f"{path}/{name}"] = to_numpy(value)
            rest[name] = None
        else:
            # in brackets, to be told from an array's place
            rest[name] = [value.item() if is_array(value) else value]
    return rest


def _take(arrays, rest, path):
    tree = {}
    for name, value in rest.items():
        if isinstance(value, dict):
            tree[name] = _take(arrays, value, f"{path}/{name}")
        else:
            tree[name] = arrays[f"{path}/{name}"] if value is None else value[0]
    return tree
