"""`minidl classify`: the most likely classes of pictures, signals or volumes, by a network."""

import argparse
from pathlib import Path

from minidl.backend import device
from minidl.cli.faces.pictures import warn_of_others
from minidl.cli.faces.watching import watched
from minidl.cli.options import add_device, add_tf32
from minidl.cli.output import Output, warn
from minidl.data.folders import files_within
from minidl.errors import FileError, printable
from minidl.recipes import faces, siamese
from minidl.visualize.classifying import Classified, Classifier
from minidl.visualize.opening import kind_of, open_network

EMBEDDINGS = (faces.NETWORK, siamese.NETWORK)  # networks whose outputs are no classes


def register(commands):
    parser = commands.add_parser(
        "classify",
        help="classify pictures, signals or volumes with a trained network",
        description="Print the most likely classes of each example. A network sees the central "
        "part of a picture, resized to the size of its training pictures. A file that cannot be "
        "read is reported and skipped; the exit code is then 2.",
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "model",
        metavar="MODEL",
        type=Path,
        help="folder of a training run, of which the best network is used (best.h5, or "
        "checkpoint.h5 if there is none); one of these files; a file of "
        "minidl.training.save_model; or a file of VGG19's weights with its dense layers",
    )
    parser.add_argument(
        "examples",
        metavar="PICTURE",
        type=Path,
        nargs="+",
        help="picture; folder, which stands for all pictures in it and its subfolders; or .npy or "
        ".npz file of one example or of several, in particular of signals (L, C) and volumes "
        "(D, H, W, C)",
    )
    parser.add_argument(
        "--top",
        type=_at_least_1,
        default=3,
        metavar="K",
        help="number of classes to print for each example, the likeliest first (default: 3)",
    )
    parser.add_argument(
        "--json",
        dest="form",
        action="store_const",
        const="json",
        help="print JSON, one object per line: the file, which of its examples it is, and the "
        "number, name, score and probability of the classes",
    )
    add_device(parser)
    add_tf32(parser)


def run(arguments):
    output, code = Output(arguments.form), 0
    with device(arguments.device, arguments.tf32):
        classifier = _opened(arguments.model)
        paths = _files(arguments.examples)
        for found in classifier.classify(watched(paths)):
            if isinstance(found, Classified):
                _put(output, classifier, found, arguments.top)
            else:
                warn(found)
                code = 2
    return code if paths else 2


def _opened(path):
    kind = kind_of(path)
    if kind in EMBEDDINGS:
        raise FileError(
            f"{path} holds a network {kind!r}, which embeds examples and has no classes; name a "
            "network that classifies"
        )
    return Classifier(open_network(path))


def _files(paths):
    """Return the files that the paths stand for. Warn of the other files in folders."""
    files = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        pictures, others = files_within(path)
        warn_of_others(path, others)
        if not pictures:
            warn(f"{path} has no pictures; name another folder")
        files += pictures
    return files


def _put(output, classifier, found, top):
    numbers = (-found.scores).argsort(kind="stable")[:top].tolist()
    classes = [
        {
            "number": number,
            "class": classifier.classes[number],
            "score": float(found.scores[number]),
            "probability": float(found.probabilities[number]),
        }
        for number in numbers
    ]
    path, place = found.example.path, found.example.place
    answers = [f"{printable(each['class'], 80)} {each['probability']:.1%}" for each in classes]
    output.put(
        {"file": str(path), "example": place or None, "classes": classes},
        lines=[f"{printable(f'{path}{place}')}: {', '.join(answers)}"],
    )


def _at_least_1(text):
    if not (text.isdecimal() and int(text) >= 1):
        raise argparse.ArgumentTypeError(f"found {text!r}; wanted a whole number of at least 1")
    return int(text)
