import re
from dataclasses import replace

import h5py
import numpy as np
import pytest

from minidl.checkpoints import Checkpoint, load, loading, shipped, write
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


@pytest.mark.parametrize("form", ["keras official", "torch zip", "npz"])
def test_other_forms_are_told_how_to_be_converted(tmp_path, arrays, small, samples, form):
    samples.WRITERS[form](tmp_path / "found.h5", arrays)
    with pytest.raises(FileError, match=r"`minidl weights convert found\.h5 OUT\.h5`"):
        load(tmp_path / "found.h5", small)


def test_kernels_in_the_order_of_pytorch(tmp_path):
    with h5py.File(tmp_path / "kernels.h5", "w") as file:
        file["block1_conv1/kernel"] = np.zeros((64, 3, 3, 3), np.float32)
    sentence = "holds block1_conv1 as (64, 3, 3, 3); minidl stores kernels as (3, 3, 3, 64)"
    with pytest.raises(FileError, match=rf"kernels\.h5 {re.escape(sentence)}.*minidl weights convert"):
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
    with pytest.raises(FileError, match="does not tell what the network is fed with"):
        load(tmp_path / "a.h5", small)
    assert load(tmp_path / "a.h5", replace(small, preprocessing={}, landmark=None)).preprocessing is None


def test_shipped_weights_are_found_in_a_checkout_and_installed(tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "__file__", str(tmp_path / "minidl" / "checkpoints" / "loading.py"))
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
    sums = (("1_conv1", -3.541186), ("3_conv1", -75.854105), ("5_conv1", -1146.983876), ("5_conv4", -2534.850719))
    for layer, wanted in sums:
        kernel = checkpoint.arrays[f"block{layer}/kernel"]
        np.testing.assert_allclose(kernel.sum(dtype=np.float64), wanted, rtol=0, atol=1e-6)
    first = checkpoint.arrays["block1_conv1/kernel"][..., 0]  # blue first; 256 levels move it by 0.01 at most
    np.testing.assert_allclose(first[0, 0], [0.34120, 0.46418, 0.39417], rtol=0, atol=0.01)
    np.testing.assert_allclose(first[0, 1], [0.33999, 0.41811, 0.37740], rtol=0, atol=0.01)
