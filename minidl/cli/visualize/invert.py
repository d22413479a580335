"""`minidl visualize invert`: what a layer has kept of a picture."""

import time
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

import minidl
from minidl.backend import current_device, device, to_device
from minidl.cli.output import shown
from minidl.cli.saying import say
from minidl.cli.visualize.common import add_common, progress
from minidl.data import write_image
from minidl.data.images import picture_form
from minidl.errors import ArgumentError
from minidl.files import must_be_writable, must_differ, must_exist
from minidl.visualize.choosing import deepest_layer
from minidl.visualize.drawing.grids import grid
from minidl.visualize.inversion import MATCHES, Settings, invert
from minidl.visualize.opening import open_network, read_for

LAYERS = tuple(f"block{block}_conv1" for block in range(1, 6))  # of VGG19, as in Gatys' figure; of another network its deepest


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
        "--layer", metavar="LAYER", nargs="+", dest="layers",
        help="such as block3_conv1 or conv3_1, a column each (default: the first of each block, or the network's deepest)",
    )  # fmt: skip
    parser.add_argument(
        "--match", choices=MATCHES, nargs="+", default=["content"], help="a row each: content, style (default: content)"
    )
    parser.add_argument(
        "--steps", type=int, default=Settings.steps, metavar="N", help=f"of each picture (default: {Settings.steps})"
    )
    parser.add_argument(
        "--smoothness", type=float, default=Settings.smoothness, metavar="W",
        help=f"how much total variation counts (default: {Settings.smoothness})",
    )  # fmt: skip
    parser.add_argument("--size", type=int, default=192, metavar="PIXELS", help="longer side, at most (default: 192)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the noise (default: 0)")
    add_common(parser, "invert.png")


def run(arguments):
    _check(arguments)
    begun = time.perf_counter()
    settings = Settings(arguments.steps, arguments.smoothness, arguments.seed)
    matches = list(dict.fromkeys(arguments.match))
    with device(arguments.device, arguments.tf32):
        network = open_network(arguments.model)
        example = read_for(network, arguments.picture, arguments.size)
        picture = to_device(example, current_device())
        layers = [network.canonical(layer) for layer in arguments.layers or _layers(network, picture)]
        rows, captions = [], []
        with progress(len(matches) * len(layers) * settings.steps, "step") as bar:
            for match in matches:
                found = list(_inverted(network, picture, layers, match, settings, bar))
                rows.append([example, *(each.image for each in found)])
                upto = "up to " if match == "style" else ""
                captions.append(
                    ["the picture", *(f"{upto}{layer}\n{_apart(each)}" for layer, each in zip(layers, found, strict=True))]
                )
    record = {
        "command": arguments.command, "minidl": minidl.__version__, "settings": asdict(settings), "size": arguments.size,
        "layers": layers, "match": matches,
    }  # fmt: skip
    write_image(arguments.output, grid(rows, captions, labels=matches, side=160), record)
    say(f"{time.perf_counter() - begun:.0f} s; the pictures are {shown(arguments.output)}")


def _check(arguments):
    for name in ("steps", "size"):
        if getattr(arguments, name) < 1:
            raise ArgumentError(f"--{name} is {getattr(arguments, name)}; wanted a whole number of at least 1")
    if not 0 <= arguments.smoothness < float("inf") or arguments.seed < 0:
        raise ArgumentError(f"found --smoothness {arguments.smoothness} and --seed {arguments.seed}; wanted numbers from 0 on")
    must_exist(arguments.picture, "picture")
    picture_form(must_be_writable(arguments.output))
    must_differ({"--output": arguments.output}, {"PICTURE": arguments.picture, "--model": arguments.model})


def _layers(network, picture):
    known = {step.name for step in network.steps}
    return LAYERS if known.issuperset(LAYERS) else [deepest_layer(network, picture)]


def _inverted(network, picture, layers, match, settings, bar):
    """The Inversion for each layer"""
    for number, layer in enumerate(layers):
        bar.set_description(f"{match} of {layer}", refresh=False)
        some = [layer] if match == "content" else layers[: number + 1]
        found = invert(network, picture, some, match, settings, watch=lambda loss: bar.update())
        bar.update(settings.steps - len(found.losses))
        with tqdm.external_write_mode():
            first, best = found.losses[0], min(found.losses)
            say(f"{match} of {layer}: loss {first:.4g} -> {best:.4g} in {len(found.losses)} steps, {_apart(found)}")
        yield found


def _apart(found):
    return f"{found.distance:.2%} off"
