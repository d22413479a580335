"""`minidl faces find`: the boxes of the faces in pictures."""

from pathlib import Path

from minidl.backend import device
from minidl.cli.faces.copies import Copies
from minidl.cli.faces.options import (
    SKIPS,
    add_action,
    add_forms,
    add_looking,
    add_pictures,
    looking,
)
from minidl.cli.faces.pictures import BOX, CHANGES, changes, no_face_in, place, record
from minidl.cli.faces.sequences import Sequences, add_every, clock
from minidl.cli.options import add_device
from minidl.cli.output import Output, counted, shown
from minidl.data.images import read_image
from minidl.errors import FileError
from minidl.faces import FaceReader
from minidl.faces.portraits import scaled

COLUMNS = ("picture", "face", "score", *BOX, *CHANGES, "frame", "time")


def register(actions):
    action = add_action(
        actions,
        "find",
        run,
        "find the faces in pictures and videos",
        "Print a box for each face: x, y, width, height in pixels. The frames of videos (with the "
        "extra `video`) and animated pictures are looked at one by one; those with a face are "
        "printed, with their times.",
        SKIPS,
    )
    add_pictures(action)
    action.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="write copies of the pictures with boxes and landmarks to this folder, and of the "
        "frames with a face",
    )
    add_every(action)
    add_looking(action)
    add_forms(action, "json", "csv")
    add_device(action)


def run(arguments):
    output = Output(arguments.form, *COLUMNS)
    pictures = Sequences(arguments.pictures, arguments.every, **looking(arguments))
    copies = Copies(pictures.paths, arguments.output) if arguments.output else None
    with device(arguments.device):
        reader = FaceReader()
        for path, faces, file, frames in pictures.shown(reader, embed=False):
            if frames is None:
                _put_still(output, path, faces, file, copies, pictures)
            else:
                _put_frames(output, path, frames, copies, pictures)
    return pictures.exit_code


def _put_still(output, path, faces, file, copies, pictures):
    result = {"picture": str(path), "faces": [record(face, landmarks=True) for face in faces]}
    lines = [f"{shown(path)}: {_in_words(face)}" for face in faces] or [no_face_in(path)]
    if copies:
        try:
            copy = copies.draw(path, read_image(path, file=file), faces)
        except FileError as error:
            pictures.refuse(error)
        else:
            result["drawn"] = str(copy)
            lines.append(f"drawn in {shown(copy)}")
    output.put(result, _rows(path, faces) or [(path, 0)], lines)


def _put_frames(output, path, frames, copies, pictures):
    count = with_face = 0
    for frame, faces in frames:
        count, with_face = count + 1, with_face + bool(faces)
        moment = frame.number, frame.seconds
        result = {"picture": str(path), "frame": frame.number, "time": frame.seconds}
        result["faces"] = [record(face, landmarks=True) for face in faces]
        lines = [f"{shown(path)} at {clock(frame.seconds)}: {_in_words(face)}" for face in faces]
        if copies and faces:
            try:
                copy = copies.draw(path, frame.pixels, _as_shown(frame, faces), frame.number)
            except FileError as error:
                pictures.refuse(error)
            else:
                result["drawn"] = str(copy)
                lines.append(f"drawn in {shown(copy)}")
        output.put(result, _rows(path, faces, *moment), lines)
    line = f"{shown(path)}: a face was found in {with_face:,} of {counted(count, 'frame')}"
    output.put({"picture": str(path), "frames": count, "with_face": with_face}, [], [line])


def _as_shown(frame, faces):
    """Return faces with their places in the pixels of a frame, which may be reduced."""
    return [scaled(face, 1 / frame.scale) for face in faces]


def _in_words(face):
    return f"a face at {place(face)}, score {face.score:.2f}{changes(face)}"


def _rows(path, faces, *moment):
    return [
        (path, number, face.score, *face.box, face.turned, face.stretched, *moment)
        for number, face in enumerate(faces, start=1)
    ]
