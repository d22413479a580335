"""`minidl faces calibrate`: a threshold from the user's own pictures."""

from pathlib import Path

from minidl import faces
from minidl.backend import device
from minidl.cli.faces.options import (
    add_action,
    add_forms,
    add_looking,
    add_network,
    distance,
    looking,
    reader_of,
    share,
)
from minidl.cli.faces.pictures import album_of
from minidl.cli.options import add_device
from minidl.cli.output import Output, shown, warn
from minidl.errors import MinidlError
from minidl.faces import THRESHOLD, Database
from minidl.files import must_be_writable, must_exist

IMPLAUSIBLE = 0.25  # an equal error rate far above that of correctly named pictures


def register(actions):
    action = add_action(
        actions,
        "calibrate",
        run,
        "choose the threshold from your own pictures",
        "Compare all pairs of faces in a database, or in a folder that has a subfolder of pictures "
        "for each person. Keep the threshold of the shipped network unless the pairs contradict "
        "it; otherwise, and with --network, choose the threshold of equal error rates. "
        "--false-accept and --threshold choose it in another way.",
        "The threshold is stored in the database, with the error rates. `minidl faces identify` "
        "uses it from then on.",
    )
    action.add_argument(
        "source", metavar="DB|FOLDER", type=Path, help="database file, or folder of people"
    )
    rule = action.add_mutually_exclusive_group()
    rule.add_argument(
        "--false-accept",
        type=share,
        metavar="SHARE",
        help="choose the largest threshold that accepts at most this share of the pairs of "
        "different people, such as 0.001",
    )
    rule.add_argument(
        "--threshold",
        type=distance,
        metavar="DISTANCE",
        help="choose this threshold, and measure its error rates",
    )
    action.add_argument(
        "--store",
        type=Path,
        metavar="DB",
        help="database to store the threshold in, if the pictures are in a FOLDER",
    )
    add_network(action)
    add_looking(action)
    add_forms(action, "json")
    add_device(action)


def run(arguments):
    source, exit_code = arguments.source, 0
    if source.is_dir():
        target = arguments.store
    elif arguments.store:
        raise MinidlError(
            f"{source} is not a folder, and the threshold of a database is stored in that "
            "database; leave --store out"
        )
    else:
        target = must_exist(source, "database or folder")
    with device(arguments.device):
        reader = reader_of(arguments)
        database = None if target is None else Database.of(reader, must_be_writable(target))
        if database is None or source.is_dir():
            album = album_of(source, reader, **looking(arguments))
            labels, embeddings = album.labels[album.found], album.embeddings[album.found]
            exit_code = 2 if album.unreadable else 0
        else:
            labels, embeddings = database.embeddings()
    usual = None if reader.network else THRESHOLD
    result = faces.calibrate(
        embeddings, labels, arguments.false_accept, arguments.threshold, usual=usual
    )
    if result.equal_error_rate > IMPLAUSIBLE:
        warn(
            f"{source} hardly tells people apart, with an equal error rate of "
            f"{result.equal_error_rate:.0%}, so no threshold from it is reliable; "
            "check that each person's pictures are under one name, and that they show that person"
        )
    evidence = result._asdict() | {"source": str(source)}
    usual_name = "that of the run" if reader.network else "the shipped one"
    lines = _lines(result, arguments.false_accept, reader.threshold, usual_name)
    if database is not None:
        database.calibrate(result.threshold, evidence)
        lines.append(f"stored in {shown(target)}: `minidl faces identify` uses it from now on")
    stored = None if database is None else str(target)
    Output(arguments.form).put(evidence | {"stored": stored}, lines=lines)
    return exit_code


def _lines(result, false_accept, usual, usual_name):
    before = "" if result.threshold == usual else f" ({usual_name} is {usual:.4g})"
    lines = [
        f"threshold {result.threshold:.3f}: {result.rule}{before}",
        f"{result.false_accept:.3%} of {result.different_pairs:,} pairs of different people are "
        f"accepted, {result.false_reject:.3%} of {result.same_pairs:,} pairs of the same person "
        f"rejected ({result.people} people, {result.faces} faces)",
        f"equal error rate {result.equal_error_rate:.3%}",
        f"each person as a stranger to the {result.people - 1} others: {result.strangers:.1%} of "
        f"the pictures are accepted as one of them; {result.people} people prove only that the "
        f"share of all strangers is at most {result.strangers_at_most:.0%} (with 95% confidence), "
        "and it grows with the database",
    ]
    if false_accept is not None and false_accept * result.different_pairs < 1:
        least = 1 / result.different_pairs
        lines.append(f"these pairs are too few for shares below {least:.2g}: use more people")
    return lines
