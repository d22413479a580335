"""`minidl faces compare`: are these one person?"""

from pathlib import Path

from minidl.backend import device
from minidl.cli.faces.options import add_action, add_forms, add_threshold
from minidl.cli.faces.pictures import MENDED, place, record, warn_of_doubt
from minidl.cli.options import add_device
from minidl.cli.output import Output, shown
from minidl.errors import MinidlError
from minidl.faces import FaceReader, between, certain, nearest_pair, read_faces
from minidl.files import must_exist


def register(actions):
    action = add_action(
        actions, "compare", run, "tell whether two pictures show the same person",
        "With several faces in a picture, the nearest pair is compared, and a line names it. Boxes with a low score may show "
        "no face and are compared only where the picture has no other.",
        "Exit code 0: the same; 1: different people; 2: there is nothing to compare.",
    )  # fmt: skip
    action.add_argument("a", metavar="A", type=Path)
    action.add_argument("b", metavar="B", type=Path)
    add_threshold(action)
    add_forms(action, "json")
    add_device(action)


def run(arguments):
    paths = [must_exist(path, "picture") for path in (arguments.a, arguments.b)]
    with device(arguments.device):
        reader = FaceReader()
        found = [read_faces(path, reader) for path in paths]
    if empty := [str(path) for path, faces in zip(paths, found, strict=True) if not faces]:
        raise MinidlError(f"no face was found in {' and in '.join(empty)}; {MENDED}")
    chosen = [certain(faces) for faces in found]
    compared = nearest_pair(*chosen)
    for path, face in zip(paths, compared, strict=True):
        warn_of_doubt(path, face)
    distance, threshold = between(*(face.embedding for face in compared)), arguments.threshold
    same, margin, counts = (
        distance <= threshold,
        threshold - distance,
        [len(faces) for faces in found],
    )
    lines = [
        _choice_in_words(path, faces, len(faces) - len(certain_faces), face)
        for path, faces, certain_faces, face in zip(paths, found, chosen, compared, strict=True)
        if len(faces) > 1
    ]
    verdict, side = ("the same person", "within") if same else ("different people", "beyond")
    lines.append(
        f"{verdict}: distance {distance:.3f}, {abs(margin):.3f} {side} the threshold of {threshold:.3f}"
    )
    result = {"same": same, "distance": distance, "threshold": threshold, "margin": margin}
    result |= {
        "pictures": list(map(str, paths)),
        "faces_found": counts,
        "scores": [face.score for face in compared],
    }
    result |= {"boxes": [record(face)["box"] for face in compared]}
    Output(arguments.form).put(result, lines=lines)
    return 0 if same else 1


def _choice_in_words(path, faces, left_out, face):
    """A line that names which of several faces of a picture is compared"""
    without = f" without {left_out} of low score" if left_out else ""
    return f"{shown(path)} shows {len(faces)} faces; the nearest pair{without} is compared, here the face at {place(face)}"
