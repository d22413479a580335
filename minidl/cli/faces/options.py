"""Arguments and options that several actions of `minidl faces` share."""

import argparse
from pathlib import Path

from minidl.cli.options import as_sentence
from minidl.data.places import cache
from minidl.faces import THRESHOLD, FaceReader
from minidl.faces.cache import FaceCache

CACHE = "faces.jsonl"  # name of the file with the faces of pictures that were read before
SKIPS = (
    "A picture that cannot be used is reported on the standard error and skipped; the exit code is "
    "then 2."
)


def add_action(actions, name, run, purpose, *paragraphs):
    """Return the parser of an action.

    purpose: for the list of actions; paragraphs: for its own help, below the purpose
    """
    description = "\n\n".join([as_sentence(purpose), *paragraphs])
    action = actions.add_parser(name, help=purpose, description=description)
    action.set_defaults(run=run)
    return action


def add_database(action):
    action.add_argument("database", metavar="DB", type=Path, help="database file of people")


def add_pictures(action):
    action.add_argument(
        "pictures",
        metavar="PICTURE",
        type=Path,
        nargs="+",
        help="picture files; a folder stands for all pictures in it and its subfolders",
    )


def add_network(action):
    action.add_argument(
        "--network",
        type=Path,
        metavar="RUN",
        help="folder of a run of `minidl train faces`, whose network compares the faces (default: "
        "the shipped network)",
    )


def reader_of(arguments):
    """Return a FaceReader with the chosen network, on the current device."""
    return FaceReader(arguments.network)


def add_looking(action):
    group = action.add_argument_group("looking for faces")
    group.add_argument(
        "--turn",
        action="store_true",
        help="look at all quarter turns of every picture, also if a face is found in it",
    )
    group.add_argument(
        "--once",
        action="store_true",
        help="look once at a picture without a face; by default its quarter turns and, if it is "
        "dark or faint, a copy with more contrast are tried too",
    )


def looking(arguments):
    """Return the arguments of `minidl.faces.look` that these options mean."""
    return {"again": not arguments.once, "turn": arguments.turn}


def add_threshold(action):
    action.add_argument(
        "--threshold",
        type=distance,
        metavar="DISTANCE",
        help="largest distance between faces of the same person (default: "
        f"{THRESHOLD}, or that of the run of --network)",
    )


def threshold_of(arguments, reader):
    """Return the typed threshold, or that of the reader's network."""
    return reader.threshold if arguments.threshold is None else arguments.threshold


def add_cache(action):
    group = action.add_mutually_exclusive_group()
    group.add_argument(
        "--cache",
        type=Path,
        metavar="FILE",
        help="file for the faces that are found, so that a stopped run continues (default: "
        f"{CACHE} in minidl's folder in the user's cache, readable by you only)",
    )
    group.add_argument(
        "--no-cache", action="store_true", help="write no such file; a stopped run begins again"
    )


def cache_of(arguments):
    """Return the chosen FaceCache, or None."""
    return None if arguments.no_cache else FaceCache(arguments.cache or cache() / CACHE)


def add_forms(action, *forms):
    purposes = {"json": "print JSON, one object per line", "csv": "print a CSV table"}
    group = action.add_mutually_exclusive_group()
    for form in forms:
        group.add_argument(
            f"--{form}", dest="form", action="store_const", const=form, help=purposes[form]
        )


def distance(text):
    number = _number(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"found {text!r}; wanted a distance of at least 0")
    return number


def share(text):
    number = _number(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"found {text!r}; wanted a share from 0 to 1")
    return number


def _number(text):
    try:
        return float(text)
    except ValueError:
        return float("nan")
