"""Loading a checkpoint returns the tree that was saved or raises a FileError."""

import errno
import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from minidl.checkpoints import hdf5
from minidl.errors import FileError
from minidl.training import load, save

TREE = {
    "model": {
        "fc1/kernel": np.arange(6, dtype=np.float32).reshape(2, 3),
        "calls": 7,
        "none": np.zeros((0, 3)),
    },
    "progress": {"rows": [{"loss": 0.123456789012}], "word": "Größe", "one": np.float64(0.1)},
    "settings": {},
}


def as_bytes(value):
    if isinstance(value, dict):
        return {name: as_bytes(member) for name, member in value.items()}
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype, value.tobytes()
    return json.dumps(value)


def error_of_load(path):
    """The message, which names the file once"""
    with pytest.raises(FileError) as caught:
        load(path)
    assert str(caught.value).count(str(path)) == 1
    return str(caught.value)


def test_a_tree_is_restored_and_always_gives_the_same_bytes(tmp_path):
    for name in "ab":
        save(tmp_path / name, TREE)
    assert as_bytes(load(tmp_path / "a")) == as_bytes(TREE)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_damage_is_detected(tmp_path):
    """After a change of any fifth byte, the file is refused or gives the same tree."""
    path = tmp_path / "a.h5"
    save(path, TREE)
    contents, detected = path.read_bytes(), 0
    assert contents.count(b"0.123456789012") == 1
    for index in [*range(0, len(contents), 5), contents.index(b"0.123456789012") + 5]:
        damaged = bytearray(contents)
        damaged[index] ^= 1
        path.write_bytes(damaged)
        try:
            tree = load(path)
        except FileError:
            detected += 1
        else:
            assert as_bytes(tree) == as_bytes(TREE), index
    assert detected > 100
    path.write_bytes(contents[: len(contents) // 2])
    assert "is not a complete checkpoint" in error_of_load(path)


def test_another_format_is_refused(tmp_path):
    path = tmp_path / "a.h5"
    path.write_bytes(hdf5.image({"format": "minidl training 9"}, {}))
    assert "has the format 'minidl training 9'; wanted 'minidl training 2'" in error_of_load(path)
    path.write_bytes(hdf5.image({}, {"kernel": np.ones(3)}))
    assert "has no format; wanted 'minidl training 2'" in error_of_load(path)
    path.write_text("a text")
    assert "is not a complete checkpoint" in error_of_load(path)


def write_file(path, rest, **datasets):
    """Write a file of this format with any text and any datasets, as a stranger could."""
    with h5py.File(path, "w") as file:
        file.attrs["format"] = np.bytes_("minidl training 2")
        file["rest"] = np.frombuffer(rest.encode(), np.uint8)
        for name, options in datasets.items():
            file.create_dataset(f"arrays/{name}", **options)


def test_a_dataset_in_another_file_is_refused(tmp_path):
    (tmp_path / "secret").write_bytes(bytes(16))
    path, rest = tmp_path / "a.h5", json.dumps({"kernel": None})
    write_file(
        path,
        rest,
        kernel={"shape": (4,), "dtype": "f4", "external": [(str(tmp_path / "secret"), 0, 16)]},
    )
    assert "another file" in error_of_load(path)


@pytest.mark.parametrize(
    "rest", ["[1]", "3", "{", '{"kernel": null}', '{"word": 5}', '{"word": []}']
)
def test_text_that_is_not_a_tree_is_refused(rest, tmp_path):
    write_file(tmp_path / "a.h5", rest)
    assert "is not a complete checkpoint" in error_of_load(tmp_path / "a.h5")


def test_compressed_text_is_refused(tmp_path):
    """A small file could unpack to gigabytes of lists."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["format"] = np.bytes_("minidl training 2")
        file.create_dataset(
            "rest", data=np.frombuffer(b"[" + b"[]," * 10**6 + b"[]]", np.uint8), compression=9
        )
    assert "its text unpacks to more than the file" in error_of_load(tmp_path / "a.h5")


@pytest.mark.parametrize(
    "rest", [np.int64(2**40), np.int64(3), np.zeros((2, 2), np.uint8), np.ones(3), np.uint8(1)]
)
def test_text_that_is_not_one_axis_of_bytes_is_refused(tmp_path, rest):
    """bytes(2**40) would be a terabyte of zeros."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["format"] = np.bytes_("minidl training 2")
        file["rest"] = rest
    assert "not one axis of bytes" in error_of_load(tmp_path / "a.h5")


def test_a_full_disk_does_not_destroy_the_old_file(tmp_path, monkeypatch):
    def write_to_a_full_disk(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "a.h5"
    save(path, {"number": 1})
    monkeypatch.setattr(Path, "write_bytes", write_to_a_full_disk)
    with pytest.raises(FileError, match=r"cannot write .*a\.h5: no space left on device"):
        save(path, TREE)
    assert load(path) == {"number": 1}
    assert list(tmp_path.iterdir()) == [path]
