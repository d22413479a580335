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
from minidl.cli.faces.pictures import BOX, CHANGES, changes, no_face_in, place, record
from minidl.cli.faces.sequences import Sequences, add_every, clock
from minidl.cli.options import add_device
from minidl.cli.output import Output, counted, shown, warn
from minidl.faces import Database, Gallery
from minidl.faces.appearances import appearances
from minidl.faces.names import UNKNOWN
from minidl.files import must_exist

COLUMNS = (
    *("picture", "face", "name", "nearest", "distance", "threshold", "score", *BOX, *CHANGES),
    *("second", "second_distance", "close", "frame", "time"),
)


def register(actions):
    action = add_action(
        actions,
        "identify",
        run,
        "name every face in pictures and videos, from a database",
        "Each face gets the name of the nearest enrolled person, or is unknown if that person is "
        "beyond the threshold. A second person who is nearly as near is named too.",
        "The frames of videos (with the extra `video`) and animated pictures are looked at one by "
        "one, and the times are printed at which each person appears. JSON and CSV have the faces "
        "of each frame.",
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
    add_every(action)
    add_network(action)
    add_looking(action)
    add_forms(action, "json", "csv")
    add_device(action)


def run(arguments):
    must_exist(arguments.database, "database of faces")
    output = Output(arguments.form, *COLUMNS)
    pictures = Sequences(arguments.pictures, arguments.every, **looking(arguments))
    has_unknown_picture = False
    with device(arguments.device):
        reader = reader_of(arguments)
        gallery = Gallery.of(Database.of(reader, arguments.database), arguments.threshold)
        if not gallery.names:
            warn(f"nobody is enrolled in {arguments.database}, so every face is unknown")
        for path, faces, _, frames in pictures.shown(reader):
            if frames is None:
                names = _put_still(output, path, faces, gallery)
            else:
                names = _put_frames(output, path, frames, gallery)
            has_unknown_picture |= not any(names)
    return pictures.exit_code or int(has_unknown_picture)


def _put_still(output, path, faces, gallery):
    """Print the names of the faces in a picture, and return them."""
    matches = gallery.identify([face.embedding for face in faces])
    lines = []
    for face, match in zip(faces, matches, strict=True):
        at = f", at {place(face)}" if len(faces) > 1 else ""
        lines.append(f"{shown(path)}: {_in_words(match)}{at}{changes(face)}")
    rows = _rows(path, faces, matches, gallery.threshold) or [(path, 0)]
    output.put(_result(path, faces, matches, gallery), rows, lines or [no_face_in(path)])
    return [match.name for match in matches]


def _put_frames(output, path, frames, gallery):
    """Print the names of the faces in each frame, and when each person appears. Return the names.

    After Ctrl-C, the frames before it count.
    """
    sightings = []
    try:
        for frame, faces in frames:
            matches = gallery.identify([face.embedding for face in faces])
            sightings.append((frame.seconds, matches))
            moment = {"frame": frame.number, "time": frame.seconds}
            rows = _rows(path, faces, matches, gallery.threshold, *moment.values())
            output.put(_result(path, faces, matches, gallery) | moment, rows)
    finally:
        seen, count = appearances(sightings), counted(len(sightings), "frame")
        people = [person._asdict() for person in seen]
        lines = [f"{shown(path)}: {_times_in_words(person, count)}" for person in seen]
        lines = lines or [f"{no_face_in(path)} in {count}"]
        output.put({"picture": str(path), "frames": len(sightings), "people": people}, [], lines)
    return [person.name for person in seen]


def _times_in_words(person, count):
    spans = [
        f"at {clock(begin)}" if begin == end else f"from {clock(begin)} to {clock(end)}"
        for begin, end in person.times
    ]
    name = UNKNOWN if person.name is None else shown(person.name)
    words = f"{name} {', '.join(spans)}, in {person.frames:,} of {count}"
    return words if person.nearest is None else f"{words}, nearest distance {person.nearest:.3f}"


def _result(path, faces, matches, gallery):
    """Return the faces of a picture or frame as a dict for JSON."""
    return {
        "picture": str(path),
        "threshold": gallery.threshold,
        "faces": [
            record(face) | {"name": match.name} | _fields(match)
            for face, match in zip(faces, matches, strict=True)
        ],
    }


def _fields(match):
    return {name: value for name, value in match._asdict().items() if name != "known"}


def _rows(path, faces, matches, threshold, *moment):
    return [
        (
            *(path, number, match.name or UNKNOWN, match.nearest, match.distance, threshold),
            *(face.score, *face.box, face.turned, face.stretched),
            *(match.second, match.second_distance, match.close, *moment),
        )
        for number, (face, match) in enumerate(zip(faces, matches, strict=True), start=1)
    ]


def _in_words(match):
    if match.known:
        words = f"{shown(match.name)}, distance {match.distance:.3f}"
        if match.close:
            words += f" ({shown(match.second)} is nearly as near: {match.second_distance:.3f})"
        return words
    if match.nearest is None:
        return UNKNOWN
    return f"{UNKNOWN}, distance {match.distance:.3f} to the nearest, {shown(match.nearest)}"
