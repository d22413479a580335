"""`minidl data`."""

import argparse

import pytest

from minidl.cli import data
from minidl.errors import FileError
from tests.data.official import digits, idx, photographs, records


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.delenv("MINIDL_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def mnist_folder(tmp_path):
    for prefix in "train", "t10k":
        pictures, labels = digits(1200)
        (tmp_path / f"{prefix}-images-idx3-ubyte").write_bytes(idx(pictures))
        (tmp_path / f"{prefix}-labels-idx1-ubyte").write_bytes(idx(labels))
    return tmp_path


def run(*words):
    parser = argparse.ArgumentParser()
    data.register(parser.add_subparsers())
    arguments = parser.parse_args(["data", *map(str, words)])
    return arguments.run(arguments) or 0


def test_info_describes_all_data_sets(mnist_folder, capsys):
    assert run("info", "--data", mnist_folder) == 2  # as cifar10 is missing
    out = capsys.readouterr().out
    assert f"mnist train: 1,200 pictures of 28 x 28, in {mnist_folder}\n" in out
    assert f"cifar10: there is no cifar10 in {mnist_folder}" in out


def test_info_describes_one_data_set(mnist_folder, capsys):
    for name in [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]:
        (mnist_folder / f"{name}.bin").write_bytes(records(*photographs(2)))
    assert run("info", "cifar10", "--data", mnist_folder) == 0
    out = capsys.readouterr().out
    assert "cifar10 train: 10 pictures of 32 x 32" in out and "cifar10 test: 2 pictures" in out
    assert "of each class: " in out and "mnist" not in out


def test_info_of_a_missing_data_set():
    message = r"there is no mnist in .*cache/minidl or its folders .*`minidl data fetch mnist`"
    with pytest.raises(FileError, match=message):
        run("info", "mnist")


def test_fetch(tmp_path, monkeypatch, capsys):
    calls = []
    monkeypatch.setattr(data, "fetch", lambda *arguments: calls.append(arguments) or "/there")
    assert run("fetch", "mnist") == 0
    assert run("fetch", "cifar10", "--to", tmp_path, "--quiet") == 0
    assert calls == [("mnist", None, False), ("cifar10", tmp_path, True)]
    assert capsys.readouterr().out.startswith("mnist is in /there\n")


def test_other_names_are_refused(capsys):
    with pytest.raises(SystemExit):
        run("fetch", "imagenet")
    assert "invalid choice: 'imagenet'" in capsys.readouterr().err
