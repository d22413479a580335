import io
import pickle
import zipfile

import h5py
import numpy as np
import pytest

from minidl.checkpoints import load, read, translate
from minidl.errors import FileError


def test_every_format_gives_the_same_weights(any_file, arrays, small):
    checkpoint = translate(read(any_file), small)
    assert list(checkpoint.arrays) == list(small.shapes)
    for name, array in arrays.items():
        np.testing.assert_array_equal(checkpoint.arrays[name], array)
        assert checkpoint.arrays[name].dtype == np.float32


def test_names_are_those_of_the_file(tmp_path, arrays, samples):
    samples.keras_official_file(tmp_path / "a", arrays)
    samples.torch_zip_file(tmp_path / "b", arrays)
    keras, torch = read(tmp_path / "a"), read(tmp_path / "b")
    assert (keras.form, torch.form) == ("keras", "pytorch")
    assert "conv_a/conv_a_W_1:0" in keras.arrays
    assert torch.arrays["features.0.weight"].shape == (4, 3, 3, 3)


def test_a_file_that_is_cut_off_is_refused(any_file, small):
    contents = any_file.read_bytes()
    for length in (20, len(contents) // 2, len(contents) - 1):
        any_file.write_bytes(contents[:length])
        with pytest.raises(FileError):
            translate(read(any_file), small)


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "empty.h5").touch()
    with pytest.raises(FileError, match=r"empty\.h5 is empty; fetch or make it again"):
        read(tmp_path / "empty.h5")


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(FileError, match="no such weight file"):
        read(tmp_path / "nothing.h5")
    with pytest.raises(FileError, match="not a file but a folder"):
        read(tmp_path)


def test_an_error_page_is_refused(tmp_path):
    (tmp_path / "vgg19.h5").write_text("<!DOCTYPE html><title>404</title>")
    with pytest.raises(FileError, match=r"DOCTYPE.*error page"):
        read(tmp_path / "vgg19.h5")


def test_other_hdf5_files_are_refused(tmp_path, small):
    with h5py.File(tmp_path / "empty.h5", "w"):
        pass
    with pytest.raises(FileError, match="without any arrays"):
        read(tmp_path / "empty.h5")
    with h5py.File(tmp_path / "measured.h5", "w") as file:
        file["temperature"] = np.arange(4.0)
    with pytest.raises(FileError, match="another network"):
        translate(read(tmp_path / "measured.h5"), small)
    with pytest.raises(FileError, match=r"minidl weights convert measured\.h5 OUT\.h5"):
        load(tmp_path / "measured.h5", small)


def test_a_plain_pickle_is_refused(tmp_path):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(FileError, match="Python pickle"):
        read(tmp_path / "a.pkl")
    np.save(tmp_path / "a.npy", {"conv1_1": [np.ones(3)]})
    with pytest.raises(FileError, match=r"is an \.npy file, .* save its arrays by name with numpy"):
        read(tmp_path / "a.npy")


def test_other_zip_files_are_refused(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("letter.txt", "Dear reader")
    (tmp_path / "letter.zip").write_bytes(buffer.getvalue())
    with pytest.raises(FileError, match="damaged"):
        read(tmp_path / "letter.zip")
