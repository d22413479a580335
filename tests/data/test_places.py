"""Data sets are found in the first folder that contains all files."""

from pathlib import Path

import pytest

from minidl.cli import main
from minidl.data.places import SUBFOLDERS, cache, find, places
from minidl.errors import FileError

FORMS = [["pictures", "labels"], ["archive.tar"]]


@pytest.fixture(autouse=True)
def empty_home(tmp_path, monkeypatch):
    monkeypatch.delenv("MINIDL_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def put(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()


@pytest.mark.parametrize("subfolder", ["", *SUBFOLDERS])
@pytest.mark.parametrize("place", ["named", "MINIDL_DATA", "cache"])
def test_each_folder_and_subfolder_is_searched(tmp_path, monkeypatch, place, subfolder):
    root = tmp_path / "cache/minidl" if place == "cache" else tmp_path / "data"
    put(root / subfolder, "pictures.gz", "labels")
    if place == "MINIDL_DATA":
        monkeypatch.setenv("MINIDL_DATA", str(root))
    found = find("mnist", FORMS, root if place == "named" else None)
    assert found == [root / subfolder / "pictures.gz", root / subfolder / "labels"]


def test_only_a_given_folder_is_searched(tmp_path):
    put(cache(), "pictures", "labels")
    assert places(tmp_path) == [tmp_path]
    with pytest.raises(
        FileError,
        match=f"there is no mnist in {tmp_path}/data or its folders mnist, .*; "
        "`minidl data fetch mnist`",
    ):
        find("mnist", FORMS, tmp_path / "data")


def test_the_error_names_all_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("MINIDL_DATA", str(tmp_path / "data"))
    with pytest.raises(
        FileError, match=f"in {tmp_path}/data or {tmp_path}/cache/minidl or its folders"
    ):
        find("mnist", FORMS)


def test_the_default_cache_is_in_the_home_folder(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache() == Path.home() / ".cache/minidl"


def test_complete_data_sets_are_preferred(tmp_path):
    put(tmp_path, "pictures")
    with pytest.raises(FileError, match="holds pictures, but not labels; `minidl data fetch"):
        find("mnist", FORMS, tmp_path)
    put(tmp_path / "mnist", "archive.tar.gz")
    assert find("mnist", FORMS, tmp_path) == [tmp_path / "mnist/archive.tar.gz"]
    put(tmp_path, "labels.xz")
    assert find("mnist", FORMS, tmp_path) == [tmp_path / "pictures", tmp_path / "labels.xz"]


@pytest.fixture
def no_home(monkeypatch):
    """A user id that the system does not know, as in containers."""

    def unknown():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", unknown)
    monkeypatch.delenv("XDG_CACHE_HOME")


def test_without_a_home_folder_the_named_folders_are_searched(no_home, tmp_path, monkeypatch):
    put(tmp_path / "data", "pictures", "labels")
    assert find("mnist", FORMS, tmp_path / "data")
    monkeypatch.setenv("MINIDL_DATA", str(tmp_path / "data"))
    assert places() == [tmp_path / "data"] and find("mnist", FORMS)


def test_without_any_folder_the_error_names_what_to_set(no_home, capsys):
    for words in (
        ["data", "info", "mnist"],
        ["data", "fetch", "mnist"],
        ["train", "siamese", "--folder", "unused"],
    ):
        assert main(words) == 2
        error = capsys.readouterr().err
        for words in ("this user has no home folder", "MINIDL_DATA", "XDG_CACHE_HOME"):
            assert words in error
