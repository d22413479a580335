"""`minidl classify`: what a trained network sees in pictures."""

from pathlib import Path

import numpy as np

from minidl.backend import device
from minidl.cli.options import add_device, add_tf32
from minidl.data import read_image, resize
from minidl.errors import printable
from minidl.files import must_exist
from minidl.ops import softmax
from minidl.training import cifar10
from minidl.training.loop import CHECKPOINT

SIDE = 32


def register(commands):
    parser = commands.add_parser(
        "classify",
        help="what a trained network sees in pictures",
        description="Name what a network that `minidl train cifar10` has trained sees: the middle square of each picture, made "
        "32x32, and the three classes that it holds for likeliest.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("model", metavar="MODEL", type=Path, help="checkpoint.h5 of a run, or its folder")
    parser.add_argument("pictures", metavar="IMAGE", type=Path, nargs="+")
    add_device(parser)
    add_tf32(parser)


def run(arguments):
    for path in arguments.pictures:
        must_exist(path, "picture")
    path = arguments.model / CHECKPOINT if arguments.model.is_dir() else arguments.model
    model, classes, mean, std = cifar10.trained(path)
    with device(arguments.device, arguments.tf32) as chosen:
        squares = np.stack([_square(read_image(picture)) for picture in arguments.pictures])
        probabilities = softmax(cifar10.scores(model.to(chosen.name), squares, mean, std))
    for picture, row in zip(arguments.pictures, probabilities, strict=True):
        best = row.argsort()[::-1][:3]
        print(f"{picture}: " + ", ".join(f"{printable(str(classes[i]), 80)} {row[i]:.1%}" for i in best))


def _square(picture):
    """The middle square, made SIDE x SIDE"""
    height, width, _ = picture.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return resize(picture[top : top + side, left : left + side], SIDE, SIDE)
