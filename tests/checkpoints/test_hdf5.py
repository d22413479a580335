import h5py
import numpy as np
import pytest

from minidl.checkpoints import read
from minidl.errors import FileError


def test_data_kept_in_another_file_is_refused(tmp_path):
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


def test_unusual_encodings_are_refused(tmp_path):
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
