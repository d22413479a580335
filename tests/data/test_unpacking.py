"""unpacked recognises compression by content, and refuses damaged and too large files."""

import gzip
import lzma

import pytest

from minidl.data import unpacking
from minidl.data.unpacking import unpacked
from minidl.errors import FileError

CONTENT = bytes(range(256)) * 40
PACKED = {"plain": CONTENT, "gzip": gzip.compress(CONTENT), "xz": lzma.compress(CONTENT)}


@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize("name", ["file", "file.gz", "file.xz"])
def test_compression_is_recognised_by_content(tmp_path, packing, name):
    (tmp_path / name).write_bytes(PACKED[packing])
    assert unpacked(tmp_path / name) == CONTENT


@pytest.mark.parametrize(
    "packing, damage",
    [
        ("gzip", "truncated"),
        ("gzip", "changed"),
        ("gzip", "trailing"),
        ("xz", "truncated"),
        ("xz", "changed"),
    ],
)
def test_damaged_files_are_refused(tmp_path, packing, damage):
    whole = PACKED[packing]
    middle = len(whole) // 2
    changed = bytes(byte ^ 255 for byte in whole[middle : middle + 8])
    damaged = {
        "truncated": whole[:-3],
        "changed": whole[:middle] + changed + whole[middle + 8 :],
        "trailing": whole + b"more",
    }
    (tmp_path / "file").write_bytes(damaged[damage])
    with pytest.raises(FileError, match="file is damaged"):
        unpacked(tmp_path / "file")


def test_a_wrong_checksum_is_refused(tmp_path):
    whole = bytearray(PACKED["gzip"])
    whole[-8] ^= 1
    (tmp_path / "file").write_bytes(whole)
    with pytest.raises(FileError, match=r"file is damaged .*CRC"):
        unpacked(tmp_path / "file")


@pytest.mark.parametrize("packing", PACKED)
def test_files_that_are_too_large_are_refused(tmp_path, monkeypatch, packing):
    monkeypatch.setattr(unpacking, "LARGEST", 1000)
    (tmp_path / "file").write_bytes(PACKED[packing])
    with pytest.raises(FileError, match="more than 1,000 bytes"):
        unpacked(tmp_path / "file")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(FileError, match="there is no such file"):
        unpacked(tmp_path / "file")
