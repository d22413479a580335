import zipfile

import numpy as np
import pytest

from minidl.checkpoints import read, translate
from minidl.errors import FileError


@pytest.fixture(params=[True, False], ids=["zip", "legacy"])
def save(request, tmp_path):
    """A function that calls torch.save with one of the containers, and returns the path."""
    torch = pytest.importorskip("torch")

    def saved(contents, protocol=2):
        path = tmp_path / "weights.pth"
        torch.save(
            contents, path, pickle_protocol=protocol, _use_new_zipfile_serialization=request.param
        )
        return path

    return saved


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_pickle_protocol_of_torch_save(save, arrays, small, samples, protocol):
    torch = pytest.importorskip("torch")
    path = save(
        {name: torch.from_numpy(array) for name, array in samples.torch_arrays(arrays).items()},
        protocol,
    )
    for name, array in translate(read(path), small).arrays.items():
        np.testing.assert_array_equal(array, arrays[name])


def test_the_state_dict_of_a_module(save):
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    found = read(save(module.state_dict())).arrays
    assert set(found) == set(module.state_dict())
    for name, tensor in module.state_dict().items():
        np.testing.assert_array_equal(found[name], tensor.numpy())


@pytest.mark.parametrize("nest", ["state_dict", "model"])
def test_a_state_dict_nested_beside_other_values(save, nest):
    torch = pytest.importorskip("torch")
    weight = torch.nn.Parameter(torch.arange(6.0).reshape(2, 3))
    optimizer = {
        "state": {0: {"step": torch.tensor(3.0)}},
        "param_groups": [{"betas": (0.9, 0.999), "amsgrad": None}],
    }
    contents = {nest: {"w": weight}, "epoch": 3, "best": 0.5, "optimizer": optimizer}
    found = read(save(contents)).arrays
    assert list(found) == ["w"]
    np.testing.assert_array_equal(found["w"], weight.detach().numpy())


@pytest.mark.parametrize("nest", ["net", "generator", "state", "x\x1b[31m"])
def test_a_state_dict_nested_under_any_name(save, nest):
    torch = pytest.importorskip("torch")
    optimizer = {"state": {0: {"step": torch.ones(1)}}}
    found = read(save({"epoch": 3, nest: {"w": torch.ones(2, 3)}, "optimizer": optimizer}))
    np.testing.assert_array_equal(found.arrays["w"], np.ones((2, 3)))


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        (
            ["net", "ema"],
            "holds tensors in several dictionaries, 'net', 'ema'; save only the state_dict() of "
            "one network",
        ),
        ([], "holds no tensors, but 'epoch', 'args'; save model.state_dict() with torch.save"),
    ],
)
def test_ambiguous_dictionaries_are_refused(save, named, sentence):
    torch = pytest.importorskip("torch")
    path = save(
        {"epoch": 3, "args": {"rate": 0.1}, **{name: {"w": torch.ones(2)} for name in named}}
    )
    with pytest.raises(FileError) as caught:
        read(path)
    assert str(caught.value) == f"{path} {sentence}"


def test_every_dtype(save):
    torch = pytest.importorskip("torch")
    types = ["float16", "bfloat16", "float32", "float64"]
    types += ["int8", "int16", "int32", "int64", "uint8", "bool"]
    tensors = {name: torch.tensor([0, 1, 1, 100]).to(getattr(torch, name)) for name in types}
    for name, array in read(save(tensors)).arrays.items():
        assert array.dtype == ("float32" if name == "bfloat16" else name)
        np.testing.assert_array_equal(array, tensors[name].to(torch.float64).numpy())


def test_names_that_are_no_text_are_refused(save):
    torch = pytest.importorskip("torch")
    with pytest.raises(FileError, match="names an array 1, which is no plain text"):
        read(save({1: torch.zeros(3)}))


def test_views_of_one_storage(save):
    torch = pytest.importorskip("torch")
    whole = torch.arange(12.0).reshape(3, 4)
    views = {
        "whole": whole,
        "turned": whole.T,
        "part": whole[1:, ::2],
        "one": whole[2, 3],
        "none": whole[:0],
    }
    found = read(save(views)).arrays
    for name, view in views.items():
        np.testing.assert_array_equal(found[name], view.numpy())


def test_big_endian_numbers(tmp_path, samples):
    with zipfile.ZipFile(tmp_path / "a", "w") as archive:
        archive.writestr("a/data.pkl", samples.state_dict_pickle({"w": np.float32([1, 2])}))
        archive.writestr("a/data/0", np.array([1, 2], ">f4").tobytes())
        archive.writestr("a/byteorder", "big")
    np.testing.assert_array_equal(read(tmp_path / "a").arrays["w"], [1, 2])


@pytest.mark.parametrize(
    "count, offset, shape, strides",
    [
        (4, 0, (5,), (1,)),  # longer than the storage
        (4, 2, (3,), (1,)),  # begins too late
        (4, 0, (2, 2), (4, 1)),  # a stride too wide
        (4, -1, (2,), (1,)),  # begins before it
        (4, 2, (2,), (-1,)),  # runs backwards
        (4, 0, (2**30, 2**30), (0, 0)),  # one number shown 2^60 times
        (4, 0, (-2, -2), (1, 1)),
        (4, 0, (2, 2), (1,)),
        (400, 0, (400,), (1,)),  # more than the file holds
    ],
)
def test_views_beyond_their_storage_are_refused(tmp_path, samples, count, offset, shape, strides):
    tensor = samples.tensor_pickle(0, count, offset, shape, strides)
    with zipfile.ZipFile(tmp_path / "a", "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02}X\x01\x00\x00\x00w" + tensor + b"s.")
        archive.writestr("a/data/0", bytes(16))
    with pytest.raises(FileError):
        read(tmp_path / "a")


def test_compressed_storages_are_refused(tmp_path, samples):
    with zipfile.ZipFile(tmp_path / "a", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", samples.state_dict_pickle({"w": np.float32([1])}))
    with pytest.raises(FileError, match="compressed"):
        read(tmp_path / "a")


def test_a_pickle_of_another_type_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a", "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02K\x07.")
    with pytest.raises(FileError):
        read(tmp_path / "a")
