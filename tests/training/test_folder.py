"""One run at a time has a folder, and clears what killed ones left in it."""

import subprocess
import sys
from pathlib import Path

import pytest

from minidl.errors import ArgumentError, FileError
from minidl.training import train
from minidl.training.folder import alone_in
from tests.training.small import small_task

ROOT = Path(__file__).parents[2]
pytest.importorskip("fcntl")


def test_a_second_run_is_refused_until_the_first_has_ended(tmp_path):
    with alone_in(tmp_path):
        for resume in (False, True):
            with pytest.raises(
                FileError,
                match=r"another run is at work in .*; wait until it ends, or choose another folder",
            ):
                train(small_task(), 1, tmp_path, resume=resume)
        assert list(tmp_path.iterdir()) == []
    train(small_task(), 1, tmp_path)


def test_a_killed_process_holds_nothing_and_its_halves_are_cleared(tmp_path):
    half = tmp_path / f".checkpoint-{'0' * 32}.h5"
    words = [sys.executable, "-m", "tests.training.small", str(tmp_path), "50"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    next(line for line in process.stdout if "'epoch'" in line)
    half.write_text("of a save")
    with pytest.raises(FileError, match="another run is at work"):
        train(small_task(), 1, tmp_path, resume=True)
    assert half.exists()
    process.kill()
    process.wait()
    process.stdout.close()
    train(small_task(), 3, tmp_path, resume=True)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_name_that_is_empty_is_not_the_current_folder():
    with pytest.raises(ArgumentError, match="the name of the run's folder is empty"):
        train(small_task(), 1, "")
