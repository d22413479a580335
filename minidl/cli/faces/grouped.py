"""The folder that `minidl faces cluster` writes: the faces of each group, and pictures of all."""

import json
from itertools import groupby

from minidl.cli.faces.pictures import file_name, free
from minidl.cli.faces.watching import watched
from minidl.data.images import read_image, within_memory, write_image
from minidl.errors import FileError
from minidl.faces.cutting import cut_out
from minidl.faces.portraits import read_reduced, scaled
from minidl.files import PRIVATE_FILE, PRIVATE_FOLDER, make_folder, replacing
from minidl.grids import grid

SIDE = 112  # pixels of a face on a sheet
FACES, PEOPLE = 8, 20  # on a sheet: of a person, and people


def must_be_new(folder):
    """Raise FileError if the folder exists and is not empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileError(
            f"{folder} exists already; name a new folder, so that nothing is overwritten"
        )


def write_groups(folder, groups, single, record):
    """Write the faces of groups {name: faces} and the single faces to a new folder, readable by its
    owner only, with sheets of all groups and the record of them. The file groups.json is last."""
    make_folder(folder, PRIVATE_FOLDER)
    places: dict = {}  # {path of a file: the face in it}
    for name, faces in [*groups.items(), ("", single)]:
        place = folder / "people" / name if name else folder / "single"
        if faces:
            make_folder(place.parent, PRIVATE_FOLDER)
            make_folder(place, PRIVATE_FOLDER)
        for face in faces:
            wanted = place / f"{file_name(face.path.stem)}-{face.number}.jpg"
            places[free(wanted, places)] = face
    _write_faces(places)
    _write_sheets(folder, groups, places)
    with replacing(folder / "groups.json") as temporary:
        temporary.chmod(PRIVATE_FILE)
        temporary.write_text(json.dumps(record), encoding="utf-8")


def _write_faces(places):
    """Cut the faces out and write them. Each picture is read once."""
    ordered = sorted(places.items(), key=lambda item: str(item[1].path))
    by_picture = {path: list(items) for path, items in groupby(ordered, lambda i: i[1].path)}
    for path in watched(list(by_picture)):
        picture, scale = read_reduced(path)
        for place, found in by_picture[path]:
            face, *others = (scaled(face, 1 / scale) for face in (found.face, *found.others))
            with within_memory(path):
                part = cut_out(picture, face, others)
            write_image(place, part)


def _write_sheets(folder, groups, places):
    files = {group: list(paths) for group, paths in groupby(places, lambda path: path.parent)}
    names = list(groups)
    for number, begin in enumerate(range(0, len(names), PEOPLE), start=1):
        shown = names[begin : begin + PEOPLE]
        first = (files[folder / "people" / name][:FACES] for name in shown)
        rows = [[read_image(file, SIDE) for file in some] for some in first]
        labels = [f"{name}\n{len(groups[name])} faces" for name in shown]
        sheet = folder / f"sheet-{number}.jpg"
        write_image(sheet, grid(rows, labels=labels, side=1))
        sheet.chmod(PRIVATE_FILE)
