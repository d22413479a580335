"""Objects beside the weights in a PyTorch file are read past, and never made."""

import argparse
import collections
import datetime
import decimal
import fractions
import pathlib
import pickle
import random
import types
import zipfile

import numpy as np
import pytest

from minidl.checkpoints import read
from minidl.checkpoints.inert import CALLABLE, Inert
from minidl.errors import FileError
from tests.checkpoints.malformed import pickled, refused, tensor, text


class Settings(dict):
    """A subclass of dict, as libraries of settings have."""


class Plain:
    """An object with attributes, such as a program's own settings."""

    def __init__(self):
        self.rate, self.names = 0.1, ["a"]


OBJECTS = {
    "a Namespace": argparse.Namespace(rate=0.1, sizes=[1, 2], path=pathlib.PurePosixPath("a")),
    "a SimpleNamespace": types.SimpleNamespace(a=1),
    "a float of NumPy": np.float64(3.5),
    "an int of NumPy": {"epoch": np.int64(3), "best": np.bool_(True)},
    "a text of NumPy": np.str_("a"),
    "a dtype of NumPy": np.dtype("f4"),
    "an array of NumPy": np.ones((2, 3)),
    "an array of texts": np.array(["a", "bc"]),
    "random states": (random.getstate(), np.random.RandomState(0).get_state()),
    "a set": {"a", 2, (3, 4)},
    "a set of sets": frozenset({frozenset({1}), frozenset()}),
    "an OrderedDict": collections.OrderedDict(a=1, b=collections.OrderedDict()),
    "a defaultdict": collections.defaultdict(list, {"loss": [1.0, 0.5]}),
    "a Counter": collections.Counter("abca"),
    "a deque": collections.deque([1, 2, 3], maxlen=9),
    "a path": pathlib.Path("/data/run") / "a" / "b",
    "paths of other systems": [pathlib.PureWindowsPath("C:/a"), pathlib.PurePosixPath("/a")],
    "bytes": [b"abc" * 200, bytearray(b"abc")],
    "numbers": [
        1j,
        slice(1, 2),
        range(3),
        10**50,
        decimal.Decimal("0.1"),
        fractions.Fraction(1, 3),
    ],
    "times": [datetime.datetime(2020, 1, 2), datetime.timedelta(1), datetime.timezone.utc],
    "classes and functions": [int, collections.OrderedDict, Plain, len, np.float32, np.mean],
    "an object of a class": Plain(),
    "a subclass of dict": Settings(a=1, b=Settings(c=2)),
    "classes as keys": {Plain: {"best": 0.5}, Settings: 3},
}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", OBJECTS)
def test_weights_are_read_beside_other_objects(tmp_path, kind, protocol):
    item = pickle.dumps(OBJECTS[kind], protocol)
    # without the instructions PROTO and STOP, and FRAME where there is one
    body = item[11:-1] if item[2:3] == b"\x95" else item[2:-1]
    weights = b"}" + text("w") + tensor() + b"s"
    entries = text("args") + body + text("state_dict") + weights + text("epoch") + b"K\3"
    pickled(tmp_path / "a.pth", b"\x80\5}(" + entries + b"u.", {"0": np.float32([7]).tobytes()})
    found = read(tmp_path / "a.pth").arrays
    assert list(found) == ["w"]
    np.testing.assert_array_equal(found["w"], [7])


def test_objects_of_pytorch(tmp_path):
    torch = pytest.importorskip("torch")
    contents = {
        "size": torch.Size([1, 2]),
        "types": [torch.float32, torch.bfloat16, torch.bool],
        "devices": [torch.device("cpu"), torch.device("cuda", 1)],
        "layout": torch.strided,
        "version": torch.torch_version.TorchVersion("2.1"),
        "rng_state": torch.random.get_rng_state(),
        "function": torch.nn.functional.relu,
        "optimizer": {"state": {0: {"step": torch.tensor(3.0), "exp_avg": torch.zeros(2, 3)}}},
        "network": collections.OrderedDict(
            w=torch.nn.Parameter(torch.arange(6.0).reshape(2, 3)),
            mean=torch.nn.Buffer(torch.ones(3)),
        ),
    }
    for protocol in (2, 4, 5):
        torch.save(contents, tmp_path / "a.pth", pickle_protocol=protocol)
        found = read(tmp_path / "a.pth").arrays
        assert list(found) == ["w", "mean"]
        np.testing.assert_array_equal(found["w"], np.arange(6.0).reshape(2, 3))
        np.testing.assert_array_equal(found["mean"], np.ones(3))


@pytest.mark.parametrize(
    "nest",
    [
        lambda weights: weights,
        lambda weights: {"state_dict": weights, "hyper_parameters": Settings(a=1)},
        lambda weights: {"model": {"state_dict": weights}},
        lambda weights: {"model": weights, "args": argparse.Namespace(a=1)},
        lambda weights: {"net": weights, "epoch": 3},
        lambda weights: {"module": collections.defaultdict(list, weights)},
    ],
)
@pytest.mark.parametrize("prefix", ["", "module.", "model.", "net.vgg."])
def test_nested_forms_and_prefixes(tmp_path, arrays, small, samples, nest, prefix):
    from minidl.checkpoints import translate

    torch = pytest.importorskip("torch")
    weights = {
        f"{prefix}{name}": torch.from_numpy(array)
        for name, array in samples.torch_arrays(arrays).items()
    }
    torch.save(nest(weights), tmp_path / "a.pth")
    found = translate(read(tmp_path / "a.pth"), small)
    assert list(found.arrays) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found.arrays[name], array)


def test_a_whole_network_is_refused_by_its_name(tmp_path):
    torch = pytest.importorskip("torch")
    for contents in (torch.nn.Linear(2, 2), {"network": torch.nn.Linear(2, 2)}):
        torch.save(contents, tmp_path / "a.pth")
        with pytest.raises(FileError, match=r"save model\.state_dict\(\) with torch\.save"):
            read(tmp_path / "a.pth")
    torch.save({"network": torch.nn.Linear(2, 2), "w": torch.ones(2)}, tmp_path / "a.pth")
    assert list(read(tmp_path / "a.pth").arrays) == ["w"]


def test_the_weights_are_chosen_among_few_other_tensors(tmp_path):
    torch = pytest.importorskip("torch")
    weights = {"a": torch.ones(2), "b": torch.ones(3)}
    torch.save({"net": weights, "best": torch.tensor(0.5)}, tmp_path / "a.pth")
    assert list(read(tmp_path / "a.pth").arrays) == ["a", "b"]
    torch.save(weights | {"extra": {"c": torch.ones(1)}}, tmp_path / "a.pth")
    assert list(read(tmp_path / "a.pth").arrays) == ["a", "b"]


@pytest.mark.parametrize(
    "function",
    [
        "os.system",
        "builtins.eval",
        "builtins.getattr",
        "numpy.load",
        "pathlib.Path.write_text",
        "torch.load",
        "torch.Size.__class__",
        "__main__.Plain",
    ],
)
def test_other_functions_are_refused_by_their_name(tmp_path, function):
    assert function not in CALLABLE
    module, _, name = function.rpartition(".")
    call = f"c{module}\n{name}\n".encode() + b"(" + text("x") + b"tR"
    weights = text("state_dict") + b"}" + text("w") + tensor() + b"s"
    pickled(tmp_path / "a.pth", b"\x80\2}(" + text("a") + call + weights + b"u.", {"0": bytes(4)})
    refused(tmp_path / "a.pth", f"asks to import {function}: .*, nothing of it was run")


def test_nothing_is_imported_or_made(tmp_path):
    """Names of modules that do not exist are read past as well."""
    made = b"cno_such_module\nName\n)\x81}" + text("a") + b"K\1sb"
    weights = text("state_dict") + b"}" + text("w") + tensor() + b"s"
    pickled(tmp_path / "a.pth", b"\x80\2}(" + text("a") + made + weights + b"u.", {"0": bytes(4)})
    assert list(read(tmp_path / "a.pth").arrays) == ["w"]
    assert Inert("a.b") == ("a.b",)


@pytest.mark.parametrize(
    "program",
    [
        b"K\1)\x81",  # an object of a number
        b")" + b"\x85" * 20_000 + b")\x81",  # an object of a deep tuple
        b"\x8f(K\1\x90" * 3,  # sets in the place of a key
        b"K\1(K\1e",  # items of a number
        b"K\1K\1a",
        b"K\1(K\1\x90",
        b"ctorch._tensor\n_rebuild_from_type_v2\n(cos\nsystem\nN)NtR",
        b"ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_parameter\nN("
        + b"N" * 30
        + b"tNtR",
        b"\x96\xff\xff\xff\xff\xff\xff\xff\x7fabc",  # a bytearray of exabytes
        b"\x96\0\0\0\0\1\0\0\0abc",
        b"B\xff\xff\xff\x7fabc",
        b"T\xff\xff\xff\x7fabc",
        b"(\x91",  # an empty frozen set, in the place of a key
    ],
)
def test_malformed_programs_are_refused(tmp_path, program):
    pickled(tmp_path / "a.pth", b"\x80\2}" + program + b"Ns.", {"0": bytes(4)})
    refused(tmp_path / "a.pth")


def test_a_dictionary_that_contains_itself_ends(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.pth", "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\2}q\0" + text("model") + b"h\0s.")
    refused(tmp_path / "a.pth", "holds no tensors, but 'model'")
