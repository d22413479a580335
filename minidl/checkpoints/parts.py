"""Weights that consist of several files: a text in JSON, and the files beside it that it names.

A weight map divides the arrays of a network among files, which each can be read on its own:

    {"metadata": .., "weight_map": {"name of an array": "model-00001-of-00002.safetensors", ..}}

PyTorch's programs write one for .safetensors and .bin files, and Keras writes one for .weights.h5
files, where a name is that of a group, and a value is a list of the files with its arrays.
"""

import json
import pathlib
from collections.abc import Callable, Collection, Iterable
from typing import Any

from minidl.checkpoints.checkpoint import Checkpoint
from minidl.errors import FileError, brief
from minidl.files import must_exist
from minidl.limits import TEXT, must_have_few
from minidl.typing import Path

Reader = Callable[[Path, Collection[str] | None], Checkpoint]


def from_json(path: Path, what: str) -> Any:
    """Return the contents of a JSON file. Raises FileError if it is too long. what: the kind of
    file that is wanted, for the message."""
    path = pathlib.Path(path)
    if (size := path.stat().st_size) > TEXT:
        raise FileError(f"{path} has {size:,} bytes; wanted {what}, with at most {TEXT:,}")
    return json.loads(path.read_bytes())


def beside(names: Iterable[str], path: Path) -> list[pathlib.Path]:
    """Return the paths of files in the same folder. Raises FileError for a name with a folder."""
    path, names = pathlib.Path(path), list(names)
    for name in names:
        if not name or not name.isprintable() or name != pathlib.Path(name).name:
            raise FileError(
                f"{path} names {brief(name)} in another folder; put its files beside it, and write "
                "only their names into it"
            )
    return [path.with_name(name) for name in names]


def shards_of(path: Path) -> list[pathlib.Path]:
    """Return the paths of the files that a weight map names, each once."""
    files = (file for _, files in _weight_map(path) for file in files)
    return beside(dict.fromkeys(files), path)


def read_shards(path: Path, wanted: Collection[str] | None, reader_of: Callable) -> Checkpoint:
    """Read the files that a weight map names.

    wanted: see `read`. reader_of: returns the Reader of the file at a path. Raises FileError if a
    file is missing, if a file does not have the arrays that the map says, or if two have the same.
    """
    whole = None
    for shard in shards_of(path):
        must_exist(shard, f"file of weights, which {pathlib.Path(path).name} names")
        read: Reader = reader_of(shard)
        part = read(shard, wanted)
        if whole is None:
            whole = part
            continue
        if part.form != whole.form or not part.arrays.keys().isdisjoint(whole.arrays):
            raise FileError(
                f"{path} names {shard.name}, which does not belong to the files before it: get all "
                "of them again"
            )
        whole.arrays.update(part.arrays)
    if whole is None:
        raise FileError(f"{path} names no files; get it again")
    groups = {name for array in whole.arrays for name in _prefixes(array)}
    for name, files in _weight_map(path):
        if name.strip("/") not in groups:
            raise FileError(
                f"{path} lists {brief(name)} in {', '.join(files[:3])}, where it is not: they do "
                "not belong together; get all of them again"
            )
    return whole


def _weight_map(path):
    """Return [(name of an array or a group of arrays, names of files)]."""
    index = from_json(path, "a weight map")
    weight_map = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(weight_map, dict):
        raise FileError(
            f"{path} is JSON, but no manifest of TensorFlow.js and no weight map of Keras or "
            "PyTorch; name the file that lists the weights, with the others beside it"
        )
    entries = [
        (name, [files] if isinstance(files, str) else files) for name, files in weight_map.items()
    ]
    for name, files in entries:
        if not isinstance(files, list) or not all(isinstance(file, str) for file in files):
            raise FileError(
                f"{path} lists {brief(name)} in {brief(files)}; wanted names of files: get it again"
            )
    must_have_few(sum(len(files) for _, files in entries), "arrays and files", path)
    return entries


def _prefixes(name):
    """Return the name and the names of the groups that it is in."""
    ends = [place for place, letter in enumerate(name) if letter == "/"]
    return [name, *(name[:end] for end in ends)]
