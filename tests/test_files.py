"""Files are replaced completely or not at all, and paths are checked before they are used."""

import errno
import os
import stat
from pathlib import Path

import pytest

from minidl.errors import FileError
from minidl.files import (
    append,
    clear_halves,
    must_be_folder,
    must_be_writable,
    must_exist,
    replacing,
    write_somewhere,
)


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "weights.npz"
    path.write_text("old")
    return path


def full(*args):
    """Fail as on a full disk."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def is_alone(path):
    """Whether the folder contains nothing else."""
    return list(path.parent.iterdir()) == [path]


def test_a_file_is_replaced_at_the_end_of_the_block(old):
    with replacing(old) as new:
        new.write_text("new")
        assert old.read_text() == "old"
        assert (new.parent, new.suffix) == (old.parent, old.suffix)
    assert old.read_text() == "new"
    assert is_alone(old)


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_an_error_keeps_the_old_file(old, error):
    with pytest.raises(error), replacing(old) as new:
        new.write_text("half")
        raise error
    assert old.read_text() == "old"
    assert is_alone(old)


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_full_disk_is_reported_and_keeps_the_old_file(old, monkeypatch, function):
    monkeypatch.setattr(os, function, full)
    with pytest.raises(FileError) as caught, replacing(old) as new:
        new.write_text("new")
    assert str(caught.value) == (
        f"cannot write {old}: no space left on device; choose another place or make room there"
    )
    assert old.read_text() == "old"
    assert is_alone(old)


def test_a_file_error_of_the_block_keeps_its_message(old):
    with pytest.raises(FileError, match=r"^another message$"), replacing(old):
        raise FileError("another message")
    assert is_alone(old)


def test_a_missing_folder_is_reported(tmp_path):
    message = r"there is no folder .*missing; make it first or choose another place"
    with pytest.raises(FileError, match=message), replacing(tmp_path / "missing" / "out.png"):
        raise AssertionError("the block must not begin")


def test_a_new_file_has_the_usual_permissions(tmp_path):
    before = os.umask(0o027)
    try:
        with replacing(tmp_path / "new"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640


def test_the_replaced_file_keeps_its_permissions_and_the_links_to_it(old):
    old.chmod(0o640)
    link = old.with_name("link")
    link.symlink_to(old)
    with replacing(link) as temporary:
        assert temporary.stat().st_mode & 0o777 == 0o640  # before anything is written
        temporary.write_text("new")
    assert link.is_symlink() and old.read_text() == "new"
    assert old.stat().st_mode & 0o777 == 0o640


def test_only_temporary_files_of_killed_processes_are_removed(old, monkeypatch):
    names = (".weights.npz", ".weights-1.npz", f".other-{'0' * 32}.npz")
    others = [old.with_name(name) for name in names]
    for other in others:
        other.touch()
    monkeypatch.setattr("minidl.files._remove", lambda temporary: None)  # as after a kill
    with pytest.raises(KeyboardInterrupt), replacing(old):
        raise KeyboardInterrupt
    assert len(list(old.parent.iterdir())) == 5
    clear_halves(old)
    assert sorted(old.parent.iterdir()) == sorted([old, *others])


def test_temporary_files_are_removed_by_a_pattern(tmp_path):
    code = "0a" * 16
    halves = [tmp_path / f".step-{number:05}-{code}.png" for number in (2, 40)]
    names = ("step-00002.png", f".other-{code}.png", f".step-00002-{code}.jpg")
    others = [tmp_path / name for name in names]
    for path in (*halves, *others):
        path.touch()
    clear_halves(tmp_path / "step-*.png", pattern=True)
    assert sorted(tmp_path.iterdir()) == sorted(others)


def test_text_is_appended_in_place(old):
    number = old.stat().st_ino
    append(old, "er, é\n")
    assert old.read_text() == "older, é\n" and old.stat().st_ino == number


def test_an_incomplete_append_is_undone(old, monkeypatch):
    class Full:
        """A file on a disk with three free bytes"""

        def __init__(self, file):
            self.file, self.free = file, 3

        def __getattr__(self, name):
            return getattr(self.file, name)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.file.close()

        def write(self, data):
            part = bytes(data[: self.free])
            self.free -= len(part)
            return self.file.write(part) if part else full()

    monkeypatch.setattr(
        "builtins.open", lambda *args, opened=open, **options: Full(opened(*args, **options))
    )
    with pytest.raises(FileError, match="no space left on device; choose another place"):
        append(old, "er than that")
    monkeypatch.undo()
    assert old.read_text() == "old"


def test_a_file_that_can_be_written_stays_in_its_folder(tmp_path):
    path = tmp_path / "new"
    assert write_somewhere(path, lambda path: path.write_text("new")) == (path, None)


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Folders for a file: its own, the current one, and the one for temporary files"""
    for name in ("own", "here", "temporary"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    return tmp_path


@pytest.mark.parametrize(
    ("blocked", "wanted"), [(["own"], "here/a.png"), (["own", "here"], "temporary/minidl-*/a.png")]
)
def test_on_a_full_disk_another_folder_is_used(places, blocked, wanted):
    def write(path):
        with replacing(path) as temporary:
            temporary.write_text("whole")
            if any((places / name) in path.parents for name in blocked):
                full()

    (places / "own" / "a.png").write_text("old")
    written, error = write_somewhere(places / "own" / "a.png", write)
    assert written.match(wanted) and written.read_text() == "whole"
    assert "no space left on device" in str(error)
    assert (places / "own" / "a.png").read_text() == "old"
    assert len([path for path in places.rglob("*") if path.is_file()]) == 2


def test_files_in_another_folder_are_not_overwritten(places):
    (places / "here" / "a.png").write_text("mine")

    def write(path):
        if path.parent == places / "own":
            raise FileError("full")
        path.write_text("new")

    written, _ = write_somewhere(places / "own" / "a.png", write)
    assert written.match("temporary/minidl-*/a.png")
    assert (places / "here" / "a.png").read_text() == "mine"


def test_if_every_disk_is_full_the_error_names_the_first_path(places):
    def write(path):
        raise FileError(f"{path} is full")

    before = set(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else None
    with pytest.raises(FileError, match=r"own/a\.png is full"):
        write_somewhere(places / "own" / "a.png", write)
    assert sorted(places.rglob("*")) == [places / name for name in ("here", "own", "temporary")]
    if before is not None:
        assert not any(name.startswith("minidl-") for name in set(os.listdir("/dev/shm")) - before)


def test_must_exist(old):
    assert must_exist(str(old)) == old
    with pytest.raises(FileError, match="there is no such picture; check the name and the folder"):
        must_exist(old.with_suffix(".png"), "picture")
    with pytest.raises(
        FileError, match="is not a file but a folder or a device; name the picture itself"
    ):
        must_exist(old.parent, "picture")


def test_must_be_writable(old, monkeypatch):
    assert must_be_writable(old) == old
    with pytest.raises(FileError, match="is a folder; give the name of a file in it"):
        must_be_writable(old.parent)
    with pytest.raises(
        FileError, match=r"there is no folder .*missing; make it first or choose another place"
    ):
        must_be_writable(old.parent / "missing" / "out.png")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(FileError, match="may not be written to; choose another place"):
        must_be_writable(old)


@pytest.mark.parametrize(
    "address", ["http://a.b/c", "HTTPS://a.b/c.png", "ftp://a/b", "s3://bucket/key"]
)
def test_an_address_is_refused(address):
    for refuse in (must_exist, must_be_writable, lambda path: must_be_folder(path, "a folder")):
        for form in (address, Path(address)):
            message = f"{address} is an address, and minidl (reads|writes) files"
            with pytest.raises(FileError, match=message):
                refuse(form)


def test_a_file_may_look_like_an_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "http:").mkdir()
    (tmp_path / "http:" / "a.png").write_text("")
    assert must_exist("http://a.png").read_text() == ""
    assert must_be_writable("http://b.png").name == "b.png"
    assert must_be_folder("http://", "a folder").is_dir()


@pytest.mark.parametrize("name", ["a,b", "a,", "photo,of.us.png"])
def test_a_comma_may_be_part_of_a_name(name):
    with pytest.raises(FileError, match="there is no such file; check the name and the folder"):
        must_exist(name)


@pytest.mark.parametrize("name", ["missing", "a" * 5000, "a\0b"])
def test_paths_that_are_no_folder_are_refused(name):
    message = r"is no folder; name a folder of pictures|cannot be read: .*; check the name"
    with pytest.raises(FileError, match=message):
        must_be_folder(name, "a folder of pictures")
