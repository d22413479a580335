"""`minidl faces list` and `minidl faces remove`: the people in a database."""

from pathlib import Path

from minidl.cli.faces.options import add_action, add_database, add_forms
from minidl.cli.faces.pictures import file_name, free
from minidl.cli.output import Output, counted, shown, warn
from minidl.errors import FileError
from minidl.faces import THRESHOLD, Database
from minidl.faces.database import Person
from minidl.files import PRIVATE_FILE, PRIVATE_FOLDER, make_folder, replacing


def register(actions):
    action = add_action(
        actions, "list", show, "list the people in a database, and show its threshold"
    )
    add_database(action)
    action.add_argument(
        "--pictures",
        type=Path,
        metavar="FOLDER",
        help="write the stored pictures to FOLDER/NAME/, readable by you only",
    )
    add_forms(action, "json", "csv")

    action = add_action(
        actions, "remove", remove, "remove a person and all of their data from a database"
    )
    add_database(action)
    action.add_argument("name", metavar="NAME", help="name of the person")


def show(arguments):
    database = Database(arguments.database, identity=None)
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
    if arguments.pictures is not None:
        _write_pictures(database, arguments.pictures)


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


def _write_pictures(database, folder):
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileError(
            f"{folder} exists already; name a new folder, so that nothing is overwritten"
        )
    paths: set[Path] = set()
    folders: dict[str, Path] = {}
    for name, origin, file in database.pictures():
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
        else f"{database.path} stores no pictures"
    )


def remove(arguments):
    count = Database(arguments.database, identity=None).remove(arguments.name)
    print(f"{shown(arguments.name)} is removed, with {counted(count, 'picture')}")
