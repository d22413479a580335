"""One's own pictures: a folder with a subfolder of pictures for each class."""

from pathlib import Path

import numpy as np

from minidl.data.images import read_at_size
from minidl.engine.threads import share
from minidl.errors import ArgumentError, FileError, brief, listed
from minidl.files import must_be_folder
from minidl.shapes import is_int


def picture_folder(folder, size, skip=None):
    """(pictures (N, H, W, 3) uint8, labels (N,), names of the classes, sorted).

    size: (H, W), or one number for both; each picture is read as `read_image` does and made that
    size, stretched if need be. Hidden files are left out. Raises FileError where a class has none,
    or one that names the files which are no readable pictures. skip: is given a FileError for each
    of these, which is then left out; where nothing is left, that is raised.
    """
    folder = Path(folder)
    extent = size if isinstance(size, tuple | list) else (size, size)
    if len(extent) != 2 or not all(is_int(n) and n > 0 for n in extent):
        raise ArgumentError(
            f"the size is {brief(size)}; wanted (height, width) or one number, whole and at least 1"
        )
    empty = []
    files = class_files(folder, empty.append)
    if empty and skip is None:
        raise empty[0]

    def read(path):
        try:
            return read_at_size(path, extent, stretch=True).astype(np.uint8)
        except FileError as error:
            return error

    paths = [path for paths in files.values() for path in paths]
    pictures = share(np, read, paths)
    wrong = [
        (path, error)
        for path, error in zip(paths, pictures, strict=True)
        if isinstance(error, FileError)
    ]
    if wrong and (skip is None or len(wrong) == len(paths)):
        names = listed([str(path.relative_to(folder)) for path, _ in wrong])
        raise FileError(
            f"{folder} has {len(wrong)} files that cannot be read as pictures: {names}; the first: {wrong[0][1]}"
        )
    for error in [*empty, *(error for _, error in wrong)]:
        skip(error)
    labels = np.repeat(np.arange(len(files)), [len(paths) for paths in files.values()])
    readable = [
        number for number, picture in enumerate(pictures) if not isinstance(picture, FileError)
    ]
    return np.stack([pictures[number] for number in readable]), labels[readable], list(files)


def class_files(folder, skip=lambda error: None):
    """{name of a class: its files}, both sorted, without what is hidden. skip: is given a FileError
    for each class that has none, which is then left out; where nothing is left, that is raised."""
    folder = must_be_folder(folder, "the folder that has a subfolder of pictures for each class")
    classes = sorted(
        path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")
    )
    files = {
        kind.name: sorted(p for p in kind.iterdir() if p.is_file() and not p.name.startswith("."))
        for kind in classes
    }
    if not files:
        raise FileError(
            f"{folder} has no subfolders; put the pictures of each class into a subfolder of its own"
        )
    empty = [
        FileError(f"{folder} has no pictures in {name}; put some in, or remove the subfolder")
        for name, found in files.items() if not found
    ]  # fmt: skip
    if len(empty) == len(files):
        raise empty[0]
    for error in empty:
        skip(error)
    return {name: found for name, found in files.items() if found}
