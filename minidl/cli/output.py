"""What a command has found: words for people, or JSON or CSV for programs."""

import csv
import json
import sys
from pathlib import Path

from tqdm import tqdm

from minidl.errors import printable


class Output:
    """Prints as JSON (an object a line), as CSV (below the names of the columns) or, where `form`
    is None, in words."""

    def __init__(self, form=None, *columns):
        self._form, self._columns = form, len(columns)
        if form == "csv":
            self._row(columns)

    def put(self, record=None, rows=(), lines=()):
        """One finding in all three ways, of which the chosen one is printed: a dict, rows (short
        ones are filled up), lines."""
        with tqdm.external_write_mode():
            if self._form == "json":
                print(json.dumps(record), flush=True)
            elif self._form == "csv":
                for row in rows:
                    self._row(row)
            else:
                for line in lines:
                    print(line, flush=True)

    def _row(self, row):
        if sys.stdout:
            cells = [_without_controls(cell) for cell in row]
            csv.writer(sys.stdout, lineterminator="\n").writerow(
                [*cells, *[""] * (self._columns - len(row))]
            )


def shown(text):
    """A name or a path for a terminal"""
    return printable(str(text))


def _without_controls(cell):
    """A cell of a table, complete for programs, and without control characters for terminals"""
    return printable(str(cell), len(str(cell))) if isinstance(cell, str | Path) else cell


def counted(number, one, many=None):
    """
    >>> counted(1, "picture"), counted(2000, "picture"), counted(2, "person", "people")
    ('1 picture', '2,000 pictures', '2 people')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def warn(text):
    """A sentence beside the output, which goes on"""
    if sys.stderr:
        with tqdm.external_write_mode(sys.stderr):
            print(f"minidl: {printable(str(text))}", file=sys.stderr)
