"""`minidl classify`: the most likely classes of pictures, by a trained network."""

from pathlib import Path

import numpy as np

from minidl.backend import device
from minidl.cli.options import add_device, add_tf32
from minidl.cli.output import shown, warn
from minidl.data.images import read_at_size
from minidl.errors import FileError, NonFiniteError, printable
from minidl.ops import softmax
from minidl.recipes import cifar10
from minidl.training.folder import network_file

SIZE = 32, 32


def register(commands):
    parser = commands.add_parser(
        "classify",
        help="classify pictures with a trained network",
        description="Print the three most likely classes of each picture, by a network that "
        "`minidl train cifar10` has trained. The network sees the central square of the picture, "
        "resized to 32x32. A file that is not a picture is reported and skipped; the exit code is "
        "then 2.",
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "model",
        metavar="MODEL",
        type=Path,
        help="folder of a training run, of which the best network is used (best.h5, or "
        "checkpoint.h5 if there is none), or one of these files",
    )
    parser.add_argument(
        "pictures", metavar="PICTURE", type=Path, nargs="+", help="pictures to classify"
    )
    add_device(parser)
    add_tf32(parser)


def run(arguments):
    path = network_file(arguments.model)
    model, classes, mean, std = cifar10.trained(path)
    squares = list(_read(arguments.pictures))
    if squares:
        with device(arguments.device, arguments.tf32) as chosen:
            batch = np.stack([square for _, square in squares])
            logits = cifar10.scores(model.to(chosen.name), batch, mean, std)
        if not np.isfinite(logits).all():
            raise NonFiniteError(
                f"{path} gives NaN or infinite scores: it is damaged; use another checkpoint"
            )
        for (picture, _), row in zip(squares, softmax(logits), strict=True):
            best = row.argsort()[::-1][:3]
            answers = [f"{printable(classes[i], 80)} {row[i]:.1%}" for i in best]
            print(f"{shown(picture)}: {', '.join(answers)}")
    return 0 if len(squares) == len(arguments.pictures) else 2


def _read(paths):
    """Yield the path and the square of each picture, and warn of a file that cannot be read."""
    for path in paths:
        try:
            yield path, read_at_size(path, SIZE)
        except FileError as error:
            warn(error)
