"""`minidl visualize features`: activation maps."""

from pathlib import Path
from typing import Any

import numpy as np

from minidl.backend import device
from minidl.cli.options import add_list_layers
from minidl.cli.output import say
from minidl.cli.visualize.common import (
    add_common,
    add_example,
    add_number,
    add_size,
    check_files,
    check_numbers,
    named_example,
    record,
)
from minidl.cli.visualize.naming import add_layers
from minidl.data.images import save_image
from minidl.errors import FileError
from minidl.files import must_be_writable, replacing
from minidl.visualize.drawing import percent, short
from minidl.visualize.features import SCALES, features, figure
from minidl.visualize.opening import open_network

SIZE = 224


def register(actions):
    parser = actions.add_parser(
        "features",
        help="draw the activation maps of layers",
        description="Draw the activation maps of layers as a grid with one row per layer, first "
        "the channels with the largest mean absolute activation. Maps of a volume are drawn as "
        "their central slices, and maps of a signal as curves.",
    )
    parser.set_defaults(run=run)
    add_example(parser)
    add_layers(
        parser,
        "layers, such as block3_conv1, conv3_1 or block3_conv1.pre (default: the last layer of "
        "each size that follows a ReLU)",
    )
    add_list_layers(parser)
    add_number(parser, "--channels", 8, "N", "number of channels of each layer")
    parser.add_argument(
        "--scale",
        choices=SCALES,
        default="map",
        help="scale of the colours: one for each map, or one for all maps of a layer (default: "
        "map)",
    )
    add_size(parser, SIZE)
    parser.add_argument(
        "--raw",
        metavar="FILE.npz",
        type=Path,
        help="also write the activations of the layers, with all channels, to this file",
    )
    add_common(parser, "features.png")


def run(arguments):
    check_numbers(arguments, 1, "channels", "size")
    check_numbers(arguments, 0, "example")
    outputs = {}
    if arguments.raw:
        if arguments.raw.suffix != ".npz":
            raise FileError(f"{arguments.raw}: activations are written as .npz; use that ending")
        outputs["--raw"] = must_be_writable(arguments.raw)
    check_files(arguments, **outputs)
    with device(arguments.device, arguments.tf32):
        network = open_network(arguments.model)
        name, example = named_example(network, arguments, SIZE)
        maps_of_layers, activations = features(
            network, example, arguments.layers, arguments.channels, arguments.scale
        )
    channels = {
        maps.layer: "all" if maps.channels is None else maps.channels.tolist()
        for maps in maps_of_layers
    }
    size = max(example.shape[:-1])
    metadata = record(arguments, scale=arguments.scale, size=size, layers=channels)
    save_image(arguments.output, figure(example, name, maps_of_layers, arguments.scale), metadata)
    if arguments.raw:
        with replacing(arguments.raw) as path, open(path, "wb") as file:
            arrays: dict[str, Any] = activations
            np.savez(file, **arrays)
    for maps in maps_of_layers:
        best = ", ".join(
            f"{found.name} {short(found.score)} ({percent(found.probability)})"
            for found in maps.best
        )
        numbers = best or ("all" if maps.channels is None else ", ".join(map(str, maps.channels)))
        say(f"{maps.layer} ({'x'.join(map(str, maps.shape))}): {numbers}")
    say(f"{arguments.output}: {SCALES[arguments.scale]}")
