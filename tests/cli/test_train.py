"""`minidl train` and `minidl classify` on small data sets in the official forms."""

import csv
import json

import numpy as np
import pytest

from minidl.cli import main
from minidl.data import write_image
from minidl.training import load, siamese
from tests.data import official

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Bars and crosses in the place of digits, and colours in the place of things."""
    folder = tmp_path_factory.mktemp("data")
    for prefix, count in (("train", 240), ("t10k", 40)):
        labels = np.arange(count, dtype=np.uint8) % 10
        pictures = RNG.integers(0, 60, (count, 28, 28), dtype=np.uint8)
        for picture, label in zip(pictures, labels, strict=True):
            picture[2 * label : 2 * label + 8, 4:24] = 255
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(official.idx(pictures))
        (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(official.idx(labels))
    for number, name in enumerate([*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]):
        labels = (np.arange(40, dtype=np.uint8) + number) % 10
        pictures = RNG.integers(0, 40, (40, 32, 32, 3), dtype=np.uint8)
        pictures[..., 0] += (20 * labels)[:, None, None].astype(np.uint8)
        (folder / f"{name}.bin").write_bytes(official.records(pictures, labels))
    return folder


def rows(folder):
    with (folder / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_siamese(data, tmp_path, capsys):
    folder = tmp_path / "run"
    command = ["train", "siamese", "--data", str(data), "--folder", str(folder), "--pairs", "20", "--epochs", "2"]
    assert main(command) == 0
    told = capsys.readouterr().out
    assert "on the test set: loss" in told
    assert "a collapsed network: 5.0000; one distance for all: 2.4437" in told
    assert [row["epoch"] for row in rows(folder)] == ["1", "2"]
    assert (folder / "checkpoint.h5").exists()
    result = json.loads((folder / "result.json").read_text())
    assert result["settings"]["pairs"] == 20
    assert 0 <= result["test"]["accuracy"] <= 1
    assert main(command) == 2
    assert "is there already; go on from it with --resume" in capsys.readouterr().err
    assert main([*command, "--resume", "--quiet"]) == 0
    assert "on the test set" in capsys.readouterr().out
    assert main([*command, "--resume", "--seed", "1"]) == 2
    assert "was trained with other settings (seed)" in capsys.readouterr().err


def test_pairs_are_of_the_same_digit_where_they_say_so():
    labels = np.arange(50) % 10
    pictures = labels[:, None, None, None] * np.ones((1, 2, 2, 1))
    first, second, same = siamese.pair_up(pictures, labels)(np.random.default_rng(0), pictures, labels)
    assert np.array_equal((first == second).all(axis=(1, 2, 3)), same)
    assert 10 < same.sum() < 40


def test_cifar10_and_classify(data, tmp_path, capsys):
    folder = tmp_path / "run"
    command = ["train", "cifar10", "--data", str(data), "--folder", str(folder), "--width", "0.0625", "--batch", "20"]
    assert main([*command, "--epochs", "2", "--head", "32-10", "--schedule", "steps"]) == 0
    assert "guessing, ln 10: 2.3026" in capsys.readouterr().out
    assert load(folder / "checkpoint.h5")["batches"] == {"epoch": 2, "batch": 0}
    picture = tmp_path / "a.png"
    write_image(picture, np.full((40, 60, 3), 120.0))
    assert main(["classify", str(folder), str(picture), str(picture)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"{picture}: ")
    assert lines[0].count("%") == 3


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["train", "cifar10", "--head", "big"], "wanted numbers with - between"),
        (["train", "cifar10", "--width", "0"], "wanted a factor on VGG19's channels"),
        (["train", "cifar10", "--epochs", "0"], "--epochs is 0; wanted at least 1"),
        (["train", "siamese", "--keep", "2"], "wanted a number above 0, at most 1"),
        (["train", "siamese", "--learning-rate", "-1"], "wanted a number above 0"),
        (["train", "siamese", "--resume"], "there is no such checkpoint"),
        (["classify", "nowhere.h5", "README.md"], "there is no such checkpoint"),
    ],
)
def test_what_makes_no_sense_is_refused(words, wanted, data, tmp_path, capsys, monkeypatch):
    if words[0] == "train":
        words = [*words, "--data", str(data), "--folder", str(tmp_path / "run")]
    assert main(words) == 2
    error = capsys.readouterr().err
    assert wanted in error
    assert error.count("\n") == 1


def test_without_data_the_sentence_says_how_to_get_it(tmp_path, capsys, monkeypatch):
    assert main(["train", "siamese", "--data", str(tmp_path)]) == 2
    assert "`minidl data fetch mnist` downloads it" in capsys.readouterr().err
