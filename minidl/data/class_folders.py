"""Folders of pictures to learn classes from, and the division of the pictures into parts.

    FOLDER/cats/1.jpg        a subfolder for each class; its own subfolders belong to it
    FOLDER/dogs/2.jpg

or, if the parts are chosen already:

    FOLDER/train/cats/1.jpg  also called training
    FOLDER/val/cats/2.jpg    also called valid or validation
    FOLDER/test/cats/3.jpg   also called testing; one of val and test may be missing
"""

import pathlib
from collections.abc import Callable, Sequence
from hashlib import sha256
from os import walk
from typing import NamedTuple

import numpy as np

from minidl.data.folders import files_within
from minidl.engine.threads import parallel_map
from minidl.errors import ArgumentError, FileError, brief, listed
from minidl.files import must_be_folder
from minidl.typing import Path

TRAIN, VALIDATION, TEST = PARTS = ("train", "validation", "test")
NAMES = {
    TRAIN: ("train", "training"),
    VALIDATION: ("val", "valid", "validation"),
    TEST: ("test", "testing"),
}
MOST_SHARE = 0.9  # of the pictures of a class that are held out


class LabelledFile(NamedTuple):
    """A picture file.

    name: its path in the folder. label: the index of its class. part: one of PARTS; TRAIN if the
    folder does not say it. digest: SHA-256 of its contents.
    """

    path: pathlib.Path
    name: str
    label: int
    part: str
    digest: str


class ClassFolder(NamedTuple):
    """The classes of a folder, in the order of their names, and their files."""

    classes: list[str]
    files: list[LabelledFile]


def class_folder(folder: Path, warn: Callable[[str], object]) -> ClassFolder:
    """Return the classes of a folder and their picture files, each picture once.

    warn: called with a sentence about files that are left out, because they are in no class, do not
    end like pictures, are hidden or are copies of others; about classes without pictures; and about
    subfolders of classes

    Raises FileError if there is no such folder, or no class with a picture to train on.
    """
    folder = must_be_folder(folder, "the folder that has a subfolder of pictures for each class")
    roots = _roots(folder)
    found = {part: _classes_in(root, folder, warn) for part, root in roots.items()}
    classes = sorted(found[TRAIN])
    if not classes:
        raise FileError(
            f"{roots[TRAIN]} has no pictures in subfolders; put the pictures of each class into a "
            "subfolder of its own"
        )
    if unknown := {name for files in found.values() for name in files} - set(classes):
        warn(
            f"there is nothing to train on for {listed(sorted(unknown))}, so their pictures are "
            f"left out; wanted the classes of {roots[TRAIN]}"
        )
    paths = [
        (path, label, part)
        for part in roots
        for label, name in enumerate(classes)
        for path in found[part].get(name, ())
    ]
    digests = parallel_map(np, _digest, [path for path, *_ in paths])
    files = [
        LabelledFile(path, _name(path, folder), label, part, digest)
        for (path, label, part), digest in zip(paths, digests, strict=True)
    ]
    return ClassFolder(classes, _each_once(files, warn))


def divided(files: Sequence[LabelledFile], share: float, seed: int) -> dict[str, list[int]]:
    """Return {part: the indices of its files} for each of PARTS.

    If the folder does not have a part, it is drawn from the files to train on: of each class this
    share, rounded, first for the test and then, of the rest, for the validation. At least one file
    of a class is drawn, as long as one remains to train on. The draw depends on the seed and on the
    number of files of the class.

    Raises ArgumentError unless the share is from 0 to 0.9. A share of 0 draws nothing.
    """
    if not 0 <= share <= MOST_SHARE:
        raise ArgumentError(
            f"the share that is held out is {brief(share)}; wanted a number from 0 to {MOST_SHARE}"
        )
    parts = [file.part for file in files]
    missing = [part for part in (TEST, VALIDATION) if part not in parts and share]
    for label in sorted({file.label for file in files}):
        own = [i for i, file in enumerate(files) if (file.label, file.part) == (label, TRAIN)]
        order = np.random.default_rng((seed, label)).permutation(len(own)).tolist()
        left = [own[number] for number in order]
        for part in missing:
            count = max(0, min(max(1, round(share * len(left))), len(left) - 1))
            for index in left[:count]:
                parts[index] = part
            left = left[count:]
    return {part: [i for i, own_part in enumerate(parts) if own_part == part] for part in PARTS}


def _roots(folder):
    """{part: the folder of its classes}"""
    subfolders = {path.name.lower(): path for path in _subfolders(folder)}
    roots = {
        part: subfolders[name]
        for part, names in NAMES.items()
        for name in names
        if name in subfolders and _subfolders(subfolders[name])
    }
    return roots if TRAIN in roots and len(roots) > 1 else {TRAIN: folder}


def _subfolders(folder):
    return sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")


def _classes_in(root, folder, warn):
    """{name of a class: its files}, without classes that have none"""
    classes, others, hidden, deep = {}, [], [], []
    for subfolder in _subfolders(root):
        pictures, more = files_within(subfolder)
        others += more
        deep += [path.parent for path in pictures if path.parent != subfolder]
        hidden += _hidden(subfolder)
        if pictures:
            classes[subfolder.name] = pictures
        else:
            warn(f"{_name(subfolder, folder)} has no pictures and is left out")
    own = sorted(path for path in root.iterdir() if path.is_file())
    hidden += [path for path in own if path.name[0] == "."]
    beside = [path for path in own if path.name[0] != "."]
    for paths, words in (
        (beside, "in no class and left out"),
        (others, "left out, because the names do not end like those of pictures"),
        (hidden, "hidden and left out"),
    ):
        if paths:
            warn(f"{_counted(paths)} {words}: {listed([_name(path, folder) for path in paths])}")
    if deep:
        inner = sorted({_name(path, folder) for path in deep})
        warn(f"pictures in {listed(inner)} belong to the class of the folder above")
    return classes


def _hidden(folder):
    """The hidden files and folders in a folder and its subfolders"""
    found = []
    for parent, subfolders, names in walk(folder):
        found += [pathlib.Path(parent, name) for name in (*names, *subfolders) if name[0] == "."]
        subfolders[:] = [name for name in subfolders if name[0] != "."]
    return sorted(found)


def _digest(path):
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError:  # the reader of the picture reports it
        return f"unreadable {path}"


def _each_once(files, warn):
    """Leave out files with the contents of an earlier one."""
    first: dict[str, LabelledFile] = {}
    kept, copies, doubtful = [], [], []
    for file in files:
        original = first.setdefault(file.digest, file)
        if original is file:
            kept.append(file)
        elif original.label == file.label:
            copies.append(f"{file.name} (as {original.name})")
        else:
            doubtful.append(f"{file.name} (as {original.name})")
    if copies:
        warn(f"{_counted(copies)} left out, as the same picture is there twice: {listed(copies)}")
    if doubtful:
        warn(
            f"{_counted(doubtful)} left out, because another class has the same picture: "
            f"{listed(doubtful)}"
        )
    return kept


def _name(path, folder):
    return str(path.relative_to(folder))


def _counted(paths):
    return "1 file is" if len(paths) == 1 else f"{len(paths):,} files are"
