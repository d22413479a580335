"""The checkpoint of a training run: a tree of named arrays, numbers and texts in one HDF5 file."""

from collections.abc import Mapping
from typing import Any

from minidl.checkpoints import tree
from minidl.typing import Path

FORMAT = "minidl training 2"


def save(path: Path, state: Mapping[str, Any]) -> None:
    """Write a tree to the file `path`, as `minidl.checkpoints.tree.save` does."""
    tree.save(path, state, FORMAT)


def load(path: Path, with_arrays: bool = True) -> dict[str, Any]:
    """Return the tree of a file that `save` wrote, as `minidl.checkpoints.tree.load` does."""
    return tree.load(path, FORMAT, with_arrays)
