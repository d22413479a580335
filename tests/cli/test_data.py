import argparse

import pytest

from minidl.cli import data
from minidl.errors import FileError
from tests.data.official import digits, idx, photographs, records


@pytest.fixture(autouse=True)
def empty_home(tmp_path, monkeypatch):
    monkeypatch.delenv("MINIDL_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def put(tmp_path):
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


def test_info_tells_what_is_found_and_where(put, capsys):
    assert run("info", "--data", put) == 2  # for want of cifar10
    shown = capsys.readouterr().out
    assert f"mnist train: 1,200 pictures of 28 x 28, in {put}\n" in shown
    assert f"cifar10: there is no cifar10 in {put}" in shown


def test_info_of_one_data_set(put, capsys):
    for name in [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]:
        (put / f"{name}.bin").write_bytes(records(*photographs(2)))
    assert run("info", "cifar10", "--data", put) == 0
    shown = capsys.readouterr().out
    assert "cifar10 train: 10 pictures of 32 x 32" in shown and "cifar10 test: 2 pictures" in shown
    assert "of each class: " in shown and "mnist" not in shown


def test_info_of_one_that_is_not_there():
    with pytest.raises(
        FileError,
        match=r"there is no mnist in .*cache/minidl or its folders .*`minidl data fetch mnist`",
    ):
        run("info", "mnist")


def test_fetch(tmp_path, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(data, "fetch", lambda *arguments: asked.append(arguments) or "/there")
    assert run("fetch", "mnist") == 0
    assert run("fetch", "cifar10", "--to", tmp_path, "--quiet") == 0
    assert asked == [("mnist", None, False), ("cifar10", tmp_path, True)]
    assert capsys.readouterr().out.startswith("mnist is in /there\n")


def test_other_names_are_refused(capsys):
    with pytest.raises(SystemExit):
        run("fetch", "imagenet")
    assert "invalid choice: 'imagenet'" in capsys.readouterr().err
