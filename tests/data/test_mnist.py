"""The official files of MNIST are read in every compression, and inconsistent ones are refused."""

import gzip
import lzma

import numpy as np
import pytest

from minidl.data import mnist
from minidl.errors import ArgumentError, FileError
from tests.data.official import digits, idx

PICTURES, LABELS = digits()
IMAGES_FILE, LABELS_FILE = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def write(folder, pictures=PICTURES, labels=LABELS):
    (folder / IMAGES_FILE).write_bytes(idx(pictures))
    (folder / LABELS_FILE).write_bytes(idx(labels))


@pytest.mark.parametrize(
    "ending, pack", [("", bytes), (".gz", gzip.compress), (".xz", lzma.compress)]
)
@pytest.mark.parametrize("part, prefix", [("train", "train"), ("test", "t10k")])
def test_both_parts_are_read_in_each_compression(tmp_path, ending, pack, part, prefix):
    (tmp_path / f"{prefix}-images-idx3-ubyte{ending}").write_bytes(pack(idx(PICTURES)))
    (tmp_path / f"{prefix}-labels-idx1-ubyte{ending}").write_bytes(pack(idx(LABELS)))
    pictures, labels = mnist(tmp_path, part)
    np.testing.assert_array_equal(pictures, PICTURES)
    np.testing.assert_array_equal(labels, LABELS)
    assert pictures.dtype == labels.dtype == np.uint8


BAD = {
    "fewer labels": (
        {"labels": LABELS[1:]},
        f"{LABELS_FILE} .*5 labels for the 6 pictures of {IMAGES_FILE}",
    ),
    "a label above 9": ({"labels": LABELS + 10}, f"{LABELS_FILE} .*the label .*wanted 0 to 9"),
    "other pictures": (
        {"pictures": PICTURES[:, :20]},
        rf"{IMAGES_FILE} .*shape \(20, 28\), wanted \(28, 28\)",
    ),
    "pictures for labels": ({"labels": PICTURES}, f"{LABELS_FILE} .*3 axes, wanted 1"),
    "labels for pictures": ({"pictures": LABELS}, f"{IMAGES_FILE} .*1 axes, wanted 3"),
}


@pytest.mark.parametrize("kind", BAD)
def test_files_that_do_not_match_are_refused(tmp_path, kind):
    arrays, message = BAD[kind]
    write(tmp_path, **arrays)
    with pytest.raises(FileError, match=message):
        mnist(tmp_path)


def test_other_parts_are_refused(tmp_path):
    with pytest.raises(ArgumentError, match="part is 'valid'; wanted one of 'train', 'test'"):
        mnist(tmp_path, "valid")


def test_the_official_files(minidl_data):
    counts = {
        "train": [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
        "test": [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
    }
    for part, expected in counts.items():
        pictures, labels = mnist(minidl_data, part)
        assert pictures.shape == (sum(expected), 28, 28)
        assert np.bincount(labels).tolist() == expected
