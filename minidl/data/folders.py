"""Pictures of your own: a folder of pictures, or one that has a subfolder for each class."""

import os
import pathlib
from collections.abc import Callable

import numpy as np

from minidl.data.images import ENDINGS, read_at_size
from minidl.engine.threads import parallel_map
from minidl.errors import ArgumentError, FileError, brief, listed
from minidl.files import must_be_folder
from minidl.naming import naturally
from minidl.shapes import is_int
from minidl.typing import Array, Path


def picture_files(folder: Path) -> tuple[list[pathlib.Path], list[pathlib.Path]]:
    """Return the paths of the pictures in a folder, and of its other files, both in the natural
    order of their names: 2.png is before 10.png.

    A file is a picture if its name ends like that of one. Hidden files and subfolders are left out.
    Raises FileError if there is no such folder.
    """
    folder = must_be_folder(folder, "a folder of pictures")
    files = [path for path in folder.iterdir() if path.is_file() and path.name[0] != "."]
    files.sort(key=lambda path: naturally(path.name))
    pictures = [path for path in files if path.suffix.lower() in ENDINGS]
    return pictures, [path for path in files if path not in pictures]


def files_within(folder: Path) -> tuple[list[pathlib.Path], list[pathlib.Path]]:
    """Return the paths of the pictures in a folder and its subfolders, and of their other files,
    both in the natural order of the paths.

    A file is a picture if its name ends like that of one. Hidden files and folders are left out,
    and links to folders are not followed. Raises FileError if there is no such folder, or if a
    folder may not be read.
    """
    folder = must_be_folder(folder, "a folder of pictures")
    files = []
    for parent, subfolders, names in os.walk(folder, onerror=_refuse):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        paths = (pathlib.Path(parent, name) for name in names if not name.startswith("."))
        files += [path for path in paths if path.is_file()]
    files.sort(key=lambda path: [naturally(part) for part in path.parts])
    pictures = [path for path in files if path.suffix.lower() in ENDINGS]
    return pictures, [path for path in files if path.suffix.lower() not in ENDINGS]


def _refuse(error):
    raise FileError(
        f"the folder {error.filename} cannot be read: {str(error.strerror).lower()}; change its "
        "permissions, or name another folder"
    ) from error


def picture_folder(
    folder: Path, size: int | tuple[int, int], skip: Callable[[FileError], object] | None = None
) -> tuple[Array, Array, list[str]]:
    """Return the pictures (N, H, W, 3) uint8, their labels (N,), and the sorted names of the
    classes.

    size  (H, W), or one int for both; each picture is read as by `read_image` and resized
    skip  a function that receives a FileError for each class without pictures and each file that is
          no readable picture; these are then left out. None means that they are errors

    Hidden files are left out. Raises ArgumentError if the size is invalid. Raises FileError if the
    folder has no classes, if there is no readable picture or, without `skip`, if a class is empty
    or a file is no readable picture.
    """
    folder = pathlib.Path(folder)
    high_wide = size if isinstance(size, tuple | list) else (size, size)
    if len(high_wide) != 2 or not all(is_int(n) and n > 0 for n in high_wide):
        raise ArgumentError(
            f"the size is {brief(size)}; wanted (height, width) or one number, whole and at least 1"
        )
    empty: list[FileError] = []
    files = class_files(folder, empty.append)
    if empty and skip is None:
        raise empty[0]

    def read(path):
        try:
            return read_at_size(path, high_wide, stretch=True).astype(np.uint8)
        except FileError as error:
            return error

    paths = [path for paths in files.values() for path in paths]
    pictures = parallel_map(np, read, paths)
    readable = [picture for picture in pictures if not isinstance(picture, FileError)]
    errors = {
        path: picture
        for path, picture in zip(paths, pictures, strict=True)
        if isinstance(picture, FileError)
    }
    if errors and (skip is None or not readable):
        names = listed([str(path.relative_to(folder)) for path in errors])
        raise FileError(
            f"{folder} has {len(errors)} files that cannot be read as pictures: {names}; the "
            f"first: {next(iter(errors.values()))}"
        )
    if skip is not None:
        for error in [*empty, *errors.values()]:
            skip(error)
    labels = np.repeat(np.arange(len(files)), [len(paths) for paths in files.values()])
    is_readable = [not isinstance(picture, FileError) for picture in pictures]
    return np.stack(readable), labels[is_readable], list(files)


def class_files(
    folder: Path, skip: Callable[[FileError], object] = lambda error: None
) -> dict[str, list[pathlib.Path]]:
    """Return {name of a class: its files}, both sorted, without hidden files and folders.

    skip: a function that receives a FileError for each class without files. These classes are left
    out. Raises FileError if there are no classes, or if all are empty.
    """
    folder = must_be_folder(folder, "the folder that has a subfolder of pictures for each class")
    subfolders = sorted(
        path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")
    )
    if not subfolders:
        raise FileError(
            f"{folder} has no subfolders; put the pictures of each class into a subfolder of its "
            "own"
        )
    files, empty = {}, []
    for subfolder in subfolders:
        paths = [p for p in subfolder.iterdir() if p.is_file() and not p.name.startswith(".")]
        if paths:
            files[subfolder.name] = sorted(paths)
        else:
            empty.append(
                FileError(
                    f"{folder} has no pictures in {subfolder.name}; put some in, or remove the "
                    "subfolder"
                )
            )
    if not files:
        raise empty[0]
    for error in empty:
        skip(error)
    return files
