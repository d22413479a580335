"""Pictures to search through, one file at a time: a folder, or a data set."""

from pathlib import Path

import numpy as np

from minidl.data.images import ENDINGS, read_at_size, read_image, to_size
from minidl.errors import FileError
from minidl.files import must_be_folder


class Folder:
    """All pictures below a folder, by the endings of their names, in the order of their paths;
    hidden ones are left out.

    Each picture is made `size`, (H, W): its middle part, or with tiles=True as many parts of that
    size as fit beside each other around its middle. without: a file that is left out, or None.
    names: of the files. Raises FileError where there is no folder, or no picture in it.
    """

    def __init__(self, folder, size, tiles=False, without=None):
        folder = must_be_folder(folder, "a folder of pictures")
        left_out = without and Path(without).resolve()
        found = (
            path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file()
        )
        names = (path.relative_to(folder) for path in found if path.resolve() != left_out)
        self.names = sorted(
            name for name in names if not any(part.startswith(".") for part in name.parts)
        )
        if not self.names:
            raise FileError(
                f"{folder} has no pictures; wanted files that end in {', '.join(ENDINGS)}"
            )
        self.folder, self.size, self.tiles = folder, size, tiles

    def __len__(self):
        return len(self.names)

    def read(self, number):
        """[(*size, 3)], float32, 0..255: the parts of the picture with this number. Raises
        FileError where it is none."""
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


class DataSet:
    """pictures: (N, H, W, 3) or, in grey, (N, H, W), 0..255, each made `size`; names: their
    numbers."""

    def __init__(self, pictures, size=None):
        self.pictures, self.size = pictures, size or pictures.shape[1:3]
        self.names = range(len(pictures))

    def __len__(self):
        return len(self.pictures)

    def read(self, number):
        """[(*size, 3)], float32, 0..255: the one picture with this number"""
        picture = self.pictures[number]
        if picture.ndim == 2:
            picture = np.repeat(picture[..., None], 3, axis=-1)
        same = picture.shape[:2] == tuple(self.size)
        return [(picture if same else to_size(picture, self.size)).astype(np.float32)]
