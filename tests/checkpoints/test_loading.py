import re
import tracemalloc
from dataclasses import replace

import h5py
import numpy as np
import pytest

from minidl.checkpoints import Checkpoint, hdf5, load, loading, read, shipped, write
from minidl.errors import FileError
from minidl.models.vgg19 import ARCHITECTURE


def test_the_top_is_loaded_on_request(tmp_path, arrays, small, samples):
    samples.minidl_file(tmp_path / "a.h5", arrays)
    assert list(load(tmp_path / "a.h5", small, top=True).arrays) == list(small.shapes)
    assert list(load(tmp_path / "a.h5", small).arrays) == list(small.shapes)[:4]
    bare = {name: array for name, array in arrays.items() if not name.startswith("dense")}
    samples.minidl_file(tmp_path / "b.h5", bare)
    with pytest.raises(FileError, match="has no top"):
        load(tmp_path / "b.h5", small, top=True)


@pytest.mark.parametrize("levels", [None, 256])
def test_arrays_that_the_model_does_not_use_are_not_read(
    tmp_path, arrays, small, monkeypatch, levels
):
    names, read_dataset = [], hdf5._read

    def read_and_record(dataset, name, allowance):
        names.append(name)
        return read_dataset(dataset, name, allowance)

    monkeypatch.setattr(hdf5, "_read", read_and_record)
    checkpoint = Checkpoint(
        arrays, architecture="small", preprocessing=small.preprocessing["caffe"]
    )
    write(tmp_path / "a.h5", checkpoint, levels=levels)
    without_top = load(tmp_path / "a.h5", small)
    assert {name.partition("/")[0] for name in names} == {"conv_a", "conv_b"}
    names.clear()
    with_top = load(tmp_path / "a.h5", small, top=True)
    assert {name.partition("/")[0] for name in names} == {"conv_a", "conv_b", "dense_a"}
    assert without_top.arrays.keys() < with_top.arrays.keys()
    for name, array in without_top.arrays.items():
        np.testing.assert_array_equal(array, with_top.arrays[name])


LAZY = ["minidl", "keras 2", "npz", "torch zip", "torch legacy", "tfjs", "mat", "safetensors"]


@pytest.mark.parametrize("form", LAZY)
def test_arrays_that_are_not_wanted_take_no_memory(tmp_path, samples, form):
    """The kernel of 32 MB is not read, but its shape is known."""
    rng = np.random.default_rng(0)
    kernel = np.ones((2048, 4096), np.float32) * rng.normal(size=(2048, 1)).astype(np.float32)
    arrays = samples.small_arrays()
    bias = arrays["conv_a/bias"]
    if form.startswith("torch") or form == "safetensors":
        arrays = {"conv_a/kernel": kernel.reshape(1, 8, 1024, 1024), "conv_a/bias": bias}
        small_name, large_name = "features.0.bias", "features.0.weight"
        samples.WRITERS[form](tmp_path / "a", arrays)
    else:
        samples.WRITERS[form](tmp_path / "a", arrays | {"dense_b/kernel": kernel})
        names = list(read(tmp_path / "a", []).arrays)
        [small_name] = [name for name in names if "conv_a/bias" in name]
        [large_name] = [name for name in names if "dense_b" in name]
    tracemalloc.start()
    found = read(tmp_path / "a", [small_name]).arrays
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20
    np.testing.assert_array_equal(found[small_name], bias)
    assert found[large_name].shape == read(tmp_path / "a").arrays[large_name].shape
    assert found[large_name].size == 2**23


@pytest.mark.parametrize("form", ["keras official", "torch zip", "npz"])
def test_the_error_for_another_format_names_the_command_that_converts(
    tmp_path, arrays, small, samples, form
):
    samples.WRITERS[form](tmp_path / "found.h5", arrays)
    with pytest.raises(FileError, match=r"`minidl weights convert found\.h5 OUT\.h5`"):
        load(tmp_path / "found.h5", small)


def test_kernels_in_the_order_of_pytorch_are_refused(tmp_path):
    with h5py.File(tmp_path / "kernels.h5", "w") as file:
        file["block1_conv1/kernel"] = np.zeros((64, 3, 3, 3), np.float32)
    sentence = "holds block1_conv1 as (64, 3, 3, 3); minidl stores kernels as (3, 3, 3, 64)"
    with pytest.raises(
        FileError, match=rf"kernels\.h5 {re.escape(sentence)}.*minidl weights convert"
    ):
        load(tmp_path / "kernels.h5", ARCHITECTURE)


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"conv_b/kernel": np.full((3, 3, 4, 6), np.nan)}, "216 NaN"),
        ({"conv_b/bias": np.zeros(5)}, r"conv_b/bias as \(5,\)"),
        ({"other/bias": np.zeros(5)}, "other/bias, unknown"),
    ],
)
def test_invalid_weights_are_refused(tmp_path, arrays, small, samples, changes, sentence):
    samples.minidl_file(tmp_path / "a.h5", arrays | changes)
    with pytest.raises(FileError, match=sentence):
        load(tmp_path / "a.h5", small)


def test_weights_without_preprocessing_are_refused(tmp_path, arrays, small):
    write(tmp_path / "a.h5", Checkpoint(arrays))
    with pytest.raises(FileError, match="stores no preprocessing"):
        load(tmp_path / "a.h5", small)
    unknown = replace(small, preprocessing={}, landmark=None)
    assert load(tmp_path / "a.h5", unknown).preprocessing is None


def test_shipped_weights_are_found_in_a_checkout_and_installed(tmp_path, monkeypatch):
    monkeypatch.setattr(
        loading, "__file__", str(tmp_path / "minidl" / "checkpoints" / "loading.py")
    )
    with pytest.raises(FileError, match="do not come with this installation"):
        shipped("vgg19")
    for place in (tmp_path / "weights", tmp_path / "minidl" / "weights"):
        place.mkdir(parents=True)
        (place / "vgg19.h5").touch()
        assert shipped("vgg19") == place / "vgg19.h5"


def test_the_values_of_the_shipped_vgg19():
    checkpoint = load(shipped("vgg19"), ARCHITECTURE)
    assert checkpoint.preprocessing == ARCHITECTURE.preprocessing["caffe"]
    assert sum(array.size for array in checkpoint.arrays.values()) == 20_024_384
    sums = (
        ("1_conv1", -3.541186),
        ("3_conv1", -75.854105),
        ("5_conv1", -1146.983876),
        ("5_conv4", -2534.850719),
    )
    for layer, wanted in sums:
        kernel = checkpoint.arrays[f"block{layer}/kernel"]
        np.testing.assert_allclose(kernel.sum(dtype=np.float64), wanted, rtol=0, atol=1e-6)
    # The order is BGR. Rounding to 256 levels changes a value by at most 0.01.
    first = checkpoint.arrays["block1_conv1/kernel"][..., 0]
    np.testing.assert_allclose(first[0, 0], [0.34120, 0.46418, 0.39417], rtol=0, atol=0.01)
    np.testing.assert_allclose(first[0, 1], [0.33999, 0.41811, 0.37740], rtol=0, atol=0.01)
