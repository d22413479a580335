"""`minidl visualize dream`: DeepDream, gradient ascent on the activations of a picture."""

import time

from minidl.backend import current_device, device, to_device
from minidl.cli.options import add_list_layers
from minidl.cli.output import counted, say, warn
from minidl.cli.progress import progress_bar
from minidl.cli.stopping import stoppable
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
from minidl.cli.visualize.effort import add_long, announced, must_fit
from minidl.cli.visualize.naming import (
    add_classes,
    add_layers,
    add_units,
    channels_or_classes,
    layers_of,
)
from minidl.data.images import save_image
from minidl.errors import ArgumentError
from minidl.visualize.choosing import preferred_layers
from minidl.visualize.classes import prediction
from minidl.visualize.drawing import percent, short
from minidl.visualize.dream import dream, in_full_size, measure, octave_sizes, passes
from minidl.visualize.opening import open_network
from minidl.visualize.units import Unit

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
    add_layers(
        objective,
        "layers whose activations increase "
        f"(default: {','.join(LAYERS)}; in other networks the deepest layer)",
    )
    add_units(objective, "channels, instead of layers: LAYER:CHANNEL or LAYER CHANNEL")
    add_classes(objective, "classes, instead of layers")
    add_list_layers(parser)
    add_number(
        parser, "--octaves", 5, "N", "number of sizes, each 1.4 times as large as the one before"
    )
    add_number(parser, "--steps", 10, "N", "number of steps in each octave")
    add_number(parser, "--rate", 0.8, "RATE", "mean change of a pixel in one step")
    add_size(parser, SIZE)
    add_seed(parser, "the random shifts")
    add_long(parser)
    add_common(parser, "dream.png")


def run(arguments):
    _check(arguments)
    names = ("octaves", "steps", "rate", "seed")
    settings = {name: getattr(arguments, name) for name in names}
    with device(arguments.device, arguments.tf32), stoppable() as work:
        network = open_network(arguments.model)
        picture = to_device(read_picture(network, arguments, SIZE), current_device())
        units = _units(network, picture, arguments)
        height, width, _ = picture.shape
        must_fit(network, (height, width), [unit.layer for unit in units])
        sizes = octave_sizes((height, width), arguments.octaves)
        total = len(sizes) * arguments.steps
        before = announced(
            arguments,
            lambda: measure(network, picture, units),
            passes(sizes, arguments.steps),
            f"{counted(total, 'step')} up to {width}x{height}",
            "take a smaller --size or fewer --steps",
        )
        start, done, result = time.perf_counter(), 0, picture
        with progress_bar(total, "step", delay=0.1) as bar:
            for step in work.steps(dream(network, picture, units, **settings)):
                done, result = done + 1, step.picture
                bar.set_description(f"octave {step.octave} of {len(sizes)}", refresh=False)
                bar.update()
        work.must_have(done)
        if result.shape != picture.shape:
            result = in_full_size(picture, result)
        after = measure(network, result, units)
        settings["size"] = max(height, width)
        strengths = {str(unit): (before[unit], after[unit]) for unit in units}
        stopped = {"stopped_after": done} if work.stopped else {}
        metadata = record(arguments, settings=settings, strengths=strengths, **stopped)
        save_image(arguments.output, result, metadata)
        likely = [[prediction(network, x, unit) for x in (picture, result)] for unit in units]
    for unit, probabilities in zip(units, likely, strict=True):
        _report(network, unit, before[unit], after[unit], probabilities)
    steps, seconds = work.counted(done, total, "step"), time.perf_counter() - start
    say(f"{steps} in {seconds:.0f} s; the dream is in {arguments.output}")
    return work.code


def _check(arguments):
    check_numbers(arguments, 1, "octaves", "steps", "size")
    check_numbers(arguments, 0, "seed")
    if not 0 < arguments.rate < float("inf"):
        raise ArgumentError(f"--rate is {arguments.rate}; wanted a number above 0")
    check_files(arguments)


def _units(network, picture, arguments):
    if units := channels_or_classes(network, arguments):
        return units
    if arguments.layers:
        return [Unit(name) for name in layers_of(network, arguments.layers)]
    return [Unit(name) for name in preferred_layers(network, picture, LAYERS)]


def _report(network, unit, before, after, of_class):
    """of_class: the Predictions before and after, or None twice if the unit is no class"""
    name = network.class_name(unit) or str(unit)
    measure_name = "mean a²" if unit.channel is None else "mean"
    line = f"{name}: {measure_name} {short(before)} -> {short(after)}"
    first, last = of_class
    if first:
        line += f", probability {percent(first.probability)} -> {percent(last.probability)}"
    say(line)
    if after <= before:
        warn(
            f"{name} did not rise: nothing in this picture activates it; "
            "choose another layer or unit"
        )
