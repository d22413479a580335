import errno
import time
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from minidl.checkpoints import Checkpoint, read, write
from minidl.errors import ArgumentError, FileError, NonFiniteError


@pytest.fixture
def checkpoint(arrays, samples):
    provenance = {
        "source": "vgg.h5",
        "authors": "Karen Simonyan",
        "licence": "CC BY 4.0",
        "note": "Größe × 2",
    }
    classes = "a cat", "a dog, of any breed", "a cow", "a hen", "größer"
    return Checkpoint(arrays, "minidl", "small", samples.CAFFE, provenance, classes)


def test_a_written_checkpoint_is_read_unchanged(tmp_path, checkpoint):
    write(tmp_path / "a.h5", checkpoint)
    found = read(tmp_path / "a.h5")
    for name, array in checkpoint.arrays.items():
        np.testing.assert_array_equal(found.arrays[name], array)
    assert replace(found, arrays={}) == replace(checkpoint, arrays={})


def test_missing_metadata_is_read_as_none(tmp_path, arrays):
    write(tmp_path / "a.h5", Checkpoint(arrays))
    found = read(tmp_path / "a.h5")
    assert (found.architecture, found.preprocessing, found.provenance) == (None, None, {})
    assert found.classes is None


def test_names_of_classes_that_are_too_long_to_be_read_again_are_refused(tmp_path, arrays):
    with pytest.raises(ArgumentError, match="take 69,999 bytes; wanted at most 65,536"):
        write(tmp_path / "a.h5", Checkpoint(arrays, classes=("a" * 999,) * 70))
    assert not (tmp_path / "a.h5").exists()


def test_a_damaged_name_of_a_class_is_refused(tmp_path, checkpoint):
    write(tmp_path / "a.h5", replace(checkpoint, classes=("cat", "\x1b[31mdog")))
    with pytest.raises(FileError, match=r"names a class '.*dog', which is no plain text"):
        read(tmp_path / "a.h5")


def test_levels_take_a_quarter_and_are_lossless_the_second_time(tmp_path):
    kernel = np.random.default_rng(0).normal(size=(3, 3, 32, 32)).astype(np.float32)
    arrays = {"a/kernel": kernel, "a/bias": kernel[0, 0, 0]}
    write(tmp_path / "a.h5", Checkpoint(arrays))
    write(tmp_path / "b.h5", Checkpoint(arrays), levels=256)
    once = read(tmp_path / "b.h5")
    assert (tmp_path / "b.h5").stat().st_size < (tmp_path / "a.h5").stat().st_size / 2.5
    assert np.unique(once.arrays["a/kernel"]).size <= 256
    np.testing.assert_array_equal(once.arrays["a/bias"], arrays["a/bias"])
    assert np.abs(once.arrays["a/kernel"] - kernel).mean() < 0.01
    write(tmp_path / "c.h5", once, levels=256)
    np.testing.assert_array_equal(
        read(tmp_path / "c.h5").arrays["a/kernel"], once.arrays["a/kernel"]
    )


def test_an_array_of_few_values_is_stored_as_levels_without_loss(tmp_path):
    rng = np.random.default_rng(0)
    few = rng.choice(rng.normal(size=256).astype(np.float32), size=(3, 3, 1, 64))
    many = rng.normal(size=few.shape).astype(np.float32)
    broken = np.where(few > 1, np.float32(np.nan), few)
    arrays = {
        "few/depthwise": few,
        "many/kernel": many,
        "broken/kernel": broken,
        "small/kernel": few[0],
    }
    write(tmp_path / "a.h5", Checkpoint(arrays))
    dtypes = dict.fromkeys(arrays, np.float32) | {"few/depthwise": np.uint8}
    with h5py.File(tmp_path / "a.h5") as file:
        assert {name: file[name].dtype for name in arrays} == dtypes
    for name, array in read(tmp_path / "a.h5").arrays.items():
        np.testing.assert_array_equal(array, arrays[name])


@pytest.mark.parametrize("levels", [None, 256])
def test_equal_contents_give_equal_bytes(tmp_path, checkpoint, levels):
    write(tmp_path / "a.h5", checkpoint, levels=levels)
    time.sleep(1.1)
    write(tmp_path / "b.h5", checkpoint, levels=levels)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


@pytest.mark.parametrize(
    "form", ["minidl", pytest.param("minidl levels", marks=pytest.mark.thorough)]
)
def test_damage_is_detected(tmp_path, arrays, samples, form):
    """With one bit of every 7th byte flipped, the file is refused or reads the same."""
    path = tmp_path / "a.h5"
    samples.WRITERS[form](path, arrays)
    contents, whole = path.read_bytes(), read(path)
    detected = 0
    for place in range(0, len(contents), 7):
        damaged = bytearray(contents)
        damaged[place] ^= 0x10
        path.write_bytes(damaged)
        try:
            found = read(path)
        except FileError:
            detected += 1
        else:
            for name, array in whole.arrays.items():
                assert np.array_equal(found.arrays[name], array), place
            assert replace(found, arrays={}) == replace(whole, arrays={})
    assert detected > 100


def test_a_file_of_a_later_version_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["format"] = np.bytes_("minidl weights 9")
    with pytest.raises(FileError, match=r"format 'minidl weights 9'.*update minidl"):
        read(tmp_path / "a.h5")


def test_a_full_disk_keeps_the_old_file(tmp_path, checkpoint, monkeypatch):
    path = tmp_path / "a.h5"
    path.write_text("the old file")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(FileError, match=r"cannot write .*a\.h5: no space left on device"):
        write(path, checkpoint)
    assert path.read_text() == "the old file"
    assert list(tmp_path.iterdir()) == [path]


def test_paths_that_cannot_be_written_are_refused(tmp_path, checkpoint):
    with pytest.raises(FileError, match="is a folder"):
        write(tmp_path, checkpoint)
    with pytest.raises(FileError, match="there is no folder"):
        write(tmp_path / "no" / "a.h5", checkpoint)


def test_a_file_may_be_read_and_replaced(tmp_path, checkpoint):
    path = tmp_path / "a.h5"
    write(path, checkpoint)
    write(path, read(path), levels=256)
    assert set(read(path).arrays) == set(checkpoint.arrays)


def test_invalid_arguments_are_refused(tmp_path, checkpoint):
    with pytest.raises(ArgumentError, match="levels is 16"):
        write(tmp_path / "a.h5", checkpoint, levels=16)
    with pytest.raises(NonFiniteError, match="a/kernel"):
        write(tmp_path / "a.h5", Checkpoint({"a/kernel": np.full((2, 2), np.nan)}), levels=256)


def test_indices_without_levels_are_refused(tmp_path, checkpoint):
    write(tmp_path / "a.h5", checkpoint, levels=256)
    with h5py.File(tmp_path / "a.h5", "a") as file:
        name = next(name for name in checkpoint.arrays if name.endswith("/kernel"))
        del file[f"{name}_levels"]
    with pytest.raises(
        FileError, match=rf"has {name} as uint8; minidl stores float32, or uint8 beside 256 levels"
    ):
        read(tmp_path / "a.h5")
