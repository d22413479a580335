"""`minidl faces embed`: the numbers of every face in pictures."""

from contextlib import redirect_stdout
from pathlib import Path

import numpy as np

from minidl.backend import device
from minidl.cli.faces.options import (
    SKIPS,
    add_action,
    add_looking,
    add_network,
    add_pictures,
    looking,
    reader_of,
)
from minidl.cli.faces.pictures import BOX, CHANGES, Pictures, no_face_in, record
from minidl.cli.options import add_device
from minidl.cli.output import Output, counted, say, shown, warn
from minidl.errors import ArgumentError
from minidl.files import must_be_writable, must_differ, replacing

FORMS = ("json", "csv", "npy")


def register(actions):
    action = add_action(
        actions,
        "embed",
        run,
        "print the numbers of every face in pictures",
        "The network computes 128 numbers from a face (or as many as that of --network). Faces of "
        "one person have similar numbers: their Euclidean distance is small.",
        "forms:\n"
        "  json  an object for each face, one per line, with the list `embedding`\n"
        "  csv   a row for each face, with the columns e1, e2, ...\n"
        "  npy   a structured array for numpy.load, whose field `embedding` is (N, 128)",
        f"Ctrl-C keeps the faces that were found before. {SKIPS}",
    )
    add_pictures(action)
    action.add_argument(
        "--format",
        choices=FORMS,
        help="form of the output (default: as the ending of FILE, else json)",
    )
    action.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="file to write (default: print)"
    )
    add_network(action)
    add_looking(action)
    add_device(action)


def run(arguments):
    form, output = _form(arguments), arguments.output
    pictures, rows = Pictures(arguments.pictures, **looking(arguments)), []
    if output is not None:
        inputs = {f"picture {path}": path for path in pictures.paths}
        must_differ({"--output": must_be_writable(output)}, inputs)
    with device(arguments.device):
        reader = reader_of(arguments)
        printed = None if output else Output(form, *_columns(reader))
        try:
            for path, faces, _ in pictures.faces(reader):
                if not faces:
                    warn(no_face_in(path))
                for row in ((path, number, face) for number, face in enumerate(faces, start=1)):
                    if printed:
                        _put(printed, row)
                    else:
                        rows.append(row)
        finally:
            if output is not None:
                _write(output, form, reader, rows)
    return pictures.exit_code


def _form(arguments):
    ending = arguments.output.suffix[1:].lower() if arguments.output else ""
    form = arguments.format or (ending if ending in FORMS else "json")
    if form == "npy" and arguments.output is None:
        raise ArgumentError("the form npy is binary; name a file for it with -o FILE.npy")
    return form


def _columns(reader):
    numbers = (f"e{number}" for number in range(1, reader.numbers + 1))
    return "picture", "face", "score", *BOX, *CHANGES, *numbers


def _put(printed, row):
    path, number, face = row
    fields = {"picture": str(path), "face": number} | record(face)
    embedding = face.embedding.tolist()
    cells = (path, number, face.score, *face.box, face.turned, face.stretched, *embedding)
    printed.put(fields | {"embedding": embedding}, [cells])


def _write(output, form, reader, rows):
    with replacing(output) as temporary:
        if form == "npy":
            with open(temporary, "wb") as file:
                np.save(file, _structured(rows, reader.numbers), allow_pickle=False)
        else:
            with open(temporary, "w", encoding="utf-8") as text, redirect_stdout(text):
                printed = Output(form, *_columns(reader))
                for row in rows:
                    _put(printed, row)
    say(f"the numbers of {counted(len(rows), 'face')} are in {shown(output)}")


def _structured(rows, numbers):
    """Return (N,) of the fields picture, face, score, box, turned, stretched and embedding."""
    longest = max((len(str(path)) for path, *_ in rows), default=1)
    fields = [
        ("picture", f"U{longest}"),
        ("face", "i4"),
        ("score", "f4"),
        ("box", "f4", (4,)),
        ("turned", "i4"),
        ("stretched", "?"),
        ("embedding", "f4", (numbers,)),
    ]
    return np.array(
        [
            (str(path), number, face.score, face.box, face.turned, face.stretched, face.embedding)
            for path, number, face in rows
        ],
        fields,
    )
