"""`minidl visualize invert`: what a layer has kept of a picture."""

import time
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from minidl.backend import current_device, device, to_device
from minidl.cli.lists import layer_list, word_list
from minidl.cli.options import add_list_layers
from minidl.cli.output import counted, shown
from minidl.cli.saying import say
from minidl.cli.visualize.common import (
    add_common,
    check_files,
    check_numbers,
    progress,
    read_picture,
    record,
)
from minidl.data.images import save_image
from minidl.visualize.choosing import preferred_layers
from minidl.visualize.drawing.grids import grid
from minidl.visualize.inversion import MATCHES, Settings, invert
from minidl.visualize.opening import open_network

# of VGG19, as in Gatys' figure; of another network its deepest
LAYERS = tuple(f"block{block}_conv1" for block in range(1, 6))
SIZE = 192


def register(actions):
    parser = actions.add_parser(
        "invert",
        help="the picture made again from what layers tell of it",
        description="Make PICTURE again, from noise, from what layers tell of it: its content from each layer alone, its style "
        "from each layer and those named before it.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("picture", metavar="PICTURE", type=Path)
    parser.add_argument(
        "--layers", "--layer", metavar="LAYER,...", type=layer_list(),
        help="such as block3_conv1 or conv3_1, a column each (default: the first of each block, or the network's deepest)",
    )  # fmt: skip
    add_list_layers(parser)
    parser.add_argument(
        "--match",
        type=word_list(MATCHES),
        metavar="MATCH,...",
        default=["content"],
        help="a row each: content, style (default: content)",
    )
    parser.add_argument(
        "--steps",
        type=int,
        default=Settings.steps,
        metavar="N",
        help=f"of each picture (default: {Settings.steps})",
    )
    parser.add_argument(
        "--smoothness", type=float, default=Settings.smoothness, metavar="W",
        help=f"how much total variation counts (default: {Settings.smoothness})",
    )  # fmt: skip
    parser.add_argument(
        "--size", type=int, metavar="PIXELS", help=f"longer side, at most (default: {SIZE})"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of the noise (default: 0)"
    )
    add_common(parser, "invert.png")


def run(arguments):
    _check(arguments)
    begun = time.perf_counter()
    settings = Settings(arguments.steps, arguments.smoothness, arguments.seed)
    matches = list(dict.fromkeys(arguments.match))
    with device(arguments.device, arguments.tf32):
        network = open_network(arguments.model)
        example = read_picture(network, arguments, SIZE, least=2)  # neighbours are compared
        picture = to_device(example, current_device())
        layers = [
            network.canonical(layer)
            for layer in arguments.layers or preferred_layers(network, picture, LAYERS)
        ]
        rows, captions = [], []
        with progress(len(matches) * len(layers) * settings.steps, "step") as bar:
            for match in matches:
                found = list(_inverted(network, picture, layers, match, settings, bar))
                rows.append([example, *(each.image for each in found)])
                upto = "up to " if match == "style" else ""
                captions.append(
                    [
                        "the picture",
                        *(
                            f"{upto}{layer}\n{_apart(each)}"
                            for layer, each in zip(layers, found, strict=True)
                        ),
                    ]
                )
    made = record(
        arguments,
        settings=asdict(settings),
        size=max(example.shape[:2]),
        layers=layers,
        match=matches,
    )
    save_image(arguments.output, grid(rows, captions, labels=matches, side=160), made)
    say(f"{time.perf_counter() - begun:.0f} s; the pictures are {shown(arguments.output)}")


def _check(arguments):
    check_numbers(arguments, 1, "steps", "size")
    check_numbers(arguments, 0, "smoothness", "seed")
    check_files(arguments)


def _inverted(network, picture, layers, match, settings, bar):
    """The Inversion for each layer"""
    for number, layer in enumerate(layers):
        bar.set_description(f"{match} of {layer}", refresh=False)
        some = [layer] if match == "content" else layers[: number + 1]
        found = invert(network, picture, some, match, settings, watch=lambda loss: bar.update())
        bar.update(settings.steps - len(found.losses))
        with tqdm.external_write_mode():
            first, best = found.losses[0], min(found.losses)
            say(
                f"{match} of {layer}: loss {first:.4g} -> {best:.4g} in {counted(len(found.losses), 'step')}, {_apart(found)}"
            )
        yield found


def _apart(found):
    return f"{found.distance:.2%} off"
