"""Albums: collections of pictures that are read one file at a time."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from minidl import typing
from minidl.data.images import ENDINGS, image_size, read_at_size, read_image, to_size
from minidl.errors import FileError
from minidl.files import must_be_folder


class Album(Protocol):
    """The protocol of a collection of pictures for `strongest` and `patches`. Its length is the
    number of files."""

    def __len__(self) -> int: ...

    def read(self, number: int) -> list[np.ndarray]:
        """Return the parts of file `number`, each (H, W, 3), 0..255. Raise FileError if the file
        is not a readable picture."""
        ...


class Folder:
    """All pictures in a folder and its subfolders, in the order of their paths.

    A file is a picture if its name has one of `ENDINGS` and no part of its path is hidden. Each
    picture is cropped around its centre and resized to `size`.

    folder: path of the folder size: (H, W) of each part, in pixels tiles: whether to cut each
    picture into as many adjacent parts of `size` as fit around its centre,
        instead of resizing it. A picture that is too small for one part is resized.
    without: path of a file to leave out, or None

    names: paths of the pictures, relative to the folder

    Raises FileError if the folder does not exist or contains no picture.
    """

    def __init__(
        self,
        folder: typing.Path,
        size: tuple[int, int],
        tiles: bool = False,
        without: typing.Path | None = None,
    ) -> None:
        root = must_be_folder(folder, "a folder of pictures")
        excluded = without and Path(without).resolve()
        paths = (
            path for path in root.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file()
        )
        names = (path.relative_to(root) for path in paths if path.resolve() != excluded)
        self.names = sorted(
            name for name in names if not any(part.startswith(".") for part in name.parts)
        )
        if not self.names:
            raise FileError(
                f"{root} has no pictures; wanted files that end in {', '.join(ENDINGS)}"
            )
        self.folder, self.size, self.tiles = root, size, tiles

    def __len__(self) -> int:
        return len(self.names)

    def read(self, number: int) -> list[np.ndarray]:
        """Return the parts of picture `number`, each (*size, 3), float32, 0..255. Raise FileError
        if the file is not a readable picture."""
        path = self.folder / self.names[number]
        if not self.tiles:
            return [read_at_size(path, self.size)]
        picture = read_image(path)
        (high, wide), (height, width) = self.size, picture.shape[:2]
        rows, columns = height // high, width // wide
        if not rows or not columns:
            return [to_size(picture, self.size)]
        top, left = (height - rows * high) // 2, (width - columns * wide) // 2
        corners = [
            (top + row * high, left + column * wide)
            for row in range(rows)
            for column in range(columns)
        ]
        return [picture[y : y + high, x : x + wide] for y, x in corners]

    def count_parts(self) -> int:
        """Return the number of parts of all pictures, from the sizes of the files. Files that are
        not readable are not counted."""
        if not self.tiles:
            return len(self)
        count = 0
        for name in self.names:
            with suppress(FileError):
                width, height = image_size(self.folder / name)
                count += max(1, (height // self.size[0]) * (width // self.size[1]))
        return count


class DataSet:
    """The pictures of a data set.

    pictures: (N, H, W, 3), or (N, H, W) in grey, 0..255
    size: (H, W) to which each picture is cropped and resized; None keeps the size

    names: the numbers of the pictures
    """

    def __init__(self, pictures: np.ndarray, size: tuple[int, int] | None = None) -> None:
        self.pictures, self.size = pictures, size or pictures.shape[1:3]
        self.names: Sequence[Any] = range(len(pictures))

    def __len__(self) -> int:
        return len(self.pictures)

    def read(self, number: int) -> list[np.ndarray]:
        """Return picture `number` as a list of one array (*size, 3), float32, 0..255."""
        picture = self.pictures[number]
        if picture.ndim == 2:
            picture = np.repeat(picture[..., None], 3, axis=-1)
        if picture.shape[:2] != tuple(self.size):
            picture = to_size(picture, self.size)
        return [picture.astype(np.float32)]

    def count_parts(self) -> int:
        return len(self)
