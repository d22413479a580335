"""`minidl faces list`: the people in a database, and the pictures of a person."""

from pathlib import Path

from minidl.cli.faces.grouped import must_be_new
from minidl.cli.faces.options import add_action, add_database, add_forms
from minidl.cli.faces.pictures import file_name, free
from minidl.cli.output import Output, counted, shown, warn
from minidl.faces import THRESHOLD, Database
from minidl.faces.database import Enrolled, Person
from minidl.faces.names import normal_form
from minidl.files import PRIVATE_FILE, PRIVATE_FOLDER, make_folder, replacing


def register(actions):
    action = add_action(
        actions,
        "list",
        show,
        "list the people in a database, or the pictures of a person",
        "Without a NAME, the threshold of the database is shown too.",
    )
    add_database(action)
    action.add_argument("name", metavar="NAME", nargs="?", help="name of a person")
    action.add_argument(
        "--pictures",
        type=Path,
        metavar="FOLDER",
        help="write the stored pictures to FOLDER/NAME/, readable by you only; with a NAME, only "
        "those of this person",
    )
    add_forms(action, "json", "csv")


def show(arguments):
    database = Database(arguments.database, identity=None)
    name = None if arguments.name is None else normal_form(arguments.name)
    if name is None:
        _show_people(arguments, database)
    else:
        _show_pictures(arguments, database, name)
    if arguments.pictures is not None:
        _write_pictures(database, arguments.pictures, name)


def _show_pictures(arguments, database, name):
    output = Output(arguments.form, "name", *Enrolled._fields)
    for picture in database.pictures_of(name):
        line = f"{picture.number}: {shown(picture.origin)}, since {shown(picture.enrolled)}"
        lines = [f"{line}, stored" if picture.stored else line]
        output.put({"name": name} | picture._asdict(), [(name, *picture)], lines)


def _show_people(arguments, database):
    people, calibration = database.people(), database.calibration()
    threshold, evidence = calibration or (THRESHOLD, {"rule": "the one that minidl ships"})
    output = Output(arguments.form, *Person._fields, "threshold")
    for person in people:
        pictures = counted(person.pictures, "picture")
        line = f"{shown(person.name)}: {pictures}, since {shown(person.enrolled)}"
        output.put(person._asdict() | {"threshold": threshold}, [(*person, threshold)], [line])
    if not arguments.form:
        facts = _facts(evidence)
        if evidence.get("source") == str(arguments.database) and _is_outdated(people, evidence):
            facts += "; people or pictures have been added or removed since: calibrate again"
        count = counted(len(people), "person", "people")
        output.put(lines=[f"{count}, threshold {threshold:.3f}: {shown(facts)}"])


def _facts(evidence):
    """Return the evidence of a calibration in words."""
    facts = [str(evidence.get("rule"))]
    for name, value in evidence.items():
        if name not in ("threshold", "rule"):
            rounded = round(value, 4) if isinstance(value, float) else value
            facts.append(f"{name.replace('_', ' ')} {rounded}")
    return "; ".join(facts)


def _is_outdated(people, evidence):
    """Return whether the numbers of people or faces have changed since the calibration."""
    counts = len(people), sum(person.pictures for person in people)
    return counts != (evidence.get("people"), evidence.get("faces"))


def _write_pictures(database, folder, only=None):
    """Write the stored pictures to a folder, of all people or only of one."""
    must_be_new(folder)
    paths: set[Path] = set()
    folders: dict[str, Path] = {}
    for name, origin, file in database.pictures():
        if only not in (None, name):
            continue
        if not folders:
            make_folder(folder, PRIVATE_FOLDER)
        if name not in folders:
            folders[name] = free(folder / file_name(name), folders.values())
            make_folder(folders[name], PRIVATE_FOLDER)
        path = free(folders[name] / file_name(origin), paths)
        paths.add(path)
        with replacing(path) as temporary:
            temporary.chmod(PRIVATE_FILE)
            temporary.write_bytes(file)
    warn(
        f"{counted(len(paths), 'picture')} written to {folder}"
        if paths
        else f"{database.path} stores no pictures" + (f" of {only}" if only else "")
    )
