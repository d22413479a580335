"""A checkpoint: a tree of named arrays, numbers and texts in one HDF5 file, written beside its place and moved into it.

/                    attributes  format  "minidl training 1"
                                 rest    JSON: the tree without its arrays
/model/fc1/kernel    an array of the tree, one chunk with a Fletcher-32 checksum
"""

import json

import h5py

from minidl.backend import is_array, to_numpy
from minidl.errors import FileError
from minidl.files import must_exist, replacing

FORMAT = "minidl training 1"


def save(path, tree):
    """Write a tree: dicts of dicts, arrays (of any device), and what JSON can hold. The same bytes for the same tree."""
    with replacing(path) as beside, h5py.File(beside, "w", libver=("v110", "v110"), track_order=False) as file:
        file.attrs["format"] = FORMAT
        file.attrs["rest"] = json.dumps(_put(file, tree))


def load(path):
    """The tree of a file that `save` wrote. Raises FileError where it is missing, damaged or something else."""
    path = must_exist(path, "checkpoint")
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") != FORMAT:
                raise FileError(f"{path} is not a checkpoint of a training run; name a file that `minidl train` wrote")
            return _take(file, json.loads(file.attrs["rest"]))
    except (OSError, KeyError, ValueError, RuntimeError, TypeError) as error:
        reason = str(error).partition("\n")[0]
        raise FileError(f"{path} is no whole checkpoint ({reason}); take an earlier one, or begin again") from None


def _put(file, tree, path=""):
    """The tree without its arrays, for JSON: each is written to the file, and None in its place."""
    rest = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            rest[name] = _put(file, value, f"{path}/{name}")
        elif is_array(value):
            array = to_numpy(value)
            whole = {"chunks": array.shape, "fletcher32": True} if array.ndim and array.size else {}
            file.create_dataset(f"{path}/{name}", data=array, **whole)
            rest[name] = None
        else:
            rest[name] = [value]  # in brackets, to be told from an array's place
    return rest


def _take(file, rest, path=""):
    tree = {}
    for name, value in rest.items():
        if isinstance(value, dict):
            tree[name] = _take(file, value, f"{path}/{name}")
        else:
            tree[name] = file[f"{path}/{name}"][()] if value is None else value[0]
    return tree
