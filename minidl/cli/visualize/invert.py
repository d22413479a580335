"""`minidl visualize invert`: a picture reconstructed from the activations of layers."""

import time
from dataclasses import asdict

from tqdm import tqdm

from minidl.backend import current_device, device, to_device
from minidl.cli.lists import layer_list, word_list
from minidl.cli.options import add_list_layers
from minidl.cli.output import counted, say
from minidl.cli.progress import progress_bar
from minidl.cli.visualize.common import (
    add_common,
    add_number,
    add_picture,
    add_seed,
    add_size,
    check_files,
    check_numbers,
    read_picture,
    record,
)
from minidl.data.images import save_image
from minidl.grids import grid
from minidl.visualize.choosing import preferred_layers
from minidl.visualize.inversion import MATCHES, Settings, invert
from minidl.visualize.opening import open_network

# of VGG19, as in Gatys' figure; in other networks the deepest layer
LAYERS = tuple(f"block{block}_conv1" for block in range(1, 6))
SIZE = 192


def register(actions):
    parser = actions.add_parser(
        "invert",
        help="reconstruct a picture from the activations of layers",
        description="Reconstruct PICTURE, from noise, from the activations of layers: its content "
        "from each layer alone, or its style from each layer together with the layers named before "
        "it.",
    )
    parser.set_defaults(run=run)
    add_picture(parser)
    parser.add_argument(
        "--layers",
        "--layer",
        metavar="LAYER,...",
        type=layer_list(),
        help="layers, such as block3_conv1 or conv3_1, one column each (default: the first "
        "convolution of each block; in other networks the deepest layer)",
    )
    add_list_layers(parser)
    parser.add_argument(
        "--match",
        type=word_list(MATCHES),
        metavar="MATCH,...",
        default=["content"],
        help=f"what to reconstruct, one row each: {', '.join(MATCHES)} (default: content)",
    )
    add_number(parser, "--steps", Settings.steps, "N", "number of steps for each picture")
    add_number(parser, "--smoothness", Settings.smoothness, "W", "weight of the total variation")
    add_size(parser, SIZE)
    add_seed(parser, "the noise")
    add_common(parser, "invert.png")


def run(arguments):
    _check(arguments)
    start = time.perf_counter()
    settings = Settings(arguments.steps, arguments.smoothness, arguments.seed)
    matches = list(dict.fromkeys(arguments.match))
    with device(arguments.device, arguments.tf32):
        network = open_network(arguments.model)
        # the total variation compares neighbouring pixels
        example = read_picture(network, arguments, SIZE, least=2)
        picture = to_device(example, current_device())
        names = arguments.layers or preferred_layers(network, picture, LAYERS)
        layers = [network.canonical(name) for name in names]
        rows, captions = [], []
        with progress_bar(len(matches) * len(layers) * settings.steps, "step", delay=0.1) as bar:
            for match in matches:
                inversions = list(_inversions(network, picture, layers, match, settings, bar))
                rows.append([example, *(inversion.image for inversion in inversions)])
                prefix = "up to " if match == "style" else ""
                texts = [
                    f"{prefix}{layer}\n{_error(inversion)}"
                    for layer, inversion in zip(layers, inversions, strict=True)
                ]
                captions.append(["the picture", *texts])
    metadata = record(
        arguments,
        settings=asdict(settings),
        size=max(example.shape[:2]),
        layers=layers,
        match=matches,
    )
    save_image(arguments.output, grid(rows, captions, labels=matches, side=160), metadata)
    seconds = time.perf_counter() - start
    say(f"{seconds:.0f} s; the pictures are in {arguments.output}")


def _check(arguments):
    check_numbers(arguments, 1, "steps", "size")
    check_numbers(arguments, 0, "smoothness", "seed")
    check_files(arguments)


def _inversions(network, picture, layers, match, settings, bar):
    """Yield the Inversion of each layer."""
    for number, layer in enumerate(layers):
        bar.set_description(f"{match} of {layer}", refresh=False)
        matched = [layer] if match == "content" else layers[: number + 1]
        inversion = invert(
            network, picture, matched, match, settings, watch=lambda loss: bar.update()
        )
        bar.update(settings.steps - len(inversion.losses))
        first, best = inversion.losses[0], min(inversion.losses)
        steps = counted(len(inversion.losses), "step")
        with tqdm.external_write_mode():
            say(
                f"{match} of {layer}: loss {first:.4g} -> {best:.4g} in {steps}, "
                f"{_error(inversion)}"
            )
        yield inversion


def _error(inversion):
    return f"{inversion.distance:.2%} off"
