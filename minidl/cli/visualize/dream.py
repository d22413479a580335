"""`minidl visualize dream`: what a network sees in a picture, painted into it."""

import time
from pathlib import Path

from minidl.backend import current_device, device, to_device
from minidl.cli.lists import layer_list
from minidl.cli.options import add_list_layers
from minidl.cli.output import counted, warn
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
from minidl.errors import ArgumentError
from minidl.visualize.choosing import preferred_layers
from minidl.visualize.drawing import short
from minidl.visualize.dream import dream, measure, octave_sizes
from minidl.visualize.opening import open_network
from minidl.visualize.units import Unit, parse_unit

LAYERS = ("block4_conv2", "block5_conv1")  # of VGG19; of another network its deepest
SIZE = 512


def register(actions):
    parser = actions.add_parser(
        "dream",
        help="paint into a picture what the network sees in it",
        description="DeepDream: make what fires in PICTURE fire more, from large forms to small ones.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("picture", metavar="PICTURE", type=Path)
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--layers", metavar="LAYER,...", type=layer_list(),
        help=f"whatever fires there (default: {','.join(LAYERS)}, or the network's deepest)",
    )  # fmt: skip
    what.add_argument(
        "--unit", metavar="LAYER:CHANNEL", help="one channel alone, or a class of a trained network"
    )
    add_list_layers(parser)
    parser.add_argument(
        "--octaves",
        type=int,
        default=5,
        metavar="N",
        help="sizes, each 1.4 times the one before (default: 5)",
    )
    parser.add_argument(
        "--steps",
        type=int,
        default=10,
        metavar="N",
        help="steps uphill in each octave (default: 10)",
    )
    parser.add_argument(
        "--rate",
        type=float,
        default=0.8,
        metavar="R",
        help="by which a pixel moves a step (default: 0.8)",
    )
    parser.add_argument(
        "--size",
        type=int,
        metavar="PIXELS",
        help=f"longer side; nothing is enlarged (default: {SIZE})",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of the jitter (default: 0)"
    )
    add_common(parser, "dream.png")


def run(arguments):
    _check(arguments)
    with device(arguments.device, arguments.tf32):
        network = open_network(arguments.model)
        picture = to_device(read_picture(network, arguments, SIZE), current_device())
        units = _units(network, picture, arguments)
        before, begun = measure(network, picture, units), time.perf_counter()
        sizes = octave_sizes(picture.shape[:2], arguments.octaves)
        with progress(len(sizes) * arguments.steps, "step") as bar:
            for step in dream(
                network,
                picture,
                units,
                arguments.octaves,
                arguments.steps,
                arguments.rate,
                arguments.seed,
            ):
                bar.set_description(f"octave {step.octave} of {len(sizes)}", refresh=False)
                bar.update()
        after = measure(network, step.picture, units)
    settings = {name: getattr(arguments, name) for name in ("octaves", "steps", "rate", "seed")}
    settings["size"] = max(picture.shape[:2])
    strengths = {str(unit): (before[unit], after[unit]) for unit in units}
    save_image(
        arguments.output, step.picture, record(arguments, settings=settings, strengths=strengths)
    )
    for unit in units:
        _tell(unit, before[unit], after[unit])
    say(
        f"{counted(bar.total, 'step')} in {time.perf_counter() - begun:.0f} s; the dream is {arguments.output}"
    )


def _check(arguments):
    """Find out now what would fail after a long run."""
    check_numbers(arguments, 1, "octaves", "steps", "size")
    check_numbers(arguments, 0, "seed")
    if not 0 < arguments.rate < float("inf"):
        raise ArgumentError(f"--rate is {arguments.rate}; wanted a number above 0")
    check_files(arguments)


def _units(network, picture, arguments):
    if arguments.unit is not None:
        unit = parse_unit(network, arguments.unit)
        if unit.channel is None:
            raise ArgumentError(
                f"the unit is {arguments.unit!r}; wanted LAYER:CHANNEL, or --layers {arguments.unit}"
            )
        return [unit]
    if arguments.layers is not None:
        return [Unit(network.canonical(name)) for name in arguments.layers]
    return [Unit(name) for name in preferred_layers(network, picture, LAYERS)]


def _tell(unit, before, after):
    what = "mean a²" if unit.channel is None else "mean"
    say(f"{unit}: {what} {short(before)} -> {short(after)}")
    if after <= before:
        warn(
            f"{unit} did not rise: nothing that it sees in this picture excites it; try another layer or unit"
        )
