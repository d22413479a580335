import zlib

import h5py
import numpy as np
import pytest

from minidl.checkpoints import hdf5, read
from minidl.errors import FileError


def test_data_in_another_file_is_refused(tmp_path):
    (tmp_path / "secret").write_bytes(bytes(16))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("a/kernel", (4,), "f4", external=[(str(tmp_path / "secret"), 0, 16)])
    with pytest.raises(FileError, match="another file"):
        read(tmp_path / "a.h5")


def test_links_into_another_file_are_not_followed(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["kernel"] = np.ones(3)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["a/kernel"] = np.zeros(3)
        file["b"] = h5py.ExternalLink("other.h5", "/")
    assert list(read(tmp_path / "a.h5").arrays) == ["a/kernel"]


def test_virtual_datasets_are_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["real"] = np.zeros(3)
        layout = h5py.VirtualLayout((3,), "f8")
        layout[:] = h5py.VirtualSource(file["real"])
        file.create_virtual_dataset("a/kernel", layout)
    with pytest.raises(FileError, match="another file"):
        read(tmp_path / "a.h5")


def test_other_filters_are_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("a/kernel", data=np.zeros(100), scaleoffset=3)
    with pytest.raises(FileError, match="encoding"):
        read(tmp_path / "a.h5")


def test_a_tiny_file_that_claims_a_terabyte(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("a/kernel", (2**38,), "f4", chunks=(2**20,))
    with pytest.raises(FileError, match="more than it can hold"):
        read(tmp_path / "a.h5")


def test_text_of_variable_length_is_not_read(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["format"] = "minidl weights 1"
        file["a/kernel"] = np.zeros(3)
        file["names"] = ["a", "b"]
    found = read(tmp_path / "a.h5")
    assert (found.form, list(found.arrays)) == ("keras", ["a/kernel"])


def test_a_chunk_that_decompresses_to_more_than_its_size(tmp_path):
    """libhdf5 would decompress 200 KB to 200 MB."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        dataset = file.create_dataset("a/kernel", (1000,), "f4", chunks=(1000,), compression=1)
        dataset.id.write_direct_chunk((0,), zlib.compress(bytes(200_000_000)))
    with pytest.raises(FileError, match="unpacks to more than a/kernel holds"):
        read(tmp_path / "a.h5")


@pytest.mark.parametrize(
    "options",
    [
        {"compression": 9},
        {"compression": 9, "shuffle": True, "fletcher32": True},
        {"compression": "lzf"},
    ],
)
def test_compressed_numbers_are_read(tmp_path, options):
    kernel = np.random.default_rng(0).integers(0, 9, (100, 33)).astype("f4")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("a/kernel", data=kernel, chunks=(30, 7), **options)
    np.testing.assert_array_equal(read(tmp_path / "a.h5").arrays["a/kernel"], kernel)


def test_the_overhead_of_millions_of_chunks_is_counted(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("a/kernel", (2**24,), "f2", chunks=(1,))
    with pytest.raises(FileError, match="more than it can hold"):
        read(tmp_path / "a.h5")


@pytest.mark.parametrize("shape", ["deep", "wide"])
def test_too_many_and_too_deep_groups(tmp_path, monkeypatch, shape):
    monkeypatch.setattr(hdf5, "ENTRIES", 50)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        group = file
        for number in range(40 if shape == "deep" else 60):
            made = group.create_group(str(number))
            group = made if shape == "deep" else file
        group["kernel"] = np.ones(3)
    with pytest.raises(
        FileError, match="holds more than 50 objects, or 32 nested groups; wanted a file of weights"
    ):
        read(tmp_path / "a.h5")


def test_an_attribute_that_is_too_long_is_not_read(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w", libver="latest") as file:
        file.attrs["format"] = np.bytes_(b"minidl" * 20_000)
        file["a/kernel"] = np.zeros(3)
    assert read(tmp_path / "a.h5").form == "keras"
