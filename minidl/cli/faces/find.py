"""`minidl faces find`: the boxes of the faces in pictures."""

from pathlib import Path

from minidl.backend import device
from minidl.cli.faces.options import (
    SKIPS,
    add_action,
    add_forms,
    add_looking,
    add_pictures,
    looking,
)
from minidl.cli.faces.pictures import (
    BOX,
    CHANGES,
    Pictures,
    changes,
    file_name,
    free,
    no_face_in,
    place,
    record,
)
from minidl.cli.options import add_device
from minidl.cli.output import Output, shown
from minidl.data.images import WRITABLE, read_image, read_metadata, within_memory, write_image
from minidl.errors import FileError
from minidl.faces import FaceReader, draw_faces
from minidl.files import PRIVATE_FOLDER, make_folder, must_be_writable, must_differ

# key of the metadata in the pictures that this action writes; the value is the original's name
DRAWN = "faces drawn into a copy of"


def register(actions):
    action = add_action(
        actions,
        "find",
        run,
        "find the faces in pictures",
        "Print a box for each face: x, y, width, height in pixels.",
        SKIPS,
    )
    add_pictures(action)
    action.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="write copies of the pictures with boxes and landmarks to this folder",
    )
    add_looking(action)
    add_forms(action, "json", "csv")
    add_device(action)


def run(arguments):
    output = Output(arguments.form, "picture", "face", "score", *BOX, *CHANGES)
    pictures = Pictures(arguments.pictures, **looking(arguments))
    copies = _copies(pictures.paths, arguments.output) if arguments.output else {}
    with device(arguments.device):
        reader = FaceReader()
        for path, faces, file in pictures.faces(reader, embed=False):
            result = {
                "picture": str(path),
                "faces": [record(face, landmarks=True) for face in faces],
            }
            rows = [
                (path, number, face.score, *face.box, face.turned, face.stretched)
                for number, face in enumerate(faces, start=1)
            ]
            lines = [
                f"{shown(path)}: a face at {place(face)}, score {face.score:.2f}{changes(face)}"
                for face in faces
            ] or [no_face_in(path)]
            if path in copies:
                try:
                    with within_memory(path):
                        drawing = draw_faces(read_image(path, file=file), faces)
                        write_image(copies[path], drawing, {DRAWN: path.name})
                except FileError as error:
                    pictures.refuse(error)
                else:
                    result["drawn"] = str(copies[path])
                    lines.append(f"drawn in {shown(copies[path])}")
            output.put(result, rows or [(path, 0)], lines)
    return pictures.exit_code


def _copies(paths, folder):
    """Return {picture: its copy in the folder}.

    A copy is called NAME-faces, in a format that minidl writes, with a number if another copy has
    that name.
    """
    make_folder(folder, PRIVATE_FOLDER)
    copies: dict[Path, Path] = {}
    for path in dict.fromkeys(paths):
        suffix = path.suffix if path.suffix.lower() in WRITABLE else ".png"
        copy = free(folder / f"{file_name(path.stem)}-faces{suffix}", copies.values())
        copies[path] = must_be_writable(copy)
    must_differ(
        {f"the copy of {path}": copy for path, copy in copies.items()},
        {f"picture {path}": path for path in copies},
    )
    for copy in copies.values():
        if copy.exists() and not _is_drawn(copy):
            raise FileError(
                f"{copy} exists already and was not drawn by minidl; name another folder, so that "
                "it is not overwritten"
            )
    return copies


def _is_drawn(path):
    """Return whether this action wrote the file."""
    try:
        metadata = read_metadata(path)
    except FileError:
        return False
    return isinstance(metadata, dict) and DRAWN in metadata
