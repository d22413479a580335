"""Where data sets are looked for: the folder that is named, or MINIDL_DATA and then the user's
cache."""

import os
from pathlib import Path

from minidl.errors import FileError

SUBFOLDERS = ("mnist", "cifar10", "cifar-10-batches-bin", "cifar-10-batches-py", "MNIST/raw")
PACKINGS = ("", ".gz", ".xz")


def cache():
    """The folder for downloads: $XDG_CACHE_HOME/minidl, or ~/.cache/minidl. Raises FileError
    without a home folder."""
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "minidl"
    except RuntimeError:  # the user id is unknown to the system, as in containers
        raise FileError(
            "this user has no home folder, in which data sets are kept; name a folder with --data (to download, --to), or in "
            "the environment variable MINIDL_DATA (to download, XDG_CACHE_HOME)"
        ) from None


def places(folder=None):
    """The folders to look in, each with its SUBFOLDERS: the one that is named and no other, else
    MINIDL_DATA and the cache."""
    if folder is not None:
        return [Path(folder)]
    named = os.environ.get("MINIDL_DATA")
    try:
        return [*([Path(named)] if named else []), cache()]
    except FileError:
        if not named:
            raise
        return [Path(named)]


def find(dataset, forms, folder=None):
    """The paths of the files that one of the forms lists, all in one folder, plain or packed.

    forms: lists of names without .gz or .xz, the best first. Raises FileError where no folder holds
    all files of a form.
    """
    partial = None
    for place in (root / subfolder for root in places(folder) for subfolder in ("", *SUBFOLDERS)):
        for names in forms:
            found = {name: path for name in names for path in _packings(place / name)}
            if len(found) == len(names):
                return list(found.values())
            if found and partial is None:
                missing = ", ".join(name for name in names if name not in found)
                partial = f"{place} holds {', '.join(path.name for path in found.values())}, but not {missing}"
    looked = (
        partial
        or f"there is no {dataset} in {' or '.join(map(str, places(folder)))} or its folders {', '.join(SUBFOLDERS)}"
    )
    raise FileError(
        f"{looked}; `minidl data fetch {dataset}` downloads it, --data or MINIDL_DATA names a folder that has it"
    )


def _packings(path):
    return [
        packed for packing in PACKINGS if (packed := path.with_name(path.name + packing)).is_file()
    ][:1]
