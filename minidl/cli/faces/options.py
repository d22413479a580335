"""Arguments that several actions share."""

import argparse
from pathlib import Path

from minidl.faces import THRESHOLD

OTHERS_GO_ON = "A picture that cannot be used is said on the standard error and the others are done; the exit code is then 2."


def add_action(actions, name, run, purpose, *more):
    """The parser of an action. purpose: for the list of actions; more: sentences for its own
    help."""
    action = actions.add_parser(
        name, help=purpose, description=" ".join([f"{purpose[0].upper()}{purpose[1:]}.", *more])
    )
    action.set_defaults(run=run)
    return action


def add_database(action):
    action.add_argument("database", metavar="DB", type=Path)


def add_pictures(action):
    action.add_argument("pictures", metavar="PICTURE", type=Path, nargs="+")


def add_threshold(action):
    told = f"up to which two faces are one person's (default: {THRESHOLD})"
    action.add_argument(
        "--threshold", type=distance, default=THRESHOLD, metavar="DISTANCE", help=told
    )


def add_forms(action, *forms):
    group = action.add_mutually_exclusive_group()
    for form, told in {
        "json": "print JSON, one object a line",
        "csv": "print a table with commas",
    }.items():
        if form in forms:
            group.add_argument(
                f"--{form}", dest="form", action="store_const", const=form, help=told
            )


def distance(text):
    number = _number(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"found {text!r}; wanted a distance, at least 0")
    return number


def share(text):
    number = _number(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"found {text!r}; wanted a share, from 0 to 1")
    return number


def _number(text):
    try:
        return float(text)
    except ValueError:
        return float("nan")
