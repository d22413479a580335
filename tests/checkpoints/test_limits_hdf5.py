"""Malicious and malformed HDF5 files are refused in one sentence, and with little memory."""

import h5py
import numpy as np
import pytest

from minidl.checkpoints import diagnose, hdf5, read, translate
from minidl.errors import FileError
from tests.checkpoints.malformed import refused


def attribute_file(path, samples, arrays, **changed):
    samples.minidl_file(path, arrays)
    with h5py.File(path, "r+") as file:
        for name, value in changed.items():
            del file.attrs[name]
            if isinstance(value, tuple):
                file.attrs.create(name, *value)
            elif value is not None:
                file.attrs[name] = value


RED = "\x1b[31mred"
VLEN = np.array([np.ones(2), 0], object)[:1]
ATTRIBUTES = {
    "two floats": np.ones(2),
    "a float": 1.0,
    "an int": 3,
    "ints": np.arange(3),
    "a text": "text",
    "nothing": h5py.Empty("f8"),
    "an empty text": h5py.Empty("S3"),
    "texts": np.array([b"a", b"b", b"c"]),
    "vlen texts": ["a", "b", "c"],
    "a truth value": True,
    "a matrix": np.ones((3, 3)),
    "a compound": np.zeros(3, [("a", "f4"), ("b", "i4")]),
    "an enumeration": (1, (), h5py.enum_dtype({"A": 1})),
    "no UTF-8": np.bytes_(b"\xff\xfe\xfd"),
    "control characters": np.bytes_(RED.encode()),
    "vlen numbers": (VLEN, (1,), h5py.vlen_dtype("f8")),
    "NaN": np.full(3, np.nan),
    "infinite": np.full(3, np.inf),
    "negative": np.full(3, -1.0),
    "half": np.ones(3, np.float16),
    "no numbers": np.ones(0),
    "64 KB": np.ones(8192),
    "missing": None,
}


@pytest.mark.parametrize("name", ["format", "architecture", "channels", "mean", "std", "source"])
@pytest.mark.parametrize("kind", ATTRIBUTES)
def test_attributes_of_any_type(tmp_path, samples, arrays, small, name, kind):
    """The file is read as if it had no such attribute, or it is refused."""
    path = tmp_path / "a.h5"
    attribute_file(path, samples, arrays, **{name: ATTRIBUTES[kind]})
    try:
        checkpoint = read(path)
    except FileError as error:
        assert str(path) in str(error) and "\n" not in str(error)
        return
    assert isinstance(checkpoint.architecture, str | None)
    assert (checkpoint.architecture or "").isprintable()
    assert all(isinstance(text, str) for text in checkpoint.provenance.values())
    diagnose(translate(checkpoint, small), small)


@pytest.mark.parametrize(
    ("changed", "saying"),
    [
        (
            {"architecture": np.ones(2)},
            r"has 2 numbers as its attribute 'architecture'; wanted plain text",
        ),
        (
            {"architecture": np.bytes_(RED.encode())},
            r"has '\?\[31mred' as its attribute 'architecture'; wanted plain text",
        ),
        ({"format": np.ones(2)}, "has 2 numbers as its attribute 'format'"),
        ({"mean": np.bytes_(b"123")}, "has '123' as its attribute 'mean'; wanted numbers"),
        ({"std": None}, "stores the order of colours, but not mean and std"),
        ({"mean": np.ones(4)}, "stores no valid preprocessing"),
        ({"std": np.zeros(3)}, "stores no valid preprocessing"),
        (
            {"source": np.bytes_(b"\xff")},
            "has the attribute 'source' in another encoding than UTF-8",
        ),
    ],
)
def test_attributes_of_the_wrong_type_are_refused(tmp_path, samples, arrays, changed, saying):
    attribute_file(tmp_path / "a.h5", samples, arrays, **changed)
    refused(tmp_path / "a.h5", saying)


def test_too_many_attributes(tmp_path, monkeypatch):
    monkeypatch.setattr(hdf5, "ATTRIBUTES", 20)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["a/kernel"] = np.ones(3)
        for number in range(21):
            file.attrs[str(number)] = number
    refused(tmp_path / "a.h5", "has 21 attributes; wanted at most 20")


def test_links_and_empty_datasets(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["a/kernel"] = np.ones(3)
        file["a/again"] = h5py.SoftLink("/a/kernel")
        file["a/nowhere"] = h5py.SoftLink("/b")
        file["a/self"] = file["a"]
        file["a/empty"] = h5py.Empty("f4")
        file["a/reference"] = file["a"].ref
    assert list(read(tmp_path / "a.h5").arrays) == ["a/kernel"]
