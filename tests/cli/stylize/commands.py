"""Run `minidl stylize` on small pictures."""

import os
import sys

from minidl.cli import main
from minidl.data import read_metadata

QUICK = ["--size", "32", "--steps", "2", "-q"]
# as a process of its own
PROCESS = [sys.executable, "-m", "minidl.cli", "stylize", "photo.png", "painting.jpg"]


def stylize(*arguments, pictures=("photo.png", "painting.jpg")):
    return main(["stylize", *pictures, *QUICK, *map(str, arguments)])


def stylize_line(line):
    """Run a command that is written in one line, without other options."""
    return main(["stylize", *line.split()])


def settings_of(path):
    return read_metadata(path)["settings"]


def refused(capsys, *arguments, **options):
    """Run a command that is refused and writes nothing, and return its message."""
    files_before = set(os.listdir())
    assert stylize(*arguments, **options) == 2
    assert set(os.listdir()) == files_before
    error = capsys.readouterr().err
    assert error.startswith("minidl: ") and error.count("\n") == 1
    return error
