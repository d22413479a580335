"""Find the files of data sets: in a given folder, or else in the folder MINIDL_DATA and the user's
cache."""

import os
import pathlib
from collections.abc import Sequence

from minidl.errors import FileError
from minidl.typing import Path

SUBFOLDERS = ("mnist", "cifar10", "cifar-10-batches-bin", "cifar-10-batches-py", "MNIST/raw")
ENDINGS = ("", ".gz", ".xz")  # of plain and compressed files


def cache() -> pathlib.Path:
    """Return the folder for downloads, $XDG_CACHE_HOME/minidl or ~/.cache/minidl. Raises FileError
    if the user has no home folder."""
    try:
        folder = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
        return pathlib.Path(folder) / "minidl"
    except RuntimeError:  # the user id is unknown to the system, as in containers
        raise FileError(
            "this user has no home folder, in which data sets are kept; name a folder with --data "
            "(to download, --to), or in the environment variable MINIDL_DATA (to download, "
            "XDG_CACHE_HOME)"
        ) from None


def places(folder: Path | None = None) -> list[pathlib.Path]:
    """Return the folders in which data sets and their SUBFOLDERS are searched: only `folder`, or
    else MINIDL_DATA and the cache."""
    if folder is not None:
        return [pathlib.Path(folder)]
    named = os.environ.get("MINIDL_DATA")
    try:
        return [*([pathlib.Path(named)] if named else []), cache()]
    except FileError:
        if not named:
            raise
        return [pathlib.Path(named)]


def find(
    dataset: str, forms: Sequence[Sequence[str]], folder: Path | None = None
) -> list[pathlib.Path]:
    """Return the paths of the files of one form, all in one folder, plain or compressed.

    forms: lists of names without .gz or .xz, the preferred one first.

    Raises FileError if no folder contains all files of a form.
    """
    incomplete = None
    roots = places(folder)
    for place in (root / subfolder for root in roots for subfolder in ("", *SUBFOLDERS)):
        for names in forms:
            paths = {name: path for name in names for path in _existing(place / name)}
            if len(paths) == len(names):
                return list(paths.values())
            if paths and incomplete is None:
                present = ", ".join(path.name for path in paths.values())
                missing = ", ".join(name for name in names if name not in paths)
                incomplete = f"{place} holds {present}, but not {missing}"
    nothing = (
        f"there is no {dataset} in {' or '.join(map(str, roots))} or its folders "
        f"{', '.join(SUBFOLDERS)}"
    )
    raise FileError(
        f"{incomplete or nothing}; `minidl data fetch {dataset}` downloads it, --data or "
        "MINIDL_DATA names a folder that has it"
    )


def _existing(path):
    """Return a list of the plain or compressed file with this name, or [] if there is none."""
    paths = (path.with_name(path.name + ending) for ending in ENDINGS)
    return [path for path in paths if path.is_file()][:1]
