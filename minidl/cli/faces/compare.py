"""`minidl faces compare`: whether two pictures show the same person."""

from itertools import product
from pathlib import Path
from typing import NamedTuple

from minidl.backend import device
from minidl.cli.faces.options import (
    add_action,
    add_forms,
    add_looking,
    add_network,
    add_threshold,
    looking,
    reader_of,
    threshold_of,
)
from minidl.cli.faces.pictures import ADVICE, changes, place, record, warn_of_doubt
from minidl.cli.options import add_device
from minidl.cli.output import Output, shown
from minidl.errors import MinidlError
from minidl.faces import Face, between, certain, read_faces
from minidl.files import must_exist

VERDICTS = {True: "the same person", False: "different people"}
COLUMNS = ("a", "b", "face_a", "face_b", "distance", "threshold", "same")


def register(actions):
    action = add_action(
        actions,
        "compare",
        run,
        "decide whether two pictures show the same person",
        "If a picture shows several faces, each face of A is compared with each face of B. All "
        "pairs are printed, the nearest first, and the verdict is that of the nearest pair. Boxes "
        "with a low score are compared only if the picture has no others.",
        "exit codes:\n"
        "  0  the same person: at least one pair is within the threshold\n"
        "  1  different people: no pair is within the threshold\n"
        "  2  nothing to compare",
    )
    action.add_argument("a", metavar="A", type=Path, help="first picture file")
    action.add_argument("b", metavar="B", type=Path, help="second picture file")
    add_threshold(action)
    add_network(action)
    add_looking(action)
    add_forms(action, "json", "csv")
    add_device(action)


class Comparison(NamedTuple):
    """Two pictures, and the pairs of their faces."""

    paths: list[Path]  # of both pictures
    found: list[int]  # how many faces each picture shows
    faces: list[list[Face]]  # the faces of each picture that are compared
    pairs: list[tuple[float, tuple[int, int]]]  # (distance, indices of two faces), nearest first
    threshold: float

    @property
    def nearest(self):
        """The path and the face of the nearest pair, for each picture."""
        _, pair = self.pairs[0]
        return [
            (path, faces[index])
            for path, faces, index in zip(self.paths, self.faces, pair, strict=True)
        ]

    @property
    def same(self):
        return self.pairs[0][0] <= self.threshold


def run(arguments):
    paths = [must_exist(path, "picture") for path in (arguments.a, arguments.b)]
    with device(arguments.device):
        reader = reader_of(arguments)
        faces_of = [read_faces(path, reader, **looking(arguments)) for path in paths]
    if empty := [str(path) for path, faces in zip(paths, faces_of, strict=True) if not faces]:
        raise MinidlError(f"no face was found in {' and in '.join(empty)}; {ADVICE}")
    compared = [certain(faces) for faces in faces_of]
    found = list(map(len, faces_of))
    threshold = threshold_of(arguments, reader)
    comparison = Comparison(paths, found, compared, _pairs(*compared), threshold)
    for path, face in comparison.nearest:
        warn_of_doubt(path, face)
    output = Output(arguments.form, *COLUMNS)
    output.put(_record(comparison), _rows(comparison), list(_lines(comparison)))
    return 0 if comparison.same else 1


def _pairs(faces, others):
    """Return (distance, (index of a face, index of another)) of all pairs, the nearest first."""
    indices = product(range(len(faces)), range(len(others)))
    return sorted((between(faces[a].embedding, others[b].embedding), (a, b)) for a, b in indices)


def _record(comparison):
    """Return a Comparison as a dict for JSON."""
    distance, threshold = comparison.pairs[0][0], comparison.threshold
    nearest = [face for _, face in comparison.nearest]
    return {
        "same": comparison.same,
        "distance": distance,
        "threshold": threshold,
        "margin": threshold - distance,
        "pictures": list(map(str, comparison.paths)),
        "faces_found": comparison.found,
        "scores": [face.score for face in nearest],
        "boxes": [record(face)["box"] for face in nearest],
        "faces": [[record(face) for face in faces] for faces in comparison.faces],
        "pairs": [
            {"faces": [a + 1, b + 1], "distance": apart, "same": apart <= threshold}
            for apart, (a, b) in comparison.pairs
        ],
    }


def _rows(comparison):
    threshold = comparison.threshold
    for distance, (a, b) in comparison.pairs:
        yield (*comparison.paths, a + 1, b + 1, distance, threshold, distance <= threshold)


def _lines(comparison):
    """Yield the verdict in words, and a table if there are several pairs."""
    distance, threshold = comparison.pairs[0][0], comparison.threshold
    compared = map(len, comparison.faces)
    for (path, face), found, count in zip(
        comparison.nearest, comparison.found, compared, strict=True
    ):
        if found > 1:
            yield _choice_in_words(path, found, found - count, face)
    margin, side = abs(threshold - distance), "within" if comparison.same else "beyond"
    yield (
        f"{VERDICTS[comparison.same]}: distance {distance:.3f}, {margin:.3f} {side} the threshold "
        f"of {threshold:.3f}"
    )
    for path, face in comparison.nearest:
        if changes(face):
            yield f"{shown(path)}: the face at {place(face)} was found with{changes(face)[1:]}"
    if len(comparison.pairs) > 1:
        yield "all pairs, the nearest first:"
        yield from _table(comparison)


def _table(comparison):
    """Yield a line for each pair: distance, verdict, and the places of both faces."""
    for distance, pair in comparison.pairs:
        places = [
            f"{shown(path)} at {place(faces[index])}"
            for path, faces, index in zip(comparison.paths, comparison.faces, pair, strict=True)
        ]
        verdict = VERDICTS[distance <= comparison.threshold]
        yield f"  {distance:.3f}  {verdict:16}  {'  '.join(places)}"


def _choice_in_words(path, count, left_out, face):
    """Return a line that names which of several faces of a picture is compared."""
    without = f" without {left_out} of low score" if left_out else ""
    return (
        f"{shown(path)} shows {count} faces; the nearest pair{without} is compared, here the face "
        f"at {place(face)}"
    )
