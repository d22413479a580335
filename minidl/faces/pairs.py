"""Read lists of pairs of pictures for a test of verification.

pairs.txt, as "Labeled Faces in the Wild" has it (Huang et al. 2007). The first line has the number
of folds, and the numbers of pairs of one person and of pairs of two people in each fold:

    10 300
    Abel_Pacheco 1 4                            the pictures 1 and 4 of one person
    Abdel_Madi_Shabneh 1 Dean_Barker 1          a picture of one person and one of another

Picture 4 of Abel_Pacheco is the file Abel_Pacheco/Abel_Pacheco_0004.jpg, or another picture with
this name.

A CSV table, with the columns a and b, which are paths of pictures, and same, which is 1 or 0. The
column fold is optional; without it, the pairs of either kind are divided among ten folds in turn.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minidl.data.images import ENDINGS
from minidl.errors import FileError, listed, printable
from minidl.files import must_be_folder, must_exist
from minidl.typing import Array
from minidl.typing import Path as PathLike

FOLDS = 10  # of a table without the column fold
MOST_FOLDS = 100
LARGEST = 2**26  # bytes of a list
SAME = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


class Pairs(NamedTuple):
    """P pairs of pictures."""

    first: list[Path]  # (P,)
    second: list[Path]  # (P,)
    same: Array  # (P,), bool: whether both show one person
    folds: Array  # (P,), from 0: the fold of each pair

    @property
    def pictures(self) -> list[Path]:
        """Each picture once, in the order of the pairs."""
        return list(dict.fromkeys(path for pair in zip(*self[:2], strict=True) for path in pair))


def read_pairs(path: PathLike, folder: PathLike) -> Pairs:
    """Return the pairs of a list of pictures in a folder.

    Raise FileError if the list is damaged, names pictures that the folder lacks, has fewer than two
    folds, or has a fold without pairs of both kinds.
    """
    folder = must_be_folder(folder, "the folder of the pictures")
    path = must_exist(path, "list of pairs")
    if path.stat().st_size > LARGEST:
        raise FileError(f"{path} has more than {LARGEST:,} bytes; wanted a list of pairs")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise FileError(f"{path} is no text; wanted pairs.txt or a CSV table") from None
    lines = text.rstrip().splitlines()
    first_line = lines[0].split() if lines else []
    is_lfw = bool(first_line) and all(word.isdecimal() for word in first_line)
    try:
        rows = list((_lfw if is_lfw else _table)(path, lines))
    except csv.Error as error:
        raise FileError(f"{path} is no CSV table: {error}; write it again") from None
    names = [row[:2] for row in rows]
    pictures = _Pictures(folder, path)
    found = [(pictures.of(a), pictures.of(b)) for a, b in names]
    pictures.must_be_complete()
    same, folds = (np.array([row[column] for row in rows]) for column in (2, 3))
    _must_have_folds(path, same, folds)
    return Pairs([a for a, _ in found], [b for _, b in found], same, folds)


def _lfw(path, lines) -> Iterator[tuple]:
    """Yield (picture, picture, same, fold) of each line of pairs.txt. A picture is a name and a
    number."""
    header, pairs = [int(word[:9]) for word in lines[0].split()], len(lines) - 1
    folds, count = header if len(header) == 2 else (1, header[0])
    if len(header) > 2 or pairs != 2 * folds * count:
        raise FileError(
            f"{path} says {lines[0].strip()[:40]!r} and has {pairs} pairs; wanted the numbers of "
            "folds and of pairs of either kind in a fold, and then all pairs"
        )
    for number, line in enumerate(lines[1:]):
        fold, place = divmod(number, 2 * count)
        words = [word.strip() for word in (line.split("\t") if "\t" in line else line.split())]
        same = place < count
        numbers = words[1:] if same else words[1::2]
        if len(words) != (3 if same else 4) or not all(map(str.isdecimal, numbers)):
            wanted = "a name and two numbers" if same else "two names, each with a number"
            raise FileError(
                f"{path}, line {number + 2}: found {printable(line, 80)!r}; wanted {wanted}"
            )
        other = words[0] if same else words[2]
        yield (words[0], int(numbers[0][:9])), (other, int(numbers[1][:9])), same, fold


def _table(path, lines) -> Iterator[tuple]:
    """Yield (picture, picture, same, fold) of each row of a CSV table. A picture is a path."""
    rows = csv.DictReader(lines)
    missing = {"a", "b", "same"} - set(rows.fieldnames or ())
    if missing:
        raise FileError(
            f"{path} is neither LFW's pairs.txt, which begins with two numbers such as 10 300, nor "
            f"a CSV table with the columns a, b and same: {', '.join(sorted(missing))} missing"
        )
    numbers: dict[str, int] = {}  # of the folds
    counts = {True: 0, False: 0}
    for row in rows:
        word = str(row["same"]).strip().lower()
        if word not in SAME or not row["a"] or not row["b"]:
            raise FileError(
                f"{path}, line {rows.line_num}: wanted two paths and 1 or 0 in the columns a, b "
                "and same"
            )
        same = SAME[word]
        fold = counts[same] % FOLDS
        if "fold" in row:
            fold = numbers.setdefault(str(row["fold"]), len(numbers))
        counts[same] += 1
        yield row["a"], row["b"], same, fold


class _Pictures:
    """Finds the pictures of a folder by their names, and remembers those that are missing."""

    def __init__(self, folder, path):
        self._folder, self._path = folder, path
        self._known: dict = {}
        self._missing: list[str] = []

    def of(self, name):
        if name not in self._known:
            self._known[name] = self._find(name)
        return self._known[name]

    def _find(self, name):
        names = [name]
        if not isinstance(name, str):
            person, number = name
            names = [f"{person}/{person}_{number:04}{ending}" for ending in (".jpg", *ENDINGS)]
        places = (self._folder / name for name in names)
        found = next((place for place in places if place.is_file()), None)
        if found is None:
            self._missing.append(names[0])
        return found

    def must_be_complete(self):
        if self._missing:
            raise FileError(
                f"{self._path} names {len(self._missing):,} pictures that {self._folder} lacks: "
                f"{listed(self._missing)}; name the folder that has a subfolder for each person"
            )


def _must_have_folds(path, same, folds):
    if not len(same):
        raise FileError(f"{path} has no pairs")
    count = folds.max() + 1
    kinds = [np.bincount(folds[same == kind], minlength=count) for kind in (True, False)]
    both = np.minimum(*kinds)
    if not 2 <= count <= MOST_FOLDS or not both.all():
        raise FileError(
            f"{path} has {count:,} folds, {np.count_nonzero(both):,} of them with pairs of one "
            f"person and of two people; wanted 2 to {MOST_FOLDS} folds, all of them with both: "
            "LFW's View 2 is the file pairs.txt with ten folds"
        )
