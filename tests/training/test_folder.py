"""The lock on a run's folder, and the half-written files of killed runs."""

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
    message = r"another run is at work in .*; wait until it ends, or choose another folder"
    with alone_in(tmp_path):
        for resume in (False, True):
            with pytest.raises(FileError, match=message):
                train(small_task(), 1, tmp_path, resume=resume)
        assert list(tmp_path.iterdir()) == []
    train(small_task(), 1, tmp_path)


def test_a_killed_process_releases_the_lock_and_its_half_written_files_are_deleted(tmp_path):
    half = tmp_path / f".checkpoint-{'0' * 32}.h5"
    command = [sys.executable, "-m", "tests.training.small", str(tmp_path), "50"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    next(line for line in process.stdout if "'epoch'" in line)
    half.write_text("half of a checkpoint")
    with pytest.raises(FileError, match="another run is at work"):
        train(small_task(), 1, tmp_path, resume=True)
    assert half.exists()
    process.kill()
    process.wait()
    process.stdout.close()
    train(small_task(), 3, tmp_path, resume=True)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_an_empty_name_is_not_the_current_folder():
    with pytest.raises(ArgumentError, match="the name of the run's folder is empty"):
        train(small_task(), 1, "")
