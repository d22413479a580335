"""One's own pictures: a folder with a subfolder of pictures for each class."""

from pathlib import Path

import numpy as np

from minidl.cores import share
from minidl.data.images import read_image, resize
from minidl.errors import ArgumentError, FileError
from minidl.shapes import is_int

SHOWN = 5  # names in a message


def picture_folder(folder, size):
    """(pictures (N, H, W, 3) uint8, labels (N,), names of the classes, sorted).

    size: (H, W), or one number for both; each picture is read as `read_image` does and made that size, stretched if need be.
    Hidden files are left out. Raises FileError that names the files which are no readable pictures.
    """
    folder = Path(folder)
    extent = size if isinstance(size, tuple | list) else (size, size)
    if len(extent) != 2 or not all(is_int(n) and n > 0 for n in extent):
        raise ArgumentError(f"the size is {size!r}; wanted (height, width) or one number, whole and at least 1")
    files = class_files(folder)

    def read(path):
        try:
            return resize(read_image(path), *extent).astype(np.uint8)
        except FileError as error:
            return error

    paths = [path for paths in files.values() for path in paths]
    pictures = share(np, read, paths)
    if wrong := [(path, error) for path, error in zip(paths, pictures, strict=True) if isinstance(error, FileError)]:
        names = ", ".join(str(path.relative_to(folder)) for path, _ in wrong[:SHOWN]) + (", ..." if len(wrong) > SHOWN else "")
        raise FileError(f"{folder} has {len(wrong)} files that cannot be read as pictures: {names}; the first: {wrong[0][1]}")
    labels = np.repeat(np.arange(len(files)), [len(paths) for paths in files.values()])
    return np.stack(pictures), labels, list(files)


def class_files(folder):
    """{name of a class: its files}, both sorted, without what is hidden. Raises FileError where a class has none."""
    folder = Path(folder)
    if not folder.is_dir():
        raise FileError(f"{folder} is no folder; name the folder that has a subfolder of pictures for each class")
    classes = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    files = {kind.name: sorted(p for p in kind.iterdir() if p.is_file() and not p.name.startswith(".")) for kind in classes}
    if not files:
        raise FileError(f"{folder} has no subfolders; put the pictures of each class into a subfolder of its own")
    if empty := [name for name, found in files.items() if not found]:
        raise FileError(f"{folder} has no pictures in {', '.join(empty)}; put some in, or remove the subfolder")
    return files
