"""Models of Keras 3 (.keras) and weights in several files, also by Keras where it is installed."""

import json
import os
import subprocess
import sys
import zipfile
from importlib.util import find_spec

import h5py
import numpy as np
import pytest

from minidl.checkpoints import files_of, read, translate
from minidl.errors import FileError
from tests.checkpoints.conftest import small_arrays
from tests.checkpoints.malformed import refused

MADE_BY_KERAS = """
import sys
import numpy as np
import keras
from keras import layers
arrays = np.load(sys.argv[1])
inputs = keras.Input((8, 8, 3))
x = layers.Conv2D(4, 3, padding="same", activation="relu", name="conv_a")(inputs)
x = layers.MaxPooling2D(4)(x)
x = layers.Conv2D(6, 3, padding="same", activation="relu", name="conv_b")(x)
base = keras.Model(inputs, x, name="small")
base.get_layer("conv_a").set_weights([arrays["conv_a/kernel"], arrays["conv_a/bias"]])
base.get_layer("conv_b").set_weights([arrays["conv_b/kernel"], arrays["conv_b/bias"]])
inputs = keras.Input((8, 8, 3))
dense = layers.Dense(5, name="dense_a")
model = keras.Model(inputs, dense(layers.Flatten()(base(inputs))))
dense.set_weights([arrays["dense_a/kernel"], arrays["dense_a/bias"]])
model.compile("adam", "mse")
model.fit(np.zeros((1, 8, 8, 3)), model.predict(np.zeros((1, 8, 8, 3))), verbose=0)
model.set_weights(list(arrays.values()))
model.save("model.keras")
model.save("legacy.h5")
model.save_weights("one.weights.h5")
model.save_weights("several.weights.json", max_shard_size=1e-6)
other = layers.Dense(3, name="mine")
x = other(layers.BatchNormalization()(layers.GlobalAveragePooling2D()(base(inputs))))
keras.Model(inputs, x).save("other.keras")
"""


@pytest.fixture(scope="module")
def made_by_keras(tmp_path_factory):
    if not all(map(find_spec, ("keras", "torch"))):
        pytest.skip("needs Keras and PyTorch")
    folder = tmp_path_factory.mktemp("keras")
    np.savez(folder / "arrays.npz", **small_arrays())
    command = [sys.executable, "-c", MADE_BY_KERAS, "arrays.npz"]
    environment = os.environ | {"KERAS_BACKEND": "torch", "KERAS_HOME": str(folder)}
    subprocess.run(command, check=True, cwd=folder, env=environment, capture_output=True)
    return folder


@pytest.mark.thorough
@pytest.mark.parametrize(
    "name", ["model.keras", "legacy.h5", "one.weights.h5", "several.weights.json"]
)
def test_files_of_keras_with_a_nested_model(made_by_keras, arrays, small, name):
    found = translate(read(made_by_keras / name), small)
    assert (found.form, found.remarks) == ("keras", ())
    assert list(found.arrays) == list(arrays)
    for key, array in arrays.items():
        np.testing.assert_array_equal(found.arrays[key], array)


@pytest.mark.thorough
def test_a_model_of_keras_with_another_top(made_by_keras, arrays, small):
    found = translate(read(made_by_keras / "other.keras"), small)
    assert list(found.arrays) == list(arrays)[:4]
    np.testing.assert_array_equal(found.arrays["conv_b/kernel"], arrays["conv_b/kernel"])
    [remark] = found.remarks
    assert remark.startswith("has another top than small (") and "(6, 3)" in remark


def test_only_the_wanted_arrays_of_a_model_are_read(tmp_path, arrays, samples):
    samples.keras_zip_file(tmp_path / "a.keras", arrays)
    found = read(tmp_path / "a.keras", ["layers/conv_a/vars/1"]).arrays
    np.testing.assert_array_equal(found["layers/conv_a/vars/1"], arrays["conv_a/bias"])
    assert found["layers/conv_b/vars/0"].shape == (3, 3, 4, 6)
    assert not found["layers/conv_b/vars/0"].any()


@pytest.mark.parametrize("name", ["../a.txt", "/tmp/a.txt", "assets/../../a.txt", "//a"])
def test_entries_outside_of_the_archive_are_refused(tmp_path, arrays, samples, name):
    samples.keras_zip_file(tmp_path / "a.keras", arrays)
    with zipfile.ZipFile(tmp_path / "a.keras", "a") as archive:
        archive.writestr(name, "content")
    before = sorted(tmp_path.parent.rglob("*"))
    refused(tmp_path / "a.keras", "a place outside of it")
    assert sorted(tmp_path.parent.rglob("*")) == before


def hdf5(path, arrays, **options):
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array, **options)
    return path.read_bytes()


@pytest.mark.parametrize("kind", ["empty", "text", "bomb", "bomb in a bomb", "bzip2", "cut off"])
def test_damaged_models_are_refused(tmp_path, samples, arrays, kind):
    path, packing = tmp_path / "a.keras", zipfile.ZIP_DEFLATED
    contents = {"empty": b"", "text": b"no HDF5", "bomb": bytes(2**27)}.get(kind)
    if kind == "bomb in a bomb":
        zeros = {"layers/conv2d/vars/0": np.zeros((2**25,), "f4")}
        contents = hdf5(tmp_path / "a.h5", zeros, chunks=(2**20,), compression="gzip")
    elif kind in ("bzip2", "cut off"):
        contents = hdf5(tmp_path / "a.h5", samples.keras_3_names(arrays))
        contents = contents[: -len(contents) // 2] if kind == "cut off" else contents
        packing = zipfile.ZIP_BZIP2 if kind == "bzip2" else packing
    with zipfile.ZipFile(path, "w", packing) as archive:
        archive.writestr("model.weights.h5", contents)
    refused(path)


def weight_map(path, files):
    path.write_text(json.dumps({"metadata": {}, "weight_map": files}))
    return path


def test_the_files_of_a_weight_map_are_read_together(tmp_path, arrays, small, samples):
    """PyTorch's weight maps name each array."""
    first = {name: array for name, array in arrays.items() if name.startswith("conv_a")}
    others = {name: array for name, array in arrays.items() if name not in first}
    samples.safetensors_file(tmp_path / "model-1.safetensors", first)
    samples.torch_zip_file(tmp_path / "model-2.bin", others)
    torch_names = dict.fromkeys(samples.torch_arrays(first), "model-1.safetensors")
    path = weight_map(tmp_path / "model.safetensors.index.json", torch_names)
    assert list(read(path).arrays) == ["features.0.weight", "features.0.bias"]
    assert files_of(path) == [path, tmp_path / "model-1.safetensors"]
    torch_names |= dict.fromkeys(samples.torch_arrays(others), "model-2.bin")
    with pytest.raises(FileError, match=r"model-2\.bin, which does not belong to the files before"):
        read(weight_map(path, torch_names))
    samples.safetensors_file(tmp_path / "model-2.bin", others)
    found = translate(read(path), small)
    assert list(found.arrays) == list(arrays) and found.form == "safetensors"
    for key, array in arrays.items():
        np.testing.assert_array_equal(found.arrays[key], array)


@pytest.mark.parametrize(
    ("files", "saying"),
    [
        ({"w": "nothing.safetensors"}, "no such file of weights, which a.json names"),
        ({"w": "../one"}, "names '../one' in another folder"),
        ({"w": "a.json"}, "is JSON; wanted a file of weights"),
        ({"w": ["one", 3]}, "wanted names of files"),
        ({"w": {"a": "b"}}, "wanted names of files"),
        ({"w": ["one"] * 20_000}, "holds more than 10,000 arrays and files"),
        ({str(n): "one" for n in range(20_000)}, "holds more than 10,000 arrays and files"),
        ({"features.0.weight": "one", "other": "one"}, "lists 'other' in one, where it is not"),
        ({"features.0.weight": ["one", "copy"]}, "copy, which does not belong to the files before"),
        ({"features": "one"}, "lists 'features' in one, where it is not"),
        ({}, "names no files"),
        ([], "no weight map"),
        (None, "no weight map"),
    ],
)
def test_malformed_weight_maps_are_refused(tmp_path, arrays, samples, files, saying):
    for name in ("one", "copy"):
        samples.safetensors_file(tmp_path / name, arrays)
    refused(weight_map(tmp_path / "a.json", files), saying)
