"""Malicious and malformed PyTorch files are refused in one sentence, and with little memory."""

import pickle
import struct
import zipfile

import numpy as np
import pytest

from minidl.checkpoints import read, unpickling
from tests.checkpoints.malformed import one_entry, pickled, refused, tensor, text


def reference(dtype=b"ctorch\nFloatStorage\n", key=None, length=b"K\1", kind=None):
    kind, key = kind or text("storage"), key or text("0")
    return b"(" + kind + dtype + key + text("cpu") + length + b"tQ"


DOUBLED = b")" + b"q\0h\0h\0\x86" * 60  # a tuple of itself twice, and so on: 2^60 tuples
DEEP = b")" + b"\x85" * 20_000
ONES = {count: b"(" + b"K\1" * count + b"t" for count in (33, 5_000)}  # tuples of so many ones
PAIRS = b"]q\0(" + b"K\1K\2\x86" * 2_000 + b"e"
PICKLES = {
    "a doubled tuple as key": b"\x80\x02}" + DOUBLED + b"Ns.",
    "a deep tuple as key": b"\x80\x02}" + DEEP + b"Ns.",
    "a doubled tuple as key of an OrderedDict": (
        b"\x80\x02ccollections\nOrderedDict\n]" + DOUBLED + b"N\x86a\x85R."
    ),
    "keys with one hash": pickle.dumps({n * (2**61 - 1): 0 for n in range(1, 5000)}, 2),
    "a tensor as key": b"\x80\x02}" + tensor() + b"Ns.",
    "a float as key": pickle.dumps({"w": {0.5: 1}}, 2),
    "a doubled tuple as shape": one_entry(tensor(shape=DOUBLED)),
    "tuples of six in tuples of six as shape": one_entry(
        tensor(shape=b"(" * 7 + b")" + (b"q\0" + b"h\0" * 5 + b"t") * 7)
    ),
    "a deep tuple as storage": one_entry(tensor(storage=DEEP)),
    "a doubled tuple as storage's key": one_entry(tensor(storage=reference(key=DOUBLED))),
    "a deep tuple as kind": one_entry(tensor(storage=reference(kind=DEEP))),
    "a deep tuple as dtype": one_entry(tensor(storage=reference(dtype=DEEP))),
    "a text as length": one_entry(tensor(storage=reference(length=text("9")))),
    "a negative length": one_entry(tensor(storage=reference(length=b"J\xff\xff\xff\xff"))),
    "a persistent id in a persistent id": one_entry(tensor(storage=reference(key=reference()))),
    "a text as persistent id": one_entry(tensor(storage=text("storage") + b"Q")),
    "a text times a number": one_entry(
        tensor(shape=text("aaaa") + b"J\0\0\0\x20\x86", strides=b"K\1K\1\x86")
    ),
    "a float as shape": one_entry(tensor(shape=b"G\x3f\xf0\0\0\0\0\0\0\x85")),
    "a truth value as shape": one_entry(tensor(shape=b"\x88\x85")),
    "a negative shape": one_entry(tensor(shape=b"J\xff\xff\xff\xff\x85")),
    "a list as shape": one_entry(tensor(shape=b"]K\1a")),
    "33 axes": one_entry(tensor(shape=ONES[33], strides=ONES[33])),
    "thousands of axes": one_entry(tensor(shape=ONES[5_000], strides=ONES[5_000])),
    "an immense shape": one_entry(tensor(shape=b"\x8a\xff" + b"\x7f" * 255 + b"\x85")),
    "fewer strides": one_entry(tensor(strides=b")")),
    "a negative stride": one_entry(tensor(strides=b"J\xff\xff\xff\xff\x85")),
    "an offset that is a text": one_entry(tensor(offset=text("0"))),
    "an immense offset": one_entry(tensor(offset=b"\x8a\xff" + b"\x7f" * 255)),
    "many arguments": one_entry(tensor(more=b"N" * 20)),
    "a list as arguments": b"\x80\x02ctorch._utils\n_rebuild_parameter\n]R.",
    "a number called": b"\x80\x02K\1)R.",
    "a tuple called": b"\x80\x02" + DEEP + b")R.",
    "an OrderedDict of a number": b"\x80\x02ccollections\nOrderedDict\nK\1\x85R.",
    "an OrderedDict of texts": (
        b"\x80\x02ccollections\nOrderedDict\n" + text("ab" * 50) + b"\x85R."
    ),
    "an OrderedDict of the same pairs many times": (
        b"\x80\x02" + PAIRS + b"(" + b"ccollections\nOrderedDict\nh\0\x85R" * 500 + b"t."
    ),
    "items of a list": b"\x80\x02]K\0Ns.",
    "an odd number of items": b"\x80\x02}(" + text("a") + b"u.",
    "a million dictionaries": b"\x80\x02(" + b"}" * 10**6 + b"t.",
    "a long name of an import": b"\x80\x02c" + b"a" * 10**6 + b"\nb\n.",
    "a frame beyond the end": b"\x80\x04\x95" + b"\xff" * 7 + b"\x7f.",
    "a text beyond the end": b"\x80\x02X\xff\xff\xff\x7fa.",
    "memory of nothing": b"\x80\x02h\1.",
    "nothing": b"",
}


@pytest.mark.parametrize("container", ["zip", "legacy"])
@pytest.mark.parametrize("kind", PICKLES)
def test_malicious_pickles_are_refused(tmp_path, samples, monkeypatch, container, kind):
    monkeypatch.setattr(unpickling.StateDictUnpickler, "left", 50_000)
    path = tmp_path / "a.pth"
    if container == "zip":
        pickled(path, PICKLES[kind], {"0": bytes(4)})
    else:
        numbers = b"\x80\x02]" + text("0") + b"a." + struct.pack("<q", 1) + bytes(4)
        path.write_bytes(samples.LEGACY_HEAD + PICKLES[kind] + numbers)
    refused(path)


@pytest.mark.parametrize(
    "keys",
    [b"]" + DOUBLED + b"a", text("0"), b"]" + text("1") + b"a", b"]" + text("0") + b"a", b"]K\0a"],
)
def test_legacy_files_that_list_other_storages_are_refused(tmp_path, samples, keys):
    (tmp_path / "a.pth").write_bytes(
        samples.LEGACY_HEAD + one_entry(tensor()) + b"\x80\x02" + keys + b"." + b"\xff" * 8
    )
    refused(tmp_path / "a.pth")


def test_pickles_of_pytorch_and_python_2_are_read(tmp_path):
    """An OrderedDict of pairs, beside a dictionary with numbers as keys."""
    pairs = b"ccollections\nOrderedDict\n](" + text("w") + tensor() + b"\x86e\x85R"
    contents = b"\x80\x02}(" + text("state_dict") + pairs + text("optimizer") + b"}K\0]s" + b"u."
    pickled(tmp_path / "a.pth", contents, {"0": np.float32([3]).tobytes()})
    np.testing.assert_array_equal(read(tmp_path / "a.pth").arrays["w"], [3])


def test_archives_of_two_pickles_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a", "w") as archive:
        for root in "ab":
            archive.writestr(f"{root}/data.pkl", b"\x80\x02}.")
    refused(tmp_path / "a", "holds 2 pickles named data.pkl")
