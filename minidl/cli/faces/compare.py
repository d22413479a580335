"""`minidl faces compare`: whether two pictures show the same person."""

from pathlib import Path

from minidl.backend import device
from minidl.cli.faces.options import add_action, add_forms, add_threshold
from minidl.cli.faces.pictures import ADVICE, place, record, warn_of_doubt
from minidl.cli.options import add_device
from minidl.cli.output import Output, shown
from minidl.errors import MinidlError
from minidl.faces import FaceReader, between, certain, nearest_pair, read_faces
from minidl.files import must_exist


def register(actions):
    action = add_action(
        actions,
        "compare",
        run,
        "decide whether two pictures show the same person",
        "If a picture shows several faces, the pair with the smallest distance is compared. Boxes "
        "with a low score are compared only if the picture has no others.",
        "exit codes:\n  0  the same person\n  1  different people\n  2  nothing to compare",
    )
    action.add_argument("a", metavar="A", type=Path, help="first picture file")
    action.add_argument("b", metavar="B", type=Path, help="second picture file")
    add_threshold(action)
    add_forms(action, "json")
    add_device(action)


def run(arguments):
    paths = [must_exist(path, "picture") for path in (arguments.a, arguments.b)]
    with device(arguments.device):
        reader = FaceReader()
        faces_of = [read_faces(path, reader) for path in paths]
    if empty := [str(path) for path, faces in zip(paths, faces_of, strict=True) if not faces]:
        raise MinidlError(f"no face was found in {' and in '.join(empty)}; {ADVICE}")
    certain_of = [certain(faces) for faces in faces_of]
    pair = nearest_pair(*certain_of)
    for path, face in zip(paths, pair, strict=True):
        warn_of_doubt(path, face)
    distance, threshold = between(*(face.embedding for face in pair)), arguments.threshold
    same, margin = distance <= threshold, threshold - distance
    lines = [
        _choice_in_words(path, len(faces), len(faces) - len(certain_faces), face)
        for path, faces, certain_faces, face in zip(paths, faces_of, certain_of, pair, strict=True)
        if len(faces) > 1
    ]
    verdict, side = ("the same person", "within") if same else ("different people", "beyond")
    lines.append(
        f"{verdict}: distance {distance:.3f}, {abs(margin):.3f} {side} the threshold of "
        f"{threshold:.3f}"
    )
    result = {
        "same": same,
        "distance": distance,
        "threshold": threshold,
        "margin": margin,
        "pictures": list(map(str, paths)),
        "faces_found": list(map(len, faces_of)),
        "scores": [face.score for face in pair],
        "boxes": [record(face)["box"] for face in pair],
    }
    Output(arguments.form).put(result, lines=lines)
    return 0 if same else 1


def _choice_in_words(path, count, left_out, face):
    """Return a line that names which of several faces of a picture is compared."""
    without = f" without {left_out} of low score" if left_out else ""
    return (
        f"{shown(path)} shows {count} faces; the nearest pair{without} is compared, here the face "
        f"at {place(face)}"
    )
