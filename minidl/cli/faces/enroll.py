"""`minidl faces enroll`: add a person, or a folder of people, to a database."""

from collections import Counter
from pathlib import Path

from tqdm import tqdm

from minidl.backend import device
from minidl.cli.faces.enrolment import Enrolment
from minidl.cli.faces.options import (
    SKIPS,
    add_action,
    add_database,
    add_looking,
    add_network,
    looking,
    reader_of,
)
from minidl.cli.faces.pictures import Pictures, warn_of_others
from minidl.cli.options import add_device
from minidl.cli.output import counted, say, shown, warn
from minidl.data.folders import files_within
from minidl.errors import ArgumentError, FileError
from minidl.faces.names import proper_name
from minidl.files import must_be_writable


def register(actions):
    action = add_action(
        actions,
        "enroll",
        run,
        "add people to a database: one from pictures, or all of a folder",
        "With a NAME and pictures, one person is enrolled. With a FOLDER alone, everybody is who "
        "has a subfolder of pictures in it: the name of the subfolder is that of the person.",
        "One picture of a person is enough; more pictures, in another light or with another "
        "expression, make identification more reliable. The database is created if it does not "
        "exist. It stores embeddings, and the pictures only with --keep-pictures. A picture that "
        "is enrolled already is not read again.",
        "A picture with several faces is refused unless --largest is given. People who look alike "
        f"are named on the standard error. {SKIPS}",
    )
    add_database(action)
    action.add_argument(
        "name", metavar="NAME|FOLDER", help="name of the person, or folder of people"
    )
    action.add_argument(
        "pictures",
        metavar="PICTURE",
        type=Path,
        nargs="*",
        default=[],
        help="picture files of the person; a folder stands for all pictures in it",
    )
    action.add_argument(
        "--largest", action="store_true", help="use the largest of several faces in a picture"
    )
    action.add_argument(
        "--keep-pictures",
        action="store_true",
        help="store the picture files too; `minidl faces list --pictures` writes them to a folder",
    )
    add_network(action)
    add_looking(action)
    add_device(action)


def run(arguments):
    path = must_be_writable(arguments.database)
    with device(arguments.device):
        return (_one_person if arguments.pictures else _folder)(arguments, path)


def _one_person(arguments, path):
    name = proper_name(arguments.name)
    pictures = Pictures(arguments.pictures, **looking(arguments))
    enrolment = _enrolment(arguments, path, pictures)
    enrolment.warn_of_similar_names(name)
    try:
        for picture, file in pictures.files():
            names_before = enrolment.add(name, picture, file)
            if names_before is not None:
                with tqdm.external_write_mode():
                    say(_enrolled_in_words(name, picture, names_before))
    finally:
        enrolment.warn_of_lookalikes()
    return pictures.exit_code


def _enrolment(arguments, path, pictures):
    reader = reader_of(arguments)
    return Enrolment(path, reader, pictures, arguments.largest, arguments.keep_pictures)


def _enrolled_in_words(name, path, names_before):
    """Return a line about an enrolled picture. names_before: people who had this picture already"""
    already = " already" if name in names_before else ""
    line = f"{name} is enrolled{already} with {shown(path)}"
    others = " and ".join(shown(other) for other in names_before if other != name)
    return f"{line}, which is also a picture of {others}: is that right?" if others else line


def _folder(arguments, path):
    owners, has_failed = _owners(Path(arguments.name))
    pictures = Pictures(list(owners), **looking(arguments))
    enrolment = _enrolment(arguments, path, pictures)
    tallies: dict[str, Counter[str]] = {name: Counter() for name in owners.values()}
    for name in tallies:
        enrolment.warn_of_similar_names(name)
    left_out = "not reached or left out"  # if Ctrl-C ends the loop
    try:
        for picture, file in pictures.files():
            name = owners[picture]
            names_before = enrolment.add(name, picture, file)
            if names_before is not None:
                tallies[name]["already" if name in names_before else "new"] += 1
                if set(names_before) - {name}:
                    warn(_enrolled_in_words(name, picture, names_before))
        left_out = "left out"
    finally:
        enrolment.warn_of_lookalikes()
        _say_tallies(path, tallies, Counter(owners.values()), left_out)
    return 2 if has_failed else pictures.exit_code


def _owners(folder):
    """Return {picture: name of the person} of a folder of people, and whether one of its subfolders
    or pictures is left out, of which the user is warned."""
    if not folder.is_dir():
        words = f"NAME {folder}" if folder.exists() else f"{folder} PICTURE"
        raise ArgumentError(
            f"{folder} is no folder of people; name one that has a subfolder of pictures for each "
            f"person, or name the pictures of one person: `minidl faces enroll DB {words}`"
        )
    pictures, others = files_within(folder)
    warn_of_others(folder, others)
    names: dict[str, str] = {}
    owners: dict[Path, str] = {}
    left_out: list[str] = []
    for path in pictures:
        person, *inside = path.relative_to(folder).parts
        if not inside:
            left_out.append(f"{path} is left out, because it is in no subfolder of a person")
            continue
        try:
            owners[path] = names[person] = names.get(person) or proper_name(person)
        except ArgumentError as error:
            left_out.append(f"{path} is left out: {error}")
    if not owners:
        raise FileError(
            f"{folder} has no pictures in subfolders of people; make a subfolder with the name of "
            "each person, or enroll all pictures as one person: "
            f"`minidl faces enroll DB NAME {folder}`"
        )
    subfolders = {path for path in folder.iterdir() if path.is_dir() and path.name[0] != "."}
    empty = subfolders - {folder / path.relative_to(folder).parts[0] for path in pictures}
    left_out += [f"{path} has no pictures" for path in sorted(empty)]
    for reason in left_out:
        warn(reason)
    return owners, bool(left_out)


def _say_tallies(path, tallies, counts, left_out):
    """Print how many pictures of each person, and of all, are enrolled and left out.

    tallies: {name: Counter of "new" and "already"}. counts: the number of pictures by name.
    left_out: words for the other pictures
    """
    for name, tally in tallies.items():
        say(f"{shown(name)}: {_tally_in_words(tally, counts[name], left_out)}")
    people = sum(tally.total() > 0 for tally in tallies.values())
    total: Counter[str] = sum(tallies.values(), Counter())
    words = _tally_in_words(total, counts.total(), left_out)
    say(f"{counted(people, 'person', 'people')} of the folder are in {shown(path)}: {words}")


def _tally_in_words(tally, pictures, left_out):
    words = [f"{counted(tally['new'], 'picture')} enrolled"]
    if tally["already"]:
        words.append(f"{tally['already']} enrolled before")
    if others := pictures - tally.total():
        words.append(f"{others} {left_out}")
    return ", ".join(words)
