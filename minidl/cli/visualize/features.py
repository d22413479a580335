"""`minidl visualize features`: activation maps."""

from pathlib import Path

import numpy as np

from minidl.backend import device
from minidl.cli.output import shown
from minidl.cli.visualize.common import add_common
from minidl.data import write_image
from minidl.data.images import picture_form
from minidl.errors import FileError
from minidl.files import must_be_writable, must_differ, replacing
from minidl.visualize.features import SCALES, features, figure
from minidl.visualize.opening import open_network, read_for


def register(actions):
    parser = actions.add_parser(
        "features",
        help="activation maps: what the channels of a layer make of a picture",
        description="Activation maps as a grid, a row a layer, the channels with the largest mean |activation| first. A "
        "volume's are shown by their middle slices, a signal's as curves.",
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "picture", metavar="PICTURE", type=Path,
        help="a picture; for a network of signals or volumes an .npy file with (L, C) or (D, H, W, C)",
    )  # fmt: skip
    parser.add_argument(
        "--layers", metavar="LAYER", nargs="+",
        help="such as block3_conv1, conv3_1, block3_conv1.pre (default: of each size the last layer behind a ReLU)",
    )  # fmt: skip
    parser.add_argument("--channels", metavar="N", type=int, default=8, help="of each layer (default: 8)")
    parser.add_argument(
        "--scale",
        choices=SCALES,
        default="map",
        help="colours: each map scaled alone, or those of a layer together (default: map)",
    )
    parser.add_argument(
        "--size", metavar="PIXELS", type=int, default=224, help="of the picture's longer side, at most (default: 224)"
    )
    parser.add_argument("--raw", metavar="FILE.npz", type=Path, help="write the layers' numbers, all channels, (H, W, C) each")
    add_common(parser, "features.png")


def run(arguments):
    picture_form(must_be_writable(arguments.output))
    outputs = {"--output": arguments.output}
    if arguments.raw:
        if arguments.raw.suffix != ".npz":
            raise FileError(f"{arguments.raw}: the numbers are written as .npz; give the name that ending")
        outputs["--raw"] = must_be_writable(arguments.raw)
    must_differ(outputs, {"the picture": arguments.picture})
    with device(arguments.device, arguments.tf32):
        network = open_network(arguments.model)
        example = read_for(network, arguments.picture, arguments.size)
        found, numbers = features(network, example, arguments.layers, arguments.channels, arguments.scale)
    write_image(arguments.output, figure(example, arguments.picture.name, found, arguments.scale))
    if arguments.raw:
        with replacing(arguments.raw) as beside, open(beside, "wb") as file:
            np.savez(file, **numbers)
    for each in found:
        channels = "all" if each.channels is None else ", ".join(map(str, each.channels))
        print(f"{each.layer} ({'x'.join(map(str, each.shape))}): {channels}")
    print(f"{shown(arguments.output)}: {SCALES[arguments.scale]}")
