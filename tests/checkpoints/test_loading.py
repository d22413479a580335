import re
import tracemalloc
from dataclasses import replace

import h5py
import numpy as np
import pytest

from minidl.checkpoints import Checkpoint, hdf5, load, loading, read, shipped, write
from minidl.errors import FileError
from minidl.models.vgg19 import ARCHITECTURE


def test_with_and_without_the_top(tmp_path, arrays, small, samples):
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
    found, read_one = [], hdf5._read
    monkeypatch.setattr(
        hdf5,
        "_read",
        lambda dataset, name, *more: [found.append(name), read_one(dataset, name, *more)][1],
    )
    preprocessing = small.preprocessing["caffe"]
    write(
        tmp_path / "a.h5",
        Checkpoint(arrays, architecture="small", preprocessing=preprocessing),
        levels=levels,
    )
    bare = load(tmp_path / "a.h5", small)
    assert {name.partition("/")[0] for name in found} == {"conv_a", "conv_b"}
    found.clear()
    whole = load(tmp_path / "a.h5", small, top=True)
    assert {name.partition("/")[0] for name in found} == {"conv_a", "conv_b", "dense_a"}
    assert bare.arrays.keys() < whole.arrays.keys()
    for name, array in bare.arrays.items():
        np.testing.assert_array_equal(array, whole.arrays[name])


@pytest.mark.parametrize("form", ["minidl", "keras 2", "npz", "torch zip", "torch legacy", "tfjs"])
def test_arrays_that_are_not_wanted_take_no_memory(tmp_path, samples, small, form):
    """A top of 32 MB beside convolutions of some kilobytes; its shape is known nevertheless."""
    rng = np.random.default_rng(0)
    arrays = {
        name: rng.normal(size=shape).astype(np.float32) for name, shape in small.shapes.items()
    }
    arrays["dense_a/kernel"] = rng.normal(size=(24, 5)).astype(np.float32)
    arrays["dense_b/kernel"] = np.ones((2048, 4096), np.float32) * rng.normal(
        size=(2048, 1)
    ).astype(np.float32)
    if form.startswith("torch"):
        samples.WRITERS[form](tmp_path / "a", {"conv_a/kernel": arrays["dense_b/kernel"].reshape(1, 8, 1024, 1024)}
                              | {"conv_a/bias": arrays["conv_a/bias"]})  # fmt: skip
        few, large = "features.0.bias", "features.0.weight"
    else:
        samples.WRITERS[form](tmp_path / "a", arrays)
        few, large = (name for name in read(tmp_path / "a", []).arrays if "conv_a" in name or "dense_b" in name
                      if "bias" in name or "dense_b" in name)  # fmt: skip
    tracemalloc.start()
    found = read(tmp_path / "a", [few]).arrays
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20
    np.testing.assert_array_equal(found[few], read(tmp_path / "a").arrays[few])
    assert (
        found[large].shape == read(tmp_path / "a").arrays[large].shape
        and found[large].size == 2**23
    )


@pytest.mark.parametrize("form", ["keras official", "torch zip", "npz"])
def test_other_forms_are_told_how_to_be_converted(tmp_path, arrays, small, samples, form):
    samples.WRITERS[form](tmp_path / "found.h5", arrays)
    with pytest.raises(FileError, match=r"`minidl weights convert found\.h5 OUT\.h5`"):
        load(tmp_path / "found.h5", small)


def test_kernels_in_the_order_of_pytorch(tmp_path):
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
def test_unsound_weights_are_refused(tmp_path, arrays, small, samples, changes, sentence):
    samples.minidl_file(tmp_path / "a.h5", arrays | changes)
    with pytest.raises(FileError, match=sentence):
        load(tmp_path / "a.h5", small)


def test_weights_that_do_not_say_what_they_are_fed_with(tmp_path, arrays, small):
    write(tmp_path / "a.h5", Checkpoint(arrays))
    with pytest.raises(FileError, match="stores no preprocessing"):
        load(tmp_path / "a.h5", small)
    assert (
        load(tmp_path / "a.h5", replace(small, preprocessing={}, landmark=None)).preprocessing
        is None
    )


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


def test_the_shipped_vgg19():
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
    # blue first; 256 levels move it by 0.01 at most
    first = checkpoint.arrays["block1_conv1/kernel"][..., 0]
    np.testing.assert_allclose(first[0, 0], [0.34120, 0.46418, 0.39417], rtol=0, atol=0.01)
    np.testing.assert_allclose(first[0, 1], [0.33999, 0.41811, 0.37740], rtol=0, atol=0.01)
