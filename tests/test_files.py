"""A file is replaced whole or not at all."""

import errno
import os
import stat

import pytest

from minidl.errors import FileError
from minidl.files import clear_halves, must_be_writable, must_exist, replacing


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "weights.npz"
    path.write_text("old")
    return path


def alone(path):
    """Nothing else lies in the folder."""
    return list(path.parent.iterdir()) == [path]


def test_a_file_is_replaced_when_the_block_ends_well(old):
    with replacing(old) as new:
        new.write_text("new")
        assert old.read_text() == "old"
        assert (new.parent, new.suffix) == (old.parent, old.suffix)
    assert old.read_text() == "new"
    assert alone(old)


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_an_error_leaves_the_old_file_untouched(old, error):
    with pytest.raises(error), replacing(old) as new:
        new.write_text("half")
        raise error
    assert old.read_text() == "old"
    assert alone(old)


@pytest.mark.parametrize("where", ["fsync", "replace"])
def test_a_full_disk_is_said_and_the_old_file_untouched(old, monkeypatch, where):
    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, where, full)
    with pytest.raises(FileError) as caught, replacing(old) as new:
        new.write_text("new")
    assert str(caught.value) == f"cannot write {old}: no space left on device; choose another place or make room there"
    assert old.read_text() == "old"
    assert alone(old)


def test_a_file_error_of_the_block_keeps_its_own_words(old):
    with pytest.raises(FileError, match=r"^my own words$"), replacing(old):
        raise FileError("my own words")
    assert alone(old)


def test_a_folder_that_is_missing_is_said(tmp_path):
    path = tmp_path / "missing" / "out.png"
    with (
        pytest.raises(FileError, match=r"there is no folder .*missing; make it first or choose another place"),
        replacing(path),
    ):
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
    with replacing(link) as beside:
        assert beside.stat().st_mode & 0o777 == 0o640  # before anything is in it
        beside.write_text("new")
    assert link.is_symlink() and old.read_text() == "new"
    assert old.stat().st_mode & 0o777 == 0o640


def test_halves_of_killed_processes_are_cleared_and_nothing_else(old, monkeypatch):
    others = [old.with_name(name) for name in (".weights.npz", ".weights-1.npz", f".other-{'0' * 32}.npz")]
    for other in others:
        other.touch()
    monkeypatch.setattr("minidl.files._remove", lambda beside: None)  # as a kill has it
    with pytest.raises(KeyboardInterrupt), replacing(old):
        raise KeyboardInterrupt
    assert len(list(old.parent.iterdir())) == 5
    clear_halves(old)
    assert sorted(old.parent.iterdir()) == sorted([old, *others])


def test_what_must_exist(old):
    assert must_exist(str(old)) == old
    with pytest.raises(FileError, match="there is no such picture; check the name and the folder"):
        must_exist(old.with_suffix(".png"), "picture")
    with pytest.raises(FileError, match="is not a file but a folder or a device; name the picture itself"):
        must_exist(old.parent, "picture")


def test_what_must_be_writable(old, monkeypatch):
    assert must_be_writable(old) == old
    with pytest.raises(FileError, match="is a folder; give the name of a file in it"):
        must_be_writable(old.parent)
    with pytest.raises(FileError, match=r"there is no folder .*missing; make it first or choose another place"):
        must_be_writable(old.parent / "missing" / "out.png")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(FileError, match="may not be written to; choose another place"):
        must_be_writable(old)
