"""A checkpoint comes back whole or is refused in a sentence."""

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
        return {name: as_bytes(each) for name, each in value.items()}
    return (
        (value.shape, value.dtype, value.tobytes())
        if isinstance(value, np.ndarray)
        else json.dumps(value)
    )


def refused(path):
    with pytest.raises(FileError) as caught:
        load(path)
    assert str(caught.value).count(str(path)) == 1
    return str(caught.value)


def test_a_tree_comes_back_and_has_the_same_bytes_each_time(tmp_path):
    for name in "ab":
        save(tmp_path / name, TREE)
    assert as_bytes(load(tmp_path / "a")) == as_bytes(TREE)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_damage_is_noticed(tmp_path):
    """Every 5th byte in turn: the file is refused, or the byte meant nothing."""
    path = tmp_path / "a.h5"
    save(path, TREE)
    contents, noticed = path.read_bytes(), 0
    assert contents.count(b"0.123456789012") == 1
    for place in [*range(0, len(contents), 5), contents.index(b"0.123456789012") + 5]:
        damaged = bytearray(contents)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        try:
            found = load(path)
        except FileError:
            noticed += 1
        else:
            assert as_bytes(found) == as_bytes(TREE), place
    assert noticed > 100
    path.write_bytes(contents[: len(contents) // 2])
    assert "is not a complete checkpoint" in refused(path)


def test_another_format_is_refused(tmp_path):
    path = tmp_path / "a.h5"
    path.write_bytes(hdf5.image({"format": "minidl training 9"}, {}))
    assert "has the format 'minidl training 9'; wanted 'minidl training 2'" in refused(path)
    path.write_bytes(hdf5.image({}, {"kernel": np.ones(3)}))
    assert "has no format; wanted 'minidl training 2'" in refused(path)
    path.write_text("a text")
    assert "is not a complete checkpoint" in refused(path)


def of_a_stranger(path, rest, **more):
    with h5py.File(path, "w") as file:
        file.attrs["format"] = np.bytes_("minidl training 2")
        file["rest"] = np.frombuffer(rest.encode(), np.uint8)
        for name, options in more.items():
            file.create_dataset(f"arrays/{name}", **options)


def test_nothing_is_fetched_from_another_file(tmp_path):
    (tmp_path / "secret").write_bytes(bytes(16))
    path, rest = tmp_path / "a.h5", json.dumps({"kernel": None})
    of_a_stranger(
        path,
        rest,
        kernel={"shape": (4,), "dtype": "f4", "external": [(str(tmp_path / "secret"), 0, 16)]},
    )
    assert "another file" in refused(path)


@pytest.mark.parametrize(
    "rest", ["[1]", "3", "{", '{"kernel": null}', '{"word": 5}', '{"word": []}']
)
def test_what_is_no_tree_is_refused(rest, tmp_path):
    of_a_stranger(tmp_path / "a.h5", rest)
    assert "is not a complete checkpoint" in refused(tmp_path / "a.h5")


def test_packed_text_is_refused(tmp_path):
    """A few bytes of the file could be gigabytes of lists."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["format"] = np.bytes_("minidl training 2")
        file.create_dataset(
            "rest", data=np.frombuffer(b"[" + b"[]," * 10**6 + b"[]]", np.uint8), compression=9
        )
    assert "its text unpacks to more than the file" in refused(tmp_path / "a.h5")


@pytest.mark.parametrize(
    "rest", [np.int64(2**40), np.int64(3), np.zeros((2, 2), np.uint8), np.ones(3), np.uint8(1)]
)
def test_text_that_is_no_row_of_bytes(tmp_path, rest):
    """bytes(2**40) would be a terabyte of zeros"""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["format"] = np.bytes_("minidl training 2")
        file["rest"] = rest
    assert "not one axis of bytes" in refused(tmp_path / "a.h5")


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "a.h5"
    save(path, {"number": 1})
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(FileError, match=r"cannot write .*a\.h5: no space left on device"):
        save(path, TREE)
    assert load(path) == {"number": 1}
    assert list(tmp_path.iterdir()) == [path]
