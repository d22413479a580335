"""CIFAR-10 is read in both forms, compressed and in archives, without running code of a pickle."""

import gzip
import lzma
import os
import pickle

import numpy as np
import pytest

from minidl.data import CIFAR10_CLASSES, cifar10
from minidl.errors import FileError
from tests.data.official import photographs, planes, python2_pickle, records, tar
from tests.data.test_pickles import Calls

BATCHES = [photographs(seed=seed) for seed in range(5)]
PICTURES, LABELS = map(np.concatenate, zip(*BATCHES, strict=True))
TEST = photographs(seed=9)


def python3_pickle(pictures, labels):
    return pickle.dumps({b"data": planes(pictures), b"labels": labels.tolist()}, 2)


def by_columns(pictures, labels):
    return pickle.dumps({"labels": labels.tolist(), "data": np.asfortranarray(planes(pictures))}, 2)


FORMS = {
    "binary": (records, ".bin"),
    "Python 2": (python2_pickle, ""),
    "Python 3": (python3_pickle, ""),
    "columns": (by_columns, ""),
}


def files(form):
    write, ending = FORMS[form]
    names = {
        f"data_batch_{number}{ending}": write(*batch)
        for number, batch in enumerate(BATCHES, start=1)
    }
    return names | {f"test_batch{ending}": write(*TEST)}


def check(folder):
    for part, pictures, labels in ("train", PICTURES, LABELS), ("test", *TEST):
        found = cifar10(folder, part)
        np.testing.assert_array_equal(found[0], pictures)
        np.testing.assert_array_equal(found[1], labels)
        assert found[0].dtype == found[1].dtype == np.uint8
        assert found[0].flags.c_contiguous


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "ending, pack", [("", bytes), (".gz", gzip.compress), (".xz", lzma.compress)]
)
def test_batches_are_read_in_each_form_and_packing(tmp_path, form, ending, pack):
    for name, content in files(form).items():
        (tmp_path / f"{name}{ending}").write_bytes(pack(content))
    check(tmp_path)


@pytest.mark.parametrize(
    "form, name", [("binary", "cifar-10-binary.tar.gz"), ("Python 2", "cifar-10-python.tar.gz")]
)
def test_archives_are_read_without_extracting_them(tmp_path, form, name):
    members = {
        f"cifar-10-batches/{name}": content for name, content in reversed(files(form).items())
    }
    (tmp_path / name).write_bytes(
        gzip.compress(tar({"cifar-10-batches/readme.html": b"read me"} | members))
    )
    check(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_record_of_the_binary_form(tmp_path):
    record = bytes([7]) + bytes([1] * 1024 + [2] * 1023 + [9] + [3] * 1024)
    (tmp_path / "test_batch.bin").write_bytes(record)
    pictures, labels = cifar10(tmp_path, "test")
    assert labels.tolist() == [7] and CIFAR10_CLASSES[7] == "horse"
    assert pictures[0, 0, 0].tolist() == [1, 2, 3] and pictures[0, 31, 31].tolist() == [1, 9, 3]


WHOLE = records(*TEST)
PICTURE, LABEL = TEST[0][:1], TEST[1][:1]
WIDE = b"X\0\x18\0\0" + "\u0416".encode() * 3072  # a text of as many letters as a picture has bytes
BAD = {
    "empty": (b"", "0 bytes are no whole number of records of 3073"),
    "truncated": (WHOLE[:-1], "12,291 bytes are no whole number"),
    "trailing": (WHOLE + b"\0", "12,293 bytes"),
    "a label above 9": (b"\x0a" + WHOLE[1:], "the label 10, wanted 0 to 9"),
    "CIFAR-100": (WHOLE[:3073] + b"\0", "3,074 bytes"),
    "cut pickle": (python2_pickle(*TEST)[:500], "it cannot be read as a pickle"),
    "trailing pickle": (python2_pickle(*TEST) + b".", "is not one pickle and nothing else"),
    "no dictionary": (pickle.dumps([1, 2], 2), "holds no dictionary of data"),
    "no labels": (
        pickle.dumps({"data": planes(PICTURE), "fine_labels": [1]}, 2),
        "holds no dictionary of data",
    ),
    "fewer labels": (
        pickle.dumps({"data": planes(TEST[0]), "labels": [1]}, 2),
        "of as many labels",
    ),
    "floats": (
        pickle.dumps({"data": planes(PICTURE).astype("f4"), "labels": [1]}, 2),
        "unsigned bytes",
    ),
    "text labels": (
        pickle.dumps({"data": planes(PICTURE), "labels": ["1"]}, 2),
        "of as many labels",
    ),
    "text beyond bytes": (
        python2_pickle(PICTURE, LABEL).replace(b"T\0\x0c\0\0" + planes(PICTURE).tobytes(), WIDE),
        "unsigned bytes",
    ),
    "negative labels": (
        pickle.dumps({"data": planes(PICTURE), "labels": [-1]}, 2),
        "of as many labels",
    ),
    "pickled label above 9": (
        python2_pickle(PICTURE, LABEL * 0 + 11),
        "the label 11, wanted 0 to 9",
    ),
    "a later protocol": (
        pickle.dumps({"data": planes(PICTURE), "labels": [1]}, 4),
        "the pickle instruction FRAME",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_invalid_batches_are_refused(tmp_path, kind):
    content, message = BAD[kind]
    (tmp_path / "test_batch").write_bytes(content)
    with pytest.raises(
        FileError, match=f"test_batch is damaged or not what its name says: .*{message}"
    ):
        cifar10(tmp_path, "test")


def test_a_pickle_that_calls_a_function_is_not_run(tmp_path):
    content = pickle.dumps({"data": Calls(os.system, f"touch {tmp_path}/ran"), "labels": [1]}, 2)
    (tmp_path / "test_batch").write_bytes(content)
    with pytest.raises(
        FileError,
        match=r"test_batch .*asks to import \w+\.system, which was not done; nothing of it was run",
    ):
        cifar10(tmp_path, "test")
    assert not (tmp_path / "ran").exists()


def test_invalid_archives_are_refused(tmp_path):
    path = tmp_path / "cifar-10-binary.tar.gz"
    whole = tar(files("binary"))
    for content, message in (
        (b"no archive" * 99, ""),
        (whole[:-30000], ""),
        (tar({"test_batch.bin": b""}), "lacks data_batch_1"),
    ):
        path.write_bytes(gzip.compress(content))
        with pytest.raises(FileError, match=f"{path.name} is damaged .*{message}"):
            cifar10(tmp_path)
    path.write_bytes(gzip.compress(tar({"x/test_batch.bin": b"1"})))
    with pytest.raises(FileError, match=r"cifar-10-binary\.tar\.gz/x/test_batch\.bin is damaged"):
        cifar10(tmp_path, "test")


def test_the_error_names_a_missing_batch(tmp_path):
    (tmp_path / "data_batch_1.bin").write_bytes(WHOLE)
    with pytest.raises(
        FileError,
        match=r"holds data_batch_1\.bin, but not data_batch_2\.bin, .*`minidl data fetch cifar10`",
    ):
        cifar10(tmp_path)


@pytest.mark.thorough
@pytest.mark.parametrize("part, count", [("train", 5000), ("test", 1000)])
def test_the_official_files(minidl_data, part, count):
    pictures, labels = cifar10(minidl_data, part)
    assert pictures.shape == (10 * count, 32, 32, 3)
    assert np.bincount(labels).tolist() == [count] * 10
    means = [0.4914, 0.4822, 0.4465]  # of red, green and blue
    np.testing.assert_allclose(pictures.mean((0, 1, 2)) / 255, means, atol=0.005)
