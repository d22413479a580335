"""`minidl classify`: what a trained network sees in pictures."""

import json
from pathlib import Path

import numpy as np

from minidl.backend import device
from minidl.cli.options import add_device, add_tf32
from minidl.data import read_image, resize
from minidl.errors import FileError
from minidl.files import must_exist
from minidl.models.vgg19_bn import vgg19_bn
from minidl.ops import softmax
from minidl.training import cifar10, load
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
    state = load(path)
    settings = json.loads(state["settings"])
    if settings.get("network") != "vgg19_bn":
        raise FileError(
            f"{path} holds a {settings.get('network')} network, which names no classes; wanted one of `train cifar10`"
        )
    with device(arguments.device, arguments.tf32) as chosen:
        model = vgg19_bn(settings["head"], settings["width"], settings["keep"]).restore(state["model"]).to(chosen.name)
        squares = np.stack([_square(read_image(picture)) for picture in arguments.pictures])
        probabilities = softmax(cifar10.scores(model, squares))
    for picture, row in zip(arguments.pictures, probabilities, strict=True):
        best = row.argsort()[::-1][:3]
        print(f"{picture}: " + ", ".join(f"{settings['classes'][i]} {row[i]:.1%}" for i in best))


def _square(picture):
    """The middle square, made SIDE x SIDE"""
    height, width, _ = picture.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return resize(picture[top : top + side, left : left + side], SIDE, SIDE)
