"""Run `minidl faces` and read what it prints."""

import csv
import io
import json
import os

from minidl.cli import main

ANN, BOB, EVE = 0, 1, 2


def faces(*arguments):
    return main(["faces", *map(str, arguments)])


def printed(capsys, *arguments, code=0):
    """Run an action, and return the lines of its output and its messages on the standard error."""
    capsys.readouterr()  # discard earlier output
    assert faces(*arguments) == code
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return out.splitlines(), [line for line in err.splitlines() if line.startswith("minidl: ")]


def records(capsys, *arguments, code=0):
    """Run an action with --json, and return the objects that it prints."""
    return [json.loads(line) for line in printed(capsys, *arguments, "--json", code=code)[0]]


def table(capsys, *arguments, code=0):
    """Run an action with --csv, and return its rows as dicts."""
    lines, _ = printed(capsys, *arguments, "--csv", code=code)
    return list(csv.DictReader(io.StringIO("\n".join(lines))))


def refused(capsys, *arguments):
    """Run an action that is refused and writes nothing, and return its message."""
    files_before = set(os.listdir())
    out, [error] = printed(capsys, *arguments, code=2)
    assert not out and set(os.listdir()) == files_before
    return error
