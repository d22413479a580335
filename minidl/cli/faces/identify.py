"""`minidl faces identify`: the names of the faces in pictures."""

from minidl.backend import device
from minidl.cli.faces.options import (
    add_action,
    add_database,
    add_forms,
    add_looking,
    add_network,
    add_pictures,
    distance,
    looking,
    reader_of,
)
from minidl.cli.faces.pictures import BOX, CHANGES, Pictures, changes, no_face_in, place, record
from minidl.cli.options import add_device
from minidl.cli.output import Output, shown, warn
from minidl.faces import Database, Gallery
from minidl.faces.names import UNKNOWN
from minidl.files import must_exist

COLUMNS = (
    *("picture", "face", "name", "nearest", "distance", "threshold", "score", *BOX, *CHANGES),
    *("second", "second_distance", "close"),
)


def register(actions):
    action = add_action(
        actions,
        "identify",
        run,
        "name every face in pictures, from a database",
        "Each face gets the name of the nearest enrolled person, or is unknown if that person is "
        "beyond the threshold. A second person who is nearly as near is named too.",
        "exit codes:\n"
        "  0  every picture shows an enrolled person\n"
        "  1  at least one picture shows no enrolled person\n"
        "  2  a picture could not be used; the others are still processed",
    )
    add_database(action)
    add_pictures(action)
    action.add_argument(
        "--threshold",
        type=distance,
        metavar="DISTANCE",
        help="largest distance between faces of the same person (default: that of the database)",
    )
    add_network(action)
    add_looking(action)
    add_forms(action, "json", "csv")
    add_device(action)


def run(arguments):
    must_exist(arguments.database, "database of faces")
    output = Output(arguments.form, *COLUMNS)
    pictures, has_unknown_picture = Pictures(arguments.pictures, **looking(arguments)), False
    with device(arguments.device):
        reader = reader_of(arguments)
        gallery = Gallery.of(Database.of(reader, arguments.database), arguments.threshold)
        if not gallery.names:
            warn(f"nobody is enrolled in {arguments.database}, so every face is unknown")
        for path, faces, _ in pictures.faces(reader):
            matches = gallery.identify([face.embedding for face in faces])
            has_unknown_picture |= not any(match.known for match in matches)
            _put(output, path, faces, matches, gallery.threshold)
    return pictures.exit_code or int(has_unknown_picture)


def _put(output, path, faces, matches, threshold):
    records, rows, lines = [], [], []
    for number, (face, match) in enumerate(zip(faces, matches, strict=True), start=1):
        records.append(record(face) | {"name": match.name} | _fields(match))
        name = match.name or UNKNOWN
        measures = match.distance, threshold, face.score
        more = face.turned, face.stretched, match.second, match.second_distance, match.close
        rows.append((path, number, name, match.nearest, *measures, *face.box, *more))
        at = f", at {place(face)}" if len(faces) > 1 else ""
        lines.append(f"{shown(path)}: {_in_words(match)}{at}{changes(face)}")
    result = {"picture": str(path), "threshold": threshold, "faces": records}
    output.put(result, rows or [(path, 0)], lines or [no_face_in(path)])


def _fields(match):
    return {name: value for name, value in match._asdict().items() if name != "known"}


def _in_words(match):
    if match.known:
        words = f"{shown(match.name)}, distance {match.distance:.3f}"
        second = f"{shown(match.second)} is nearly as near ({match.second_distance or 0:.3f})"
        return f"{words} ({second})" if match.close else words
    if match.nearest is None:
        return UNKNOWN
    return f"{UNKNOWN}, distance {match.distance:.3f} to the nearest, {shown(match.nearest)}"
