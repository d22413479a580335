"""`minidl classify`: what a trained network sees in pictures."""

from pathlib import Path

import numpy as np

from minidl.backend import device
from minidl.cli.options import add_device, add_tf32
from minidl.cli.output import shown, warn
from minidl.data.images import read_at_size
from minidl.errors import FileError, NonFiniteError, printable
from minidl.ops import softmax
from minidl.recipes import cifar10
from minidl.training.folder import CHECKPOINT

SIZE = 32, 32


def register(commands):
    parser = commands.add_parser(
        "classify",
        help="what a trained network sees in pictures",
        description="Name what a network that `minidl train cifar10` has trained sees: the middle square of each picture, made "
        "32x32, and the three classes that it holds for likeliest. A file that is no picture is named and passed over.",
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "model", metavar="MODEL", type=Path, help="checkpoint.h5 of a run, or its folder"
    )
    parser.add_argument("pictures", metavar="IMAGE", type=Path, nargs="+")
    add_device(parser)
    add_tf32(parser)


def run(arguments):
    path = arguments.model / CHECKPOINT if arguments.model.is_dir() else arguments.model
    model, classes, mean, std = cifar10.trained(path)
    read = list(_read(arguments.pictures))
    if read:
        with device(arguments.device, arguments.tf32) as chosen:
            logits = cifar10.scores(
                model.to(chosen.name), np.stack([square for _, square in read]), mean, std
            )
        if not np.isfinite(logits).all():
            raise NonFiniteError(
                f"{path} makes NaN or infinite numbers of pictures: it is damaged; take another checkpoint"
            )
        for (picture, _), row in zip(read, softmax(logits), strict=True):
            best = row.argsort()[::-1][:3]
            print(
                f"{shown(picture)}: "
                + ", ".join(f"{printable(classes[i], 80)} {row[i]:.1%}" for i in best)
            )
    return 0 if len(read) == len(arguments.pictures) else 2


def _read(paths):
    """(path, its square) of each that can be read; of the others is said why not"""
    for path in paths:
        try:
            yield path, read_at_size(path, SIZE)
        except FileError as error:
            warn(error)
