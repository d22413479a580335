"""TensorFlow.js' manifests are read, and inconsistent ones are refused in words."""

import json

import numpy as np
import pytest

from minidl.checkpoints import files_of, read
from minidl.errors import FileError

QUANTIZED = {"name": "a/filters", "shape": [2, 2], "dtype": "float32"}
QUANTIZED["quantization"] = {"dtype": "uint8", "scale": 0.1, "min": -3.0}
PLAIN = {"name": "a/bias", "shape": [2], "dtype": "float32"}
NUMBERS = bytes([0, 1, 128, 255]) + np.array([0.5, -7], "<f4").tobytes()


@pytest.fixture
def manifest(tmp_path):
    """A function that writes a manifest of weights, and numbers.bin beside it."""

    def write(*weights, numbers=NUMBERS, paths=("numbers.bin",), text=None):
        (tmp_path / "numbers.bin").write_bytes(numbers)
        path = tmp_path / "a-weights_manifest.json"
        path.write_text(
            json.dumps([{"paths": list(paths), "weights": list(weights)}]) if text is None else text
        )
        return path

    return write


def test_quantized_weights_are_scaled_and_shifted(manifest):
    found = read(manifest(QUANTIZED, PLAIN))
    assert found.form == "tfjs"
    assert all(array.dtype == np.float32 for array in found.arrays.values())
    wanted = [[q * 0.1 - 3.0 for q in row] for row in ([0, 1], [128, 255])]
    np.testing.assert_array_equal(found.arrays["a/filters"], np.float32(wanted))
    np.testing.assert_array_equal(found.arrays["a/bias"], np.float32([0.5, -7]))


def test_files_of_lists_the_manifest_and_its_numbers(manifest):
    path = manifest(QUANTIZED, PLAIN)
    assert files_of(path) == [path, path.with_name("numbers.bin")]


def test_leading_white_space_is_ignored(manifest):
    path = manifest(QUANTIZED, PLAIN)
    path.write_text("\n  " + path.read_text())
    assert list(read(path).arrays) == ["a/filters", "a/bias"]


@pytest.mark.parametrize("numbers", [NUMBERS[:-1], NUMBERS + b"\0", b""])
def test_files_of_another_length_are_refused(manifest, numbers):
    found = rf"lists 12 bytes in numbers\.bin, but found {len(numbers)}: .* get both again"
    with pytest.raises(FileError, match=found):
        read(manifest(QUANTIZED, PLAIN, numbers=numbers))


def test_a_missing_file_of_numbers_is_refused(manifest):
    path = manifest(QUANTIZED, PLAIN)
    path.with_name("numbers.bin").unlink()
    with pytest.raises(
        FileError,
        match=r"numbers\.bin: there is no such file of numbers, which .*manifest\.json names",
    ):
        read(path)


@pytest.mark.parametrize("name", ["../numbers.bin", "/etc/passwd", "deeper/numbers.bin", "", ".."])
def test_no_file_of_another_folder_is_read(manifest, name):
    with pytest.raises(
        FileError, match=r"in another folder; put its files beside it|is not a file but a folder"
    ):
        read(manifest(QUANTIZED, PLAIN, paths=[name]))


OTHERS = [
    ({"dtype": "int32", "quantization": None}, "holds a/filters as int32; minidl reads float32"),
    ({"dtype": None}, "holds a/filters as None"),
    (
        {"quantization": {"dtype": "uint16", "scale": 1, "min": 0}},
        "as float32 quantized as uint16; minidl reads",
    ),
    (
        {"quantization": {"dtype": "uint8", "scale": 1}},
        "gives a/filters the scale 1 and the minimum None",
    ),
    ({"quantization": {"dtype": "uint8", "scale": float("nan"), "min": 0}}, "the scale nan"),
    ({"quantization": {"dtype": "uint8", "scale": "1", "min": 0}}, "the scale '1'"),
    ({"shape": [2, -2]}, r"an array 'a/filters' of shape \[2, -2\]: it is damaged"),
    ({"shape": [2.0, 2]}, "it is damaged"),
    ({"shape": [True, 4]}, "it is damaged"),
    ({"shape": "22"}, "it is damaged"),
    ({"name": 7}, "names an array 7, which is no plain text"),
    ({"shape": [10**6, 10**6]}, "lists 1,000,000,000,008 bytes"),
]


@pytest.mark.parametrize(("change", "sentence"), OTHERS)
def test_other_types_and_shapes_are_refused(manifest, change, sentence):
    with pytest.raises(FileError, match=sentence):
        read(manifest(QUANTIZED | change, PLAIN))


def test_a_duplicate_name_is_refused(manifest):
    with pytest.raises(FileError, match="lists a/bias twice"):
        read(manifest(PLAIN, PLAIN, numbers=bytes(16)))


TEXTS = [
    "{}",
    "[]",
    '{"weightsManifest": []}',
    "[3]",
    '[{"paths": "a", "weights": []}]',
    '[{"paths": ["a"], "weights": [1]}]',
]


@pytest.mark.parametrize("text", [*TEXTS, "[{", '[{"paths": [', "[" * 100_000])
def test_json_that_is_no_manifest_is_refused(manifest, text):
    with pytest.raises(
        FileError, match=r"but no manifest of TensorFlow\.js|is damaged|without any arrays"
    ):
        read(manifest(text=text))
