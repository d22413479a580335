"""Malicious and malformed .npz files are refused in one sentence, and with little memory."""

import bz2
import lzma
import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest

from minidl.checkpoints import read
from minidl.errors import FileError
from tests.checkpoints.malformed import (
    MOST,
    manifest,
    one_entry,
    pickled,
    refused,
    state_dict,
    tensor,
)


def npy(shape, numbers=b"", descr="'<f4'", order="False", version=1):
    header = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n".encode()
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + numbers


def zip_with_wrong_size(path, contents, packing, listed):
    """Write a zip archive of one compressed entry, whose directory states `listed` bytes for it."""
    packed = COMPRESS[packing](contents)
    sizes = struct.pack("<III", zlib.crc32(contents), len(packed), listed)
    local = b"PK\3\4" + struct.pack("<HHHHH", 46, 0, packing, 0, 33) + sizes
    local += struct.pack("<HH", 5, 0) + b"a.npy" + packed
    entry = b"PK\1\2" + struct.pack("<HHHHHH", 46, 46, 0, packing, 0, 33) + sizes
    entry += struct.pack("<HHHHHII", 5, 0, 0, 0, 0, 0, 0) + b"a.npy"
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(entry), len(local), 0)
    path.write_bytes(local + entry + end)


def deflated(contents):
    pack = zlib.compressobj(1, wbits=-15)
    return pack.compress(contents) + pack.flush()


def zip_lzma(contents):
    filters = [{"id": lzma.FILTER_LZMA1}]
    properties = lzma._encode_filter_properties(filters[0])
    compressed = lzma.compress(contents, lzma.FORMAT_RAW, filters=filters)
    return b"\x09\x04" + struct.pack("<H", len(properties)) + properties + compressed


COMPRESS = {
    zipfile.ZIP_DEFLATED: deflated,
    zipfile.ZIP_BZIP2: bz2.compress,
    zipfile.ZIP_LZMA: zip_lzma,
}


@pytest.mark.parametrize(
    "listed", [(2**31, 100), (100, 2**31), (2**31, 2**31), (2**62, 2**62), (1, 2**62)]
)
@pytest.mark.parametrize("name", ["a.npy", "a/data.pkl"])
def test_stored_entries_with_wrong_sizes_in_the_directory(tmp_path, name, listed):
    """listed: the (compressed, decompressed) sizes in the directory, in ZIP64 form if they exceed
    4 GB"""
    contents = npy("(1,)", bytes(4)) if name == "a.npy" else one_entry(tensor())
    large = struct.pack("<HHQQ", 1, 16, listed[1], listed[0]) if max(listed) >= 2**32 - 1 else b""
    sizes = struct.pack("<III", zlib.crc32(contents), *([2**32 - 1] * 2 if large else listed))
    local = b"PK\3\4" + struct.pack("<HHHHH", 46, 0, 0, 0, 33) + sizes
    local += struct.pack("<HH", len(name), len(large)) + name.encode() + large + contents
    entry = b"PK\1\2" + struct.pack("<HHHHHH", 46, 46, 0, 0, 0, 33) + sizes
    entry += struct.pack("<HHHHHII", len(name), len(large), 0, 0, 0, 0, 0) + name.encode() + large
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(entry), len(local), 0)
    (tmp_path / "a").write_bytes(local + entry + end)
    tracemalloc.start()
    try:
        found = read(tmp_path / "a").arrays  # the header of an .npy entry states its size
        assert name == "a.npy" and found["a"].shape == (1,)
    except FileError:
        pass
    assert tracemalloc.get_traced_memory()[1] < MOST
    tracemalloc.stop()


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("listed", [100, 2**31])
def test_an_entry_with_a_wrong_size_in_the_directory(tmp_path, packing, listed):
    size = 150 * 2**20 if packing == zipfile.ZIP_DEFLATED else 2**20
    zip_with_wrong_size(tmp_path / "a.npz", npy("(1,)") + bytes(size), packing, listed)
    refused(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("entry", "saying"),
    [
        (npy("(1,)"), "a ends after 0 of 4 bytes"),
        (npy("(1,)", bytes(8)), "a holds more than its header says"),
        (npy("(1000000000000000000,)"), "the header of a is"),
        (npy("(100000000000,)"), "claims 400,000,000,000 bytes for a"),
        (npy(f"({'1,' * 33})", bytes(4)), "the header of a is"),
        (npy(f"({'1,' * 3000})", bytes(4)), "the header of a has"),
        (npy("(-1,)", bytes(4)), "the header of a is"),
        (npy("(1.0,)", bytes(4)), "the header of a is"),
        (npy("(" * 1000 + "1" + ")" * 1000), "the header of a is"),
        (npy("(" + "9" * 3900 + ",)"), "the header of a is"),
        (npy("(1,)", bytes(4), order="maybe"), "the header of a is"),
        (npy("(1,)", bytes(8), descr="'|O'"), "holds a as .*wanted plain numbers"),
        (npy("(1,)", bytes(8), descr="[('a', '<f4')]"), "holds a as .*wanted plain numbers"),
        (npy("(1,)", bytes(8), descr="'<U\x1b'"), "wanted plain numbers"),
        (npy("(1,)", bytes(12), descr="'<f3'"), "damaged"),
        (npy("(1,)", bytes(4), version=9), "is damaged: a begins with"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "the header of a has 4,294,967,295 bytes"),
        (b"no array", "is damaged: a begins with"),
        (b"", "a ends after 0 of 6 bytes"),
    ],
)
def test_entries_that_are_no_arrays_are_refused(tmp_path, entry, saying):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", entry)
    refused(tmp_path / "a.npz", saying)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_headers_of_other_programs_are_read(tmp_path, version):
    header = b'{"shape":(2,3),"fortran_order":True,"descr":"<f8"}'
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    wanted = np.arange(6.0).reshape(2, 3)
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "a.npy", b"\x93NUMPY" + bytes([version, 0]) + length + header + wanted.T.tobytes()
        )
        archive.writestr("b.npy", npy("()", np.float32(7).tobytes()))
    found = read(tmp_path / "a.npz").arrays
    np.testing.assert_array_equal(found["a"], wanted)
    assert found["b"].shape == () and found["b"] == 7


@pytest.mark.parametrize("name", ["a" * 2000, "a\x1b[31m", "a\u202eb"])
@pytest.mark.parametrize("form", ["npz", "pth", "h5", "tfjs"])
def test_long_names_and_names_with_control_characters(tmp_path, samples, form, name):
    path = tmp_path / "weights"
    if form == "npz":
        np.savez(path, **{name: np.zeros(1)})
        path = tmp_path / "weights.npz"
    elif form == "pth":
        samples.torch_zip_file(path, {})
        pickled(path, state_dict({name: np.zeros(1, np.float32)}, samples), {"0": bytes(4)})
    elif form == "h5":
        samples.hdf5_file(path, {name: np.zeros(1)})
    else:
        manifest(path, [{"name": name, "shape": [1], "dtype": "float32"}], bytes(4))
    refused(path, "names an array")


def test_archives_of_too_many_entries_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        for number in range(10_001):
            archive.writestr(f"{number}.npy", b"")
    refused(tmp_path / "a.npz", "holds more than 10,000 files")
    whole = (tmp_path / "a.npz").read_bytes()
    end = whole.rindex(b"PK\5\6")
    size, begin = struct.unpack("<II", whole[end + 12 : end + 20])
    directory = whole[begin : begin + size] * 5
    tail = whole[end : end + 12] + struct.pack("<II", len(directory), begin) + bytes(2)
    (tmp_path / "a.npz").write_bytes(whole[:begin] + directory + tail)
    refused(tmp_path / "a.npz", r"has a directory of 2,\d{3},\d{3} bytes; wanted")


def test_entries_that_share_their_bytes_are_refused(tmp_path):
    """The directory lists the same compressed megabytes a thousand times."""
    path = tmp_path / "a.npz"
    entry = npy("(2621440,)") + bytes(10 * 2**20)
    zip_with_wrong_size(path, entry, zipfile.ZIP_DEFLATED, len(entry))
    whole = path.read_bytes()
    begin, end = whole.index(b"PK\1\2"), whole.index(b"PK\5\6")
    entries = b"".join(
        whole[begin:end].replace(b"a.npy", b"%05d" % number) for number in range(1000)
    )
    tail = whole[end : end + 12] + struct.pack("<II", len(entries), begin) + bytes(2)
    path.write_bytes(whole[:begin] + entries + tail)
    refused(path)
