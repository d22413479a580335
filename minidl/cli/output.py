"""The output of commands: results as words, JSON or CSV, progress messages, and warnings."""

import csv
import json
import os
import sys
from pathlib import Path

from tqdm import tqdm

from minidl.errors import printable


class Output:
    """Print records as JSON (one object per line), as CSV (below the names of the columns) or, if
    `form` is None, as lines of text."""

    def __init__(self, form=None, *columns):
        self._form, self._columns = form, len(columns)
        if form == "csv":
            self._write_row(columns)

    def put(self, record=None, rows=(), lines=()):
        """Print one result in the chosen form.

        record: dict, for JSON; rows: sequences of cells, for CSV, padded with empty cells; lines:
        texts
        """
        with tqdm.external_write_mode():
            if self._form == "json":
                print(json.dumps(record), flush=True)
            elif self._form == "csv":
                for row in rows:
                    self._write_row(row)
            else:
                for line in lines:
                    print(line, flush=True)

    def _write_row(self, row):
        if sys.stdout:
            padding = [""] * (self._columns - len(row))
            cells = [*map(_without_controls, row), *padding]
            csv.writer(sys.stdout, lineterminator="\n").writerow(cells)


def _without_controls(cell):
    """Return a cell in full length, without control characters that a terminal would obey."""
    return printable(str(cell), len(str(cell))) if isinstance(cell, str | Path) else cell


def say(text):
    """Print a line. A closed standard output raises no error, so a long computation continues."""
    try:
        print(printable(str(text)), flush=True)
    except OSError:
        discard(sys.stdout)


def say_nothing(text):
    """Print nothing; replaces `say` for --quiet."""


def warn(text):
    """Print a warning on the standard error."""
    if sys.stderr:
        with tqdm.external_write_mode(sys.stderr):
            print(f"minidl: {printable(str(text))}", file=sys.stderr)


def shown(text):
    """Return a name or a path without control characters, for a terminal."""
    return printable(str(text))


def counted(number, one, many=None):
    """Return a number with its noun in the singular or plural.

    >>> counted(1, "picture"), counted(2000, "picture"), counted(2, "person", "people")
    ('1 picture', '2,000 pictures', '2 people')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def discard(stream):
    """Send what a stream still buffers, and what is written to it later, to the null device."""
    null_device = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null_device, stream.fileno())
    os.close(null_device)


class TolerantStream:
    """A stream whose `write` and `flush` raise no error after its reader has closed it. Progress
    messages then do not end a computation."""

    def __init__(self, stream):
        self._stream = stream

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text):
        try:
            return self._stream.write(text)
        except OSError:
            discard(self._stream)
            return len(text)

    def flush(self):
        try:
            self._stream.flush()
        except OSError:
            discard(self._stream)
