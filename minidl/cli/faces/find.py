"""`minidl faces find`: where the faces are."""

from pathlib import Path

from minidl.backend import device
from minidl.cli.faces.names import file_name, free
from minidl.cli.faces.options import OTHERS_GO_ON, add_action, add_forms, add_pictures
from minidl.cli.faces.pictures import BOX, Pictures, no_face_in, place, record
from minidl.cli.options import add_device
from minidl.cli.output import Output, shown
from minidl.data.images import WRITABLE, read_image, read_metadata, within_memory, write_image
from minidl.errors import FileError
from minidl.faces import FaceReader, draw_faces
from minidl.files import PRIVATE_FOLDER, make_folder, must_be_writable, must_differ

# the metadata of what is written here: the name of the picture
DRAWN = "faces drawn into a copy of"


def register(actions):
    action = add_action(
        actions,
        "find",
        run,
        "find the faces in pictures",
        "Boxes are x, y, width, height in pixels.",
        OTHERS_GO_ON,
    )
    add_pictures(action)
    action.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="write copies to it, boxes and landmarks drawn in",
    )
    add_forms(action, "json", "csv")
    add_device(action)


def run(arguments):
    copies = _copies(arguments.pictures, arguments.output) if arguments.output else {}
    output, pictures = (
        Output(arguments.form, "picture", "face", "score", *BOX),
        Pictures(arguments.pictures),
    )
    with device(arguments.device):
        reader = FaceReader()
        for path, faces, file in pictures.faces(reader, embed=False):
            told = {"picture": str(path), "faces": [record(face, landmarks=True) for face in faces]}
            rows = [
                (path, number, face.score, *face.box) for number, face in enumerate(faces, start=1)
            ] or [(path, 0)]
            lines = [
                f"{shown(path)}: a face at {place(face)}, score {face.score:.2f}" for face in faces
            ] or [no_face_in(path)]
            if path in copies:
                try:
                    with within_memory(path):
                        write_image(
                            copies[path],
                            draw_faces(read_image(path, file=file), faces),
                            {DRAWN: path.name},
                        )
                except FileError as error:
                    pictures.refuse(error)
                else:
                    told["drawn"] = str(copies[path])
                    lines.append(f"drawn in {shown(copies[path])}")
            output.put(told, rows, lines)
    return pictures.exit_code


def _copies(paths, folder):
    """Picture -> its copy in the folder: NAME-faces, with an ending that minidl writes, and a
    number where two are alike"""
    make_folder(folder, PRIVATE_FOLDER)
    copies = {}
    for path in dict.fromkeys(paths):
        ending = path.suffix if path.suffix.lower() in WRITABLE else ".png"
        copies[path] = must_be_writable(
            free(folder / f"{file_name(path.stem)}-faces{ending}", copies.values())
        )
    must_differ(
        {f"the copy of {path}": copy for path, copy in copies.items()},
        {f"picture {path}": path for path in copies},
    )
    for copy in copies.values():
        if copy.exists() and not _is_drawn(copy):
            raise FileError(
                f"{copy} is there already and was not drawn by minidl; name another folder, so that it stays"
            )
    return copies


def _is_drawn(path):
    try:
        told = read_metadata(path)
    except FileError:
        return False
    return isinstance(told, dict) and DRAWN in told
