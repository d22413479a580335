"""IDX, the form of MNIST: two zeros, the type of the numbers, how many axes, the length of each as
uint32, the numbers."""

from math import prod

import numpy as np

from minidl.data.unpacking import damaged, unpacked

BYTES = 0x08  # the type of unsigned bytes


def read_idx(path, axes):
    """The uint8 array of an IDX file, plain or packed, with so many axes. Raises FileError where it
    is anything else."""
    content = unpacked(path)
    start = 4 + 4 * axes
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
    if len(content) < start:
        raise damaged(path, f"it ends after {len(content)} bytes, within its header")
    shape = tuple(map(int, np.frombuffer(content, ">u4", axes, offset=4)))
    if (found := len(content) - start) != prod(shape):
        raise damaged(
            path, f"its header tells of {prod(shape):,} numbers {shape}, but {found:,} follow"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape).copy()
