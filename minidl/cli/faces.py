"""`minidl faces`: who is this, from one picture."""

import argparse
from hashlib import sha256
from itertools import count
from pathlib import Path

import numpy as np
from tqdm import tqdm

from minidl.backend import device
from minidl.cli import measuring_faces
from minidl.cli.options import add_device
from minidl.cli.output import Output, counted, shown, warn
from minidl.cli.pictures import Pictures
from minidl.cli.saying import say
from minidl.data.images import WRITABLE, read_image, write_image
from minidl.errors import FileError, MinidlError
from minidl.faces import THRESHOLD, Database, FaceReader, Gallery, between, draw_faces, main_face, read_faces
from minidl.faces.database import UNKNOWN, Person, proper_name
from minidl.files import must_be_writable, must_differ, must_exist, replacing

MENDED = "take a picture that shows one larger, or more from the front"
BOX = ("x", "y", "width", "height")
OTHERS_GO_ON = "A picture that cannot be used is said on the standard error and the others are done; the exit code is then 2."


def register(commands):
    """Add `minidl faces compare | enroll | identify | list | remove | find | calibrate | evaluate` to the command line."""
    parser = commands.add_parser(
        "faces",
        help="find faces in pictures, and say whose they are",
        description="Find faces in pictures, and say whose they are. Two faces are one person's where the Euclidean distance "
        "between their embeddings is at most a threshold.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    def add(name, run, purpose, *more):
        action = actions.add_parser(name, help=purpose, description=" ".join([f"{purpose[0].upper()}{purpose[1:]}.", *more]))
        action.set_defaults(run=run)
        return action

    action = add(
        "compare", _compare, "tell whether two pictures show the same person",
        "Of several faces in a picture the largest is compared, and that is said.",
        "Exit code 0: the same; 1: different people; 2: there is nothing to compare.",
    )  # fmt: skip
    action.add_argument("a", metavar="A", type=Path)
    action.add_argument("b", metavar="B", type=Path)
    _add_threshold(action)
    _add_forms(action, "json")
    add_device(action)

    action = add(
        "enroll", _enroll, "put a person into a database, from one picture or more",
        "One picture is enough; others, in another light or with another look, help. The database is made where there is none.",
        "A picture that shows several faces is refused, unless --largest says whose is meant. No picture is stored, unless "
        "--keep-pictures says so.", OTHERS_GO_ON,
    )  # fmt: skip
    _add_database(action)
    action.add_argument("name", metavar="NAME")
    _add_pictures(action)
    action.add_argument("--largest", action="store_true", help="of several faces in a picture, take the largest")
    action.add_argument("--keep-pictures", action="store_true", help="store the files too; `list --pictures` writes them out")
    add_device(action)

    action = add(
        "identify", _identify, "name every face in pictures, from one database",
        "It is the nearest person who is enrolled, or unknown past the threshold. Exit code 0: every picture shows somebody "
        "known; 1: one or more show nobody known.", OTHERS_GO_ON,
    )  # fmt: skip
    _add_database(action)
    _add_pictures(action)
    action.add_argument("--threshold", type=_distance, metavar="DISTANCE", help="in the place of the database's own")
    _add_forms(action, "json", "csv")
    add_device(action)

    action = add("list", _list, "show who is in a database, and its threshold")
    _add_database(action)
    action.add_argument("--pictures", type=Path, metavar="FOLDER", help="write the pictures that were kept to FOLDER/NAME/")
    _add_forms(action, "json", "csv")

    action = add("remove", _remove, "take a person out of a database, with all that was stored")
    _add_database(action)
    action.add_argument("name", metavar="NAME")

    action = add("find", _find, "find the faces in pictures", "Boxes are x, y, width, height in pixels.", OTHERS_GO_ON)
    _add_pictures(action)
    action.add_argument("--output", type=Path, metavar="FOLDER", help="write copies to it, boxes and landmarks drawn in")
    _add_forms(action, "json", "csv")
    add_device(action)

    action = add(
        "calibrate", measuring_faces.calibrate, "find the threshold from your own pictures",
        "All pairs of faces whose people are known are compared: of a database, or of a folder that has a subfolder of "
        "pictures for each person. The threshold is where both errors are as common, or what the options say. It is stored in "
        "the database, with its evidence, and `identify` uses it from then on.",
    )  # fmt: skip
    action.add_argument("source", metavar="DB|FOLDER", type=Path)
    rule = action.add_mutually_exclusive_group()
    rule.add_argument(
        "--false-accept", type=_share, metavar="SHARE", help="accept at most this share of different pairs: 0.001"
    )
    rule.add_argument("--threshold", type=_distance, metavar="DISTANCE", help="choose this one, and be told its errors")
    action.add_argument("--store", type=Path, metavar="DB", help="with a FOLDER: the database to store it in")
    _add_forms(action, "json")
    add_device(action)

    action = add(
        "evaluate", measuring_faces.evaluate, "measure how well your own people are told apart",
        "In a folder that has a subfolder of pictures for each person: all pairs, one picture of each enrolled, strangers; "
        "beside them what comparing pixels would do. Of several faces in a picture the largest is taken.", OTHERS_GO_ON,
    )  # fmt: skip
    action.add_argument("folder", metavar="FOLDER", type=Path)
    _add_threshold(action)
    action.add_argument("--plot", metavar="FILE", help="draw the curve of both errors (ROC), and the distances of pairs")
    _add_forms(action, "json")
    add_device(action)


def _add_database(action):
    action.add_argument("database", metavar="DB", type=Path)


def _add_pictures(action):
    action.add_argument("pictures", metavar="PICTURE", type=Path, nargs="+")


def _add_threshold(action):
    told = f"up to which two faces are one person's (default: {THRESHOLD})"
    action.add_argument("--threshold", type=_distance, default=THRESHOLD, metavar="DISTANCE", help=told)


def _add_forms(action, *forms):
    group = action.add_mutually_exclusive_group()
    for form, told in {"json": "print JSON, one object a line", "csv": "print a table with commas"}.items():
        if form in forms:
            group.add_argument(f"--{form}", dest="form", action="store_const", const=form, help=told)


def _distance(text):
    number = _number(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"found {text!r}; wanted a distance, at least 0")
    return number


def _share(text):
    number = _number(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"found {text!r}; wanted a share, from 0 to 1")
    return number


def _number(text):
    try:
        return float(text)
    except ValueError:
        return float("nan")


# ---- the actions ----------------------------------------------------------------------------------------------------


def _compare(arguments):
    paths = [must_exist(path, "picture") for path in (arguments.a, arguments.b)]
    with device(arguments.device):
        reader = FaceReader()
        found = [read_faces(path, reader) for path in paths]
    if empty := [str(path) for path, faces in zip(paths, found, strict=True) if not faces]:
        raise MinidlError(f"no face was found in {' and in '.join(empty)}; {MENDED}")
    distance, threshold = between(*(main_face(faces).embedding for faces in found)), arguments.threshold
    same, margin, counts = distance <= threshold, threshold - distance, [len(faces) for faces in found]
    lines = [f"{shown(path)} shows {n} faces; the largest is compared" for path, n in zip(paths, counts, strict=True) if n > 1]
    verdict, side = ("the same person", "within") if same else ("different people", "beyond")
    lines.append(f"{verdict}: distance {distance:.3f}, {abs(margin):.3f} {side} the threshold of {threshold:.3f}")
    record = {"same": same, "distance": distance, "threshold": threshold, "margin": margin}
    Output(arguments.form).put(record | {"pictures": list(map(str, paths)), "faces_found": counts}, lines=lines)
    return 0 if same else 1


def _enroll(arguments):
    name, pictures = proper_name(arguments.name), Pictures(arguments.pictures)
    path = must_be_writable(arguments.database)
    with device(arguments.device):
        reader = FaceReader()
        database = Database(path, reader.identity) if path.exists() and path.stat().st_size else None
        for picture_path, faces in pictures.faces(reader):
            if not faces:
                pictures.refuse(f"{picture_path}: no face was found; {MENDED}")
                continue
            if len(faces) > 1 and not arguments.largest:
                pictures.refuse(f"{picture_path} shows {len(faces)} faces; cut out the one that is meant, or say --largest")
                continue
            file = picture_path.read_bytes()
            if database is None:  # which is made once there is something to put into it
                database = Database(path, reader.identity, create=True)
            before = database.enroll(
                name, main_face(faces).embedding, digest=sha256(file).hexdigest(), origin=picture_path.name,
                picture=file if arguments.keep_pictures else None,
            )  # fmt: skip
            told = f"{name} is enrolled{' already' if name in before else ''} with {shown(picture_path)}"
            if others := [shown(other) for other in before if other != name]:
                told += f", which is a picture of {' and '.join(others)} too: is that right?"
            with tqdm.external_write_mode():
                say(told)  # into the void, if need be: the others are enrolled all the same
    return pictures.exit_code


def _identify(arguments):
    must_exist(arguments.database, "database of faces")
    output = Output(arguments.form, "picture", "face", "name", "nearest", "distance", "threshold", "score", *BOX)
    pictures, nobody_known = Pictures(arguments.pictures), False
    with device(arguments.device):
        reader = FaceReader()
        gallery = Gallery.of(Database(arguments.database, reader.identity), arguments.threshold)
        if not gallery.names:
            warn(f"nobody is enrolled in {arguments.database}, so everybody is unknown")
        for path, faces in pictures.faces(reader):
            found = list(zip(faces, gallery.identify([face.embedding for face in faces]), strict=True))
            nobody_known |= not any(match.known for _, match in found)
            people = [
                _record(face) | {"name": match.name, "nearest": match.nearest, "distance": match.distance}
                for face, match in found
            ]
            rows = [
                (path, number, match.name or UNKNOWN, match.nearest, match.distance, gallery.threshold, face.score, *face.box)
                for number, (face, match) in enumerate(found, start=1)
            ]
            lines = [f"{shown(path)}: {_told(match)}" + (f", at {_place(face)}" if found[1:] else "") for face, match in found]
            output.put(
                {"picture": str(path), "threshold": gallery.threshold, "faces": people},
                rows or [(path, 0)],
                lines or [f"{shown(path)}: no face was found"],
            )
    return pictures.exit_code or int(nobody_known)


def _told(match):
    if match.known:
        return f"{shown(match.name)}, distance {match.distance:.3f}"
    if match.nearest is None:
        return UNKNOWN
    return f"{UNKNOWN}, distance {match.distance:.3f} to the nearest, {shown(match.nearest)}"


def _list(arguments):
    database = Database(arguments.database, identity=None)
    people, calibration = database.people(), database.calibration()
    output = Output(arguments.form, *Person._fields)
    for person in people:
        line = f"{shown(person.name)}: {counted(person.pictures, 'picture')}, since {person.enrolled}"
        output.put(person._asdict(), [person], [line])
    if not arguments.form:
        threshold, evidence = calibration or (THRESHOLD, {"rule": "the one that minidl comes with"})
        others = [f"{what.replace('_', ' ')} {told}" for what, told in evidence.items() if what not in ("threshold", "rule")]
        told = "; ".join([str(evidence.get("rule")), *others])
        output.put(lines=[f"{counted(len(people), 'person', 'people')}, threshold {threshold:.3f}: {shown(told)}"])
    if arguments.pictures is not None:
        _write_kept(database, arguments.pictures)


def _write_kept(database, folder):
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileError(f"{folder} is there already; name a new folder, so that nothing in it is overwritten")
    taken, folders = set(), {}
    for name, origin, file in database.pictures():
        if name not in folders:
            folders[name] = _free(folder / _file_name(name), folders.values())
            _make(folders[name])
        path = _free(folders[name] / _file_name(origin), taken)
        taken.add(path)
        with replacing(path) as beside:
            beside.write_bytes(file)
    warn(f"{counted(len(taken), 'picture')} written to {folder}" if taken else f"no pictures are kept in {database.path}")


def _remove(arguments):
    forgotten = Database(arguments.database, identity=None).remove(arguments.name)
    print(f"{shown(arguments.name)} is removed, with {counted(forgotten, 'picture')}")


def _find(arguments):
    copies = _copies(arguments.pictures, arguments.output) if arguments.output else {}
    output, pictures = Output(arguments.form, "picture", "face", "score", *BOX), Pictures(arguments.pictures)
    with device(arguments.device):
        reader = FaceReader()
        for path, faces in pictures.faces(reader, embed=False):
            record = {"picture": str(path), "faces": [_record(face, landmarks=True) for face in faces]}
            rows = [(path, number, face.score, *face.box) for number, face in enumerate(faces, start=1)] or [(path, 0)]
            lines = [f"{shown(path)}: a face at {_place(face)}, score {face.score:.2f}" for face in faces]
            lines = lines or [f"{shown(path)}: no face was found"]
            if path in copies:
                write_image(copies[path], draw_faces(read_image(path), faces))
                record["drawn"] = str(copies[path])
                lines.append(f"drawn in {shown(copies[path])}")
            output.put(record, rows, lines)
    return pictures.exit_code


def _copies(paths, folder):
    """Picture -> its copy in the folder: NAME-faces, with an ending that minidl writes, and a number where two are alike"""
    _make(folder)
    copies = {}
    for path in dict.fromkeys(paths):
        ending = path.suffix if path.suffix.lower() in WRITABLE else ".png"
        copies[path] = must_be_writable(_free(folder / f"{path.stem}-faces{ending}", copies.values()))
    must_differ({f"the copy of {path}": copy for path, copy in copies.items()}, {f"picture {path}": path for path in copies})
    return copies


# ---- words ----------------------------------------------------------------------------------------------------------


def _record(face, landmarks=False):
    record = {"box": [float(number) for number in face.box], "score": float(face.score)}
    return record | ({"landmarks": np.asarray(face.landmarks, float).tolist()} if landmarks else {})


def _place(face):
    x, y, width, height = (round(float(number)) for number in face.box)
    return f"{x},{y} ({width}x{height})"


# ---- files ----------------------------------------------------------------------------------------------------------


def _make(folder):
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"cannot make the folder {folder}: {error.strerror.lower()}; choose another") from None


def _file_name(name):
    """Somebody's or something's name as that of a file"""
    allowed = "".join("_" if c in '/\\:*?"<>|' else c for c in shown(name))
    return allowed.encode()[:150].decode(errors="ignore").strip(". ") or "_"


def _free(path, taken):
    """The path, with a number behind its name where it is taken"""
    names = (path.with_name(f"{path.stem}{'' if n == 1 else f'-{n}'}{path.suffix}") for n in count(1))
    return next(name for name in names if name not in taken)
