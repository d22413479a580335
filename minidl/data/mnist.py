"""Load MNIST from its official IDX files: 60,000 + 10,000 handwritten digits (LeCun, Cortes and
Burges)."""

from math import prod

import numpy as np

from minidl.data.places import find
from minidl.data.unpacking import damaged, unpacked
from minidl.errors import one_of
from minidl.typing import Array, Path

FORMS = {
    part: [[f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte"]]
    for part, prefix in [("train", "train"), ("test", "t10k")]
}
BYTES = 0x08  # the type of unsigned bytes in an IDX file


def mnist(folder: Path | None = None, part: str = "train") -> tuple[Array, Array]:
    """Return the pictures (N, 28, 28) and the labels (N,) of MNIST, both uint8.

    folder  where to look for the files; None means the folders of `places`
    part    "train" or "test"

    Raises FileError if the files are not found, are damaged or are not MNIST's, and ArgumentError
    if `part` is another value.
    """
    images, labels = find("mnist", FORMS[one_of("part", part, FORMS)], folder)
    pictures, digits = read_idx(images, axes=3), read_idx(labels, axes=1)
    if pictures.shape[1:] != (28, 28):
        raise damaged(images, f"its pictures have shape {pictures.shape[1:]}, wanted (28, 28)")
    if len(pictures) != len(digits):
        raise damaged(
            labels,
            f"it has {len(digits):,} labels for the {len(pictures):,} pictures of {images.name}",
        )
    if digits.max(initial=0) > 9:
        raise damaged(labels, f"it has the label {digits.max()}, wanted 0 to 9")
    return pictures, digits


def read_idx(path: Path, axes: int) -> Array:
    """Return the uint8 array of an IDX file, plain or compressed, that has this number of axes.

    An IDX file consists of two zeros, the type of the numbers, the number of axes, the length of
    each axis as a big-endian uint32, and the numbers. Raises FileError if the file is of another
    kind or damaged.
    """
    content = unpacked(path)
    begin = 4 + 4 * axes
    if len(content) < 4 or content[:2] != b"\0\0":
        raise damaged(
            path, f"it begins with {content[:4].hex() or 'nothing'}, no magic number of IDX"
        )
    if content[2] != BYTES:
        raise damaged(
            path, f"its numbers have type 0x{content[2]:02x}, wanted 0x{BYTES:02x}, unsigned bytes"
        )
    if content[3] != axes:
        raise damaged(
            path, f"its array has {content[3]} axes, wanted {axes}: pictures have 3, labels 1"
        )
    if len(content) < begin:
        raise damaged(path, f"it ends after {len(content)} bytes, within its header")
    shape = tuple(map(int, np.frombuffer(content, ">u4", axes, offset=4)))
    count = len(content) - begin
    if count != prod(shape):
        raise damaged(
            path, f"its header states {prod(shape):,} numbers {shape}, but {count:,} follow"
        )
    return np.frombuffer(content, np.uint8, offset=begin).reshape(shape).copy()
