"""`minidl faces calibrate`: the threshold from one's own pictures."""

from pathlib import Path

from minidl import faces
from minidl.backend import device
from minidl.cli.faces.options import add_action, add_forms, distance, share
from minidl.cli.faces.pictures import album_of
from minidl.cli.options import add_device
from minidl.cli.output import Output, shown, warn
from minidl.errors import MinidlError
from minidl.faces import THRESHOLD, Database, FaceReader
from minidl.files import must_be_writable, must_exist

ABSURD = 0.25  # an equal error rate far above that of anybody's right pictures


def register(actions):
    action = add_action(
        actions, "calibrate", run, "find the threshold from your own pictures",
        "All pairs of faces whose people are known are compared: of a database, or of a folder that has a subfolder of "
        "pictures for each person. The threshold stays the shipped one where the pictures do not contradict it. Otherwise it "
        "is the one of equal error rates, or what an option chooses. It is stored in the database, with its evidence, and "
        "`identify` uses it from then on.",
    )  # fmt: skip
    action.add_argument("source", metavar="DB|FOLDER", type=Path)
    rule = action.add_mutually_exclusive_group()
    rule.add_argument(
        "--false-accept",
        type=share,
        metavar="SHARE",
        help="accept at most this share of different pairs: 0.001",
    )
    rule.add_argument(
        "--threshold",
        type=distance,
        metavar="DISTANCE",
        help="choose this one, and be told its errors",
    )
    action.add_argument(
        "--store", type=Path, metavar="DB", help="with a FOLDER: the database to store it in"
    )
    add_forms(action, "json")
    add_device(action)


def run(arguments):
    source, exit_code = arguments.source, 0
    if arguments.store and not source.is_dir():
        raise MinidlError(
            f"{source} is no folder: what a database gives is stored in the database itself; leave --store out"
        )
    target = arguments.store if source.is_dir() else must_exist(source, "database or folder")
    with device(arguments.device):
        reader = FaceReader()
        database = None if target is None else Database(must_be_writable(target), reader.identity)
        if source.is_dir():
            album = album_of(source, reader)
            labels, embeddings = album.labels[album.found], album.embeddings[album.found]
            exit_code = 2 if album.unreadable else 0
        else:
            labels, embeddings = database.embeddings()
    found = faces.calibrate(embeddings, labels, arguments.false_accept, arguments.threshold)
    if found.equal_error_rate > ABSURD:
        warn(
            f"{source} hardly tells people apart, with an equal error rate of {found.equal_error_rate:.0%}, so no threshold of "
            "it is worth much; see that each person's pictures are under one name, and show that person"
        )
    told = found._asdict() | {"source": str(source)}
    lines = _lines(found, arguments.false_accept)
    if database is not None:
        database.calibrate(found.threshold, told)
        lines.append(f"stored in {shown(target)}: `minidl faces identify` uses it from now on")
    Output(arguments.form).put(
        told | {"stored": None if database is None else str(target)}, lines=lines
    )
    return exit_code


def _lines(found, false_accept):
    shipped = "" if found.threshold == THRESHOLD else f" (the shipped one is {THRESHOLD})"
    lines = [
        f"threshold {found.threshold:.3f}: {found.rule}{shipped}",
        f"{found.false_accept:.3%} of {found.different_pairs:,} pairs of different people are accepted, "
        f"{found.false_reject:.3%} of {found.same_pairs:,} pairs of one person rejected ({found.people} people, "
        f"{found.faces} faces)",
        f"equal error rate {found.equal_error_rate:.3%}",
        f"each person as a stranger to the {found.people - 1} others: {found.strangers:.1%} of the pictures are accepted as "
        f"one of them; {found.people} people prove only that the share of all strangers is at most "
        f"{found.strangers_at_most:.0%} (with 95% confidence), and it grows with the database",
    ]
    if false_accept is not None and false_accept * found.different_pairs < 1:
        lines.append(
            f"so few pairs tell nothing about shares below {1 / found.different_pairs:.2g}: take more people"
        )
    return lines
