"""`minidl faces identify`: who is this?"""

from minidl.backend import device
from minidl.cli.faces.options import (
    OTHERS_GO_ON,
    add_action,
    add_database,
    add_forms,
    add_pictures,
    distance,
)
from minidl.cli.faces.pictures import BOX, Pictures, no_face_in, place, record
from minidl.cli.options import add_device
from minidl.cli.output import Output, shown, warn
from minidl.faces import Database, FaceReader, Gallery
from minidl.faces.database import UNKNOWN
from minidl.files import must_exist


def register(actions):
    action = add_action(
        actions, "identify", run, "name every face in pictures, from one database",
        "It is the nearest person who is enrolled, or unknown past the threshold. Exit code 0: every picture shows somebody "
        "known; 1: one or more show nobody known.", OTHERS_GO_ON,
    )  # fmt: skip
    add_database(action)
    add_pictures(action)
    action.add_argument(
        "--threshold", type=distance, metavar="DISTANCE", help="in the place of the database's own"
    )
    add_forms(action, "json", "csv")
    add_device(action)


def run(arguments):
    must_exist(arguments.database, "database of faces")
    output = Output(
        arguments.form, "picture", "face", "name", "nearest", "distance", "threshold", "score", *BOX
    )
    pictures, nobody_known = Pictures(arguments.pictures), False
    with device(arguments.device):
        reader = FaceReader()
        gallery = Gallery.of(Database(arguments.database, reader.identity), arguments.threshold)
        if not gallery.names:
            warn(f"nobody is enrolled in {arguments.database}, so everybody is unknown")
        for path, faces, _ in pictures.faces(reader):
            matches = gallery.identify([face.embedding for face in faces])
            nobody_known |= not any(match.known for match in matches)
            _put(output, path, list(zip(faces, matches, strict=True)), gallery.threshold)
    return pictures.exit_code or int(nobody_known)


def _put(output, path, found, threshold):
    people = [
        record(face) | {"name": match.name, "nearest": match.nearest, "distance": match.distance}
        for face, match in found
    ]
    rows = [
        (
            path,
            number,
            match.name or UNKNOWN,
            match.nearest,
            match.distance,
            threshold,
            face.score,
            *face.box,
        )
        for number, (face, match) in enumerate(found, start=1)
    ]
    lines = [
        f"{shown(path)}: {_told(match)}" + (f", at {place(face)}" if found[1:] else "")
        for face, match in found
    ]
    told = {"picture": str(path), "threshold": threshold, "faces": people}
    output.put(told, rows or [(path, 0)], lines or [no_face_in(path)])


def _told(match):
    if match.known:
        return f"{shown(match.name)}, distance {match.distance:.3f}"
    if match.nearest is None:
        return UNKNOWN
    return f"{UNKNOWN}, distance {match.distance:.3f} to the nearest, {shown(match.nearest)}"
