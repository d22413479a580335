"""`minidl faces cluster`: groups of faces without names."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from minidl.backend import device
from minidl.cli.faces.grouped import must_be_new, write_groups
from minidl.cli.faces.options import (
    SKIPS,
    add_action,
    add_cache,
    add_forms,
    add_looking,
    add_network,
    add_pictures,
    add_threshold,
    cache_of,
    looking,
    reader_of,
    threshold_of,
)
from minidl.cli.faces.pictures import Pictures, record
from minidl.cli.options import add_device
from minidl.cli.output import Output, counted, shown, warn
from minidl.errors import MinidlError, listed
from minidl.faces import Face, group_faces
from minidl.faces.portraits import DOUBTFUL
from minidl.interruption import STOPPED

COLUMNS = ("group", "picture", "face", "score", "x", "y", "width", "height")


class Found(NamedTuple):
    """A face of a picture. number: of the face in the picture, from 1. others: of the picture."""

    path: Path
    number: int
    face: Face
    others: list[Face]


def register(actions):
    action = add_action(
        actions,
        "cluster",
        run,
        "group the faces of pictures without names by person",
        "Join the faces that are nearest to each other into groups, while their root mean square "
        "distance is at most the threshold (average linkage). Two faces of one picture are never "
        "in one group. Faces with a low score are left out.",
        "With -o OUT, each face is cut out and written to OUT/people/person-N/, or to OUT/single "
        "if it is in no group. Rename the folders in OUT/people to the names of the people, and "
        "`minidl faces enroll DB OUT/people` enrolls them. OUT/sheet-N.jpg shows all groups, and "
        "OUT/groups.json lists them. The pictures themselves stay as they are.",
        SKIPS,
    )
    add_pictures(action)
    action.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="OUT",
        help="new folder for the faces by group, readable by you only",
    )
    add_threshold(action)
    add_cache(action)
    add_network(action)
    add_looking(action)
    add_forms(action, "json", "csv")
    add_device(action)


def run(arguments):
    if arguments.output is not None:
        must_be_new(arguments.output)
    pictures = Pictures(arguments.pictures, cache_of(arguments), **looking(arguments))
    found, left_out, done = [], 0, 0
    with device(arguments.device):
        reader = reader_of(arguments)
        try:
            for path, faces, _ in pictures.faces(reader):
                done += 1
                sure = [face for face in faces if face.score >= DOUBTFUL]
                left_out += len(faces) - len(sure)
                found += [
                    Found(path, faces.index(face) + 1, face, [one for one in faces if one != face])
                    for face in sure
                ]
        except KeyboardInterrupt:
            again = "" if arguments.no_cache else "; the same command continues from there"
            count = counted(len(pictures.paths), "picture")
            warn(f"stopped after {done:,} of {count}{again}")
            return STOPPED
    if not found:
        raise MinidlError("no face was found in any of the pictures; name others")
    threshold = threshold_of(arguments, reader)
    groups, single = _groups(found, threshold)
    output = Output(arguments.form, *COLUMNS)
    _put(output, groups, single, left_out, threshold)
    if arguments.output is not None:
        write_groups(arguments.output, groups, single, _record(groups, single, threshold))
        if not arguments.form:
            people = arguments.output / "people"
            output.put(
                lines=[
                    f"rename the folders in {shown(people)} to the names of the people; then "
                    f"`minidl faces enroll people.db {shown(people)}` enrolls them"
                ]
            )
    return pictures.exit_code


def _groups(found, threshold):
    """Return {name: faces} of the groups with two faces or more, and the other faces."""
    paths = {face.path: None for face in found}
    numbers = {path: number for number, path in enumerate(paths)}
    embeddings = np.stack([one.face.embedding for one in found])
    indices = group_faces(embeddings, threshold, [numbers[one.path] for one in found])
    several = [[found[index] for index in group] for group in indices if len(group) > 1]
    digits = max(2, len(str(len(several))))
    groups = {f"person-{number:0{digits}}": group for number, group in enumerate(several, start=1)}
    return groups, [found[index] for group in indices if len(group) == 1 for index in group]


def _put(output, groups, single, left_out, threshold):
    rows = [
        (name, one.path, one.number, one.face.score, *one.face.box)
        for name, group in [*groups.items(), ("", single)]
        for one in group
    ]
    lines = []
    for name, group in groups.items():
        names = listed([one.path.name for one in group], most=3)
        lines.append(f"{name}: {counted(len(group), 'face')}, in {names}")
    lines.append(f"{counted(len(single), 'face')} in no group")
    if left_out:
        lines.append(f"{counted(left_out, 'face')} of low score left out")
    output.put(_record(groups, single, threshold), rows, lines)


def _record(groups, single, threshold):
    """Return the groups as a dict for JSON."""
    return {
        "threshold": threshold,
        "groups": [
            {"name": name, "faces": list(map(_fields, group))} for name, group in groups.items()
        ],
        "single": list(map(_fields, single)),
    }


def _fields(found):
    return {"picture": str(found.path), "face": found.number} | record(found.face)
