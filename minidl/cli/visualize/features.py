"""`minidl visualize features`: activation maps."""

from pathlib import Path

import numpy as np

from minidl.backend import device
from minidl.cli.lists import layer_list
from minidl.cli.options import add_list_layers
from minidl.cli.saying import say
from minidl.cli.visualize.common import (
    add_common,
    check_files,
    check_idle,
    check_numbers,
    read_example,
    record,
)
from minidl.data.images import save_image
from minidl.errors import ArgumentError, FileError
from minidl.files import must_be_writable, replacing
from minidl.visualize.features import SCALES, features, figure
from minidl.visualize.opening import open_network

SIZE = 224


def register(actions):
    parser = actions.add_parser(
        "features",
        help="activation maps: what the channels of a layer make of a picture",
        description="Activation maps as a grid, a row a layer, the channels with the largest mean |activation| first. A "
        "volume's are shown by their middle slices, a signal's as curves.",
    )
    parser.set_defaults(run=run)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "picture", metavar="PICTURE", type=Path, nargs="?",
        help="a picture; or an .npy file: of a picture (H, W, 3), RGB, 0..255, of a signal (L, C), of a volume (D, H, W, C)",
    )  # fmt: skip
    what.add_argument(
        "--example",
        metavar="N",
        type=int,
        help="of the test set of a network of signals or volumes, from 0 on",
    )
    parser.add_argument(
        "--layers", metavar="LAYER,...", type=layer_list(),
        help="such as block3_conv1, conv3_1, block3_conv1.pre (default: of each size the last layer behind a ReLU)",
    )  # fmt: skip
    add_list_layers(parser)
    parser.add_argument(
        "--channels", metavar="N", type=int, default=8, help="of each layer (default: 8)"
    )
    parser.add_argument(
        "--scale",
        choices=SCALES,
        default="map",
        help="colours: each map scaled alone, or those of a layer together (default: map)",
    )
    parser.add_argument(
        "--size",
        metavar="PIXELS",
        type=int,
        help=f"of the picture's longer side, at most (default: {SIZE})",
    )
    parser.add_argument(
        "--raw",
        metavar="FILE.npz",
        type=Path,
        help="write the layers' numbers, all channels, (H, W, C) each",
    )
    add_common(parser, "features.png")


def run(arguments):
    check_numbers(arguments, 1, "channels", "size")
    check_numbers(arguments, 0, "example")
    outputs = {}
    if arguments.raw:
        if arguments.raw.suffix != ".npz":
            raise FileError(
                f"{arguments.raw}: the numbers are written as .npz; give the name that ending"
            )
        outputs["--raw"] = must_be_writable(arguments.raw)
    check_files(arguments, **outputs)
    with device(arguments.device, arguments.tf32):
        network = open_network(arguments.model)
        name, example = _example(network, arguments)
        found, numbers = features(
            network, example, arguments.layers, arguments.channels, arguments.scale
        )
    chosen = {
        each.layer: "all" if each.channels is None else each.channels.tolist() for each in found
    }
    made = record(arguments, scale=arguments.scale, size=max(example.shape[:-1]), layers=chosen)
    save_image(arguments.output, figure(example, name, found, arguments.scale), made)
    if arguments.raw:
        with replacing(arguments.raw) as beside, open(beside, "wb") as file:
            np.savez(file, **numbers)
    for each in found:
        channels = "all" if each.channels is None else ", ".join(map(str, each.channels))
        say(f"{each.layer} ({'x'.join(map(str, each.shape))}): {channels}")
    say(f"{arguments.output}: {SCALES[arguments.scale]}")


def _example(network, arguments):
    """(its name, (*spatial, C))"""
    number = arguments.example
    if number is None:
        return arguments.picture.name, read_example(network, arguments, SIZE)
    if network.examples is None:
        raise ArgumentError(
            f"{arguments.model} has no examples of its own; name a PICTURE in the place of --example"
        )
    check_idle(arguments, "--example", "size")
    examples = network.examples()
    if number >= len(examples):
        raise ArgumentError(
            f"--example is {number}; the test set has {len(examples)}: wanted one from 0 to {len(examples) - 1}"
        )
    return f"example {number}", examples[number]
