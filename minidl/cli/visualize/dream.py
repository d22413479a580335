"""`minidl visualize dream`: DeepDream, gradient ascent on the activations of a picture."""

import time

from minidl.backend import current_device, device, to_device
from minidl.cli.lists import layer_list
from minidl.cli.options import add_list_layers
from minidl.cli.output import counted, say, warn
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
from minidl.errors import ArgumentError
from minidl.visualize.choosing import preferred_layers
from minidl.visualize.drawing import short
from minidl.visualize.dream import dream, measure, octave_sizes
from minidl.visualize.opening import open_network
from minidl.visualize.units import Unit, parse_unit

LAYERS = ("block4_conv2", "block5_conv1")  # of VGG19; in other networks the deepest layer
SIZE = 512


def register(actions):
    parser = actions.add_parser(
        "dream",
        help="DeepDream: amplify what a network detects in a picture",
        description="DeepDream: change PICTURE by gradient ascent so that the activations of "
        "layers, or of one unit, increase. Start at a small size of the picture, and continue at "
        "larger ones (octaves).",
    )
    parser.set_defaults(run=run)
    add_picture(parser)
    objective = parser.add_mutually_exclusive_group()
    objective.add_argument(
        "--layers",
        metavar="LAYER,...",
        type=layer_list(),
        help="layers whose activations increase "
        f"(default: {','.join(LAYERS)}; in other networks the deepest layer)",
    )
    objective.add_argument(
        "--unit",
        metavar="LAYER:CHANNEL",
        help="one channel, or one class of a trained network, instead of layers",
    )
    add_list_layers(parser)
    add_number(
        parser, "--octaves", 5, "N", "number of sizes, each 1.4 times as large as the one before"
    )
    add_number(parser, "--steps", 10, "N", "number of steps in each octave")
    add_number(parser, "--rate", 0.8, "RATE", "mean change of a pixel in one step")
    add_size(parser, SIZE)
    add_seed(parser, "the random shifts")
    add_common(parser, "dream.png")


def run(arguments):
    _check(arguments)
    names = ("octaves", "steps", "rate", "seed")
    settings = {name: getattr(arguments, name) for name in names}
    with device(arguments.device, arguments.tf32):
        network = open_network(arguments.model)
        picture = to_device(read_picture(network, arguments, SIZE), current_device())
        units = _units(network, picture, arguments)
        before, start = measure(network, picture, units), time.perf_counter()
        octaves = len(octave_sizes(picture.shape[:2], arguments.octaves))
        result = picture
        with progress_bar(octaves * arguments.steps, "step", delay=0.1) as bar:
            for step in dream(network, picture, units, **settings):
                result = step.picture
                bar.set_description(f"octave {step.octave} of {octaves}", refresh=False)
                bar.update()
        after = measure(network, result, units)
    settings["size"] = max(picture.shape[:2])
    strengths = {str(unit): (before[unit], after[unit]) for unit in units}
    metadata = record(arguments, settings=settings, strengths=strengths)
    save_image(arguments.output, result, metadata)
    for unit in units:
        _report(unit, before[unit], after[unit])
    seconds = time.perf_counter() - start
    say(f"{counted(bar.total, 'step')} in {seconds:.0f} s; the dream is in {arguments.output}")


def _check(arguments):
    check_numbers(arguments, 1, "octaves", "steps", "size")
    check_numbers(arguments, 0, "seed")
    if not 0 < arguments.rate < float("inf"):
        raise ArgumentError(f"--rate is {arguments.rate}; wanted a number above 0")
    check_files(arguments)


def _units(network, picture, arguments):
    if arguments.unit is not None:
        unit = parse_unit(network, arguments.unit)
        if unit.channel is None:
            name = arguments.unit
            raise ArgumentError(f"the unit is {name!r}; wanted LAYER:CHANNEL, or --layers {name}")
        return [unit]
    if arguments.layers is not None:
        return [Unit(network.canonical(name)) for name in arguments.layers]
    return [Unit(name) for name in preferred_layers(network, picture, LAYERS)]


def _report(unit, before, after):
    measure_name = "mean a²" if unit.channel is None else "mean"
    say(f"{unit}: {measure_name} {short(before)} -> {short(after)}")
    if after <= before:
        warn(
            f"{unit} did not rise: nothing in this picture activates it; "
            "choose another layer or unit"
        )
