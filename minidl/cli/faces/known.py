"""`minidl faces list` and `minidl faces remove`: who is in a database."""

from pathlib import Path

from minidl.cli.faces.names import file_name, free
from minidl.cli.faces.options import add_action, add_database, add_forms
from minidl.cli.output import Output, counted, shown, warn
from minidl.errors import FileError
from minidl.faces import THRESHOLD, Database
from minidl.faces.database import Person
from minidl.files import PRIVATE_FILE, PRIVATE_FOLDER, make_folder, replacing


def register(actions):
    action = add_action(actions, "list", show, "show who is in a database, and its threshold")
    add_database(action)
    purpose = "write the kept pictures to FOLDER/NAME/, with permissions for you alone"
    action.add_argument("--pictures", type=Path, metavar="FOLDER", help=purpose)
    add_forms(action, "json", "csv")

    action = add_action(
        actions, "remove", remove, "take a person out of a database, with all that was stored"
    )
    add_database(action)
    action.add_argument("name", metavar="NAME")


def show(arguments):
    database = Database(arguments.database, identity=None)
    people, calibration = database.people(), database.calibration()
    threshold, evidence = calibration or (THRESHOLD, {"rule": "the one that minidl comes with"})
    output = Output(arguments.form, *Person._fields, "threshold")
    for person in people:
        line = f"{shown(person.name)}: {counted(person.pictures, 'picture')}, since {shown(person.enrolled)}"
        output.put(person._asdict() | {"threshold": threshold}, [(*person, threshold)], [line])
    if not arguments.form:
        others = [
            f"{what.replace('_', ' ')} {round(told, 4) if isinstance(told, float) else told}"
            for what, told in evidence.items()
            if what not in ("threshold", "rule")
        ]
        told = "; ".join([str(evidence.get("rule")), *others])
        if evidence.get("source") == str(arguments.database) and _changed(people, evidence):
            told += "; people or pictures have been added or removed since: calibrate again"
        output.put(
            lines=[
                f"{counted(len(people), 'person', 'people')}, threshold {threshold:.3f}: {shown(told)}"
            ]
        )
    if arguments.pictures is not None:
        _write_kept(database, arguments.pictures)


def _changed(people, evidence):
    """Whether the database holds other numbers of people and faces than those that calibrated it"""
    now = len(people), sum(person.pictures for person in people)
    return now != (evidence.get("people"), evidence.get("faces"))


def _write_kept(database, folder):
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileError(
            f"{folder} is there already; name a new folder, so that nothing in it is overwritten"
        )
    taken, folders = set(), {}
    for name, origin, file in database.pictures():
        if not folders:
            make_folder(folder, PRIVATE_FOLDER)
        if name not in folders:
            folders[name] = free(folder / file_name(name), folders.values())
            make_folder(folders[name], PRIVATE_FOLDER)
        path = free(folders[name] / file_name(origin), taken)
        taken.add(path)
        with replacing(path) as beside:
            beside.chmod(PRIVATE_FILE)
            beside.write_bytes(file)
    warn(
        f"{counted(len(taken), 'picture')} written to {folder}"
        if taken
        else f"no pictures are kept in {database.path}"
    )


def remove(arguments):
    forgotten = Database(arguments.database, identity=None).remove(arguments.name)
    print(f"{shown(arguments.name)} is removed, with {counted(forgotten, 'picture')}")
