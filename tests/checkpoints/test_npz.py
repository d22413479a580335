import io
import struct
import zipfile

import numpy as np
import pytest

from minidl.checkpoints import read
from minidl.errors import FileError


def test_axis_orders_and_dtypes(tmp_path):
    arrays = {
        "a": np.arange(6.0).reshape(2, 3),
        "b": np.asfortranarray(np.ones((2, 3), np.float16)),
        "c": np.int8(3),
    }
    np.savez_compressed(tmp_path / "a.npz", **arrays)
    found = read(tmp_path / "a.npz").arrays
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)


def test_python_objects_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.array([{}], object))
    with pytest.raises(FileError, match="wanted plain numbers"):
        read(tmp_path / "a.npz")


def test_a_header_that_claims_more_than_the_file_is_refused(tmp_path):
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,)}\n"
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
    with pytest.raises(
        FileError, match="claims 4,000,000,000,000 bytes for a, more than it can hold"
    ):
        read(tmp_path / "a.npz")


def test_a_decompression_bomb_is_refused(tmp_path):
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(10**8, np.uint8))
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", buffer.getvalue())
    with pytest.raises(FileError, match="more than it can hold"):
        read(tmp_path / "a.npz")
