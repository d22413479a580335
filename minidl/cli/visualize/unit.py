"""`minidl visualize unit`: pictures that activate units most, by gradient ascent."""

import time
from argparse import ArgumentTypeError
from math import ceil, sqrt

from minidl.backend import device
from minidl.cli.lists import unit_list
from minidl.cli.options import add_list_layers
from minidl.cli.output import counted, say, warn
from minidl.cli.progress import progress_bar
from minidl.cli.stopping import stoppable
from minidl.cli.visualize.common import (
    add_common,
    add_number,
    add_seed,
    check_files,
    check_numbers,
    record,
)
from minidl.cli.visualize.effort import add_long, announced, must_fit
from minidl.cli.visualize.naming import CHANNELS, add_classes, channels_of, classes_of
from minidl.cli.words import joined
from minidl.data.images import save_image
from minidl.errors import ArgumentError
from minidl.grids import grid
from minidl.visualize.classes import prediction
from minidl.visualize.drawing import percent, short
from minidl.visualize.effort import WITH_GRADIENT
from minidl.visualize.maximization import Maximizations, at_once
from minidl.visualize.network import Network
from minidl.visualize.opening import open_network

SIZE = 160  # pixels of each side, in networks that take any size


def register(actions):
    parser = actions.add_parser(
        "unit",
        help="generate pictures that activate units most",
        description="Generate, from noise and by gradient ascent, pictures that activate channels "
        "of a layer most, or classes of a trained network.",
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "units",
        metavar="LAYER CHANNEL",
        nargs="*",
        help="a layer and the numbers of one or more of its channels; or LAYER:CHANNEL, or names "
        "of classes",
    )
    add_classes(parser, "classes, instead of units")
    add_list_layers(parser)
    add_number(parser, "--steps", 96, "N", "number of steps")
    parser.add_argument(
        "--size",
        type=int,
        metavar="PIXELS",
        help=f"side of the pictures (default: {SIZE}, or the size that the network takes)",
    )
    add_seed(parser, "the noise")
    add_long(parser)
    add_common(parser, "unit.png")


def run(arguments):
    check_numbers(arguments, 1, "steps")
    check_numbers(arguments, 0, "seed")
    check_files(arguments)
    with device(arguments.device, arguments.tf32), stoppable() as work:
        network = open_network(arguments.model)
        units, size = _units(network, arguments), _size(network, arguments.size)
        must_fit(network, size, [unit.layer for unit in units], min(len(units), at_once(size)))
        ascent, total = Maximizations(network, units, size, arguments.seed), arguments.steps
        before = announced(
            arguments,
            ascent.objectives,
            WITH_GRADIENT * total,
            f"{counted(total, 'step')} for {counted(len(units), 'picture')} of {size[1]}x{size[0]}",
            "take fewer units or --steps, or a smaller --size",
        ).tolist()
        start, done = time.perf_counter(), 0
        with progress_bar(total, "step", delay=0.1) as bar:
            for number in work.steps(ascent.steps(total)):
                done = number
                bar.update()
        work.must_have(done)
        after, pictures = ascent.objectives().tolist(), ascent.pictures()
        found = [
            Found(network, unit, *numbers)
            for unit, *numbers in zip(units, before, after, pictures, strict=True)
        ]
        strengths = {result.name: (result.before, result.after) for result in found}
        stopped = {"stopped_after": done} if work.stopped else {}
        metadata = record(arguments, steps=total, seed=arguments.seed, units=strengths, **stopped)
        save_image(arguments.output, _drawn(found), metadata)
        for result in found:
            result.report()
    steps, seconds = work.counted(done, total, "step"), time.perf_counter() - start
    say(f"{steps} in {seconds:.0f} s; the picture is {arguments.output}")
    return work.code


class Found:
    """The picture of a unit, with the mean activation of the unit before and after, and for a
    class its probability."""

    def __init__(self, network, unit, before, after, picture):
        self.name = network.class_name(unit) or str(unit)
        self.before, self.after, self.picture = before, after, picture
        of_class = prediction(network, picture, unit)
        self.lines = [f"{short(before)} -> {short(after)}"]
        if of_class:
            self.lines.append(f"probability {percent(of_class.probability)}")
        self._has_rectifier = network.before_rectifier(unit.layer) != unit.layer

    def report(self):
        say(f"{self.name}: {', '.join(self.lines)}")
        if self.after <= self.before:
            warn(
                f"{self.name} did not rise: its gradient is zero, or it needs more --steps or "
                "another --seed"
            )
        elif self.after <= 0 and self._has_rectifier:
            warn(
                f"{self.name} rose, but its mean is still not above 0: it is inactive at most "
                "positions"
            )


def _units(network, arguments):
    """Return the Units of the arguments, or of --class."""
    words = [word for word in arguments.units if word.strip()]
    if bool(words) == bool(arguments.classes):
        found = "both units and --class" if words else "no unit"
        raise ArgumentError(f"found {found}; wanted {CHANNELS}, or --class and a name")
    if arguments.classes:
        return classes_of(network, arguments.classes)
    try:
        texts = unit_list()(joined(words))
    except ArgumentTypeError as error:
        raise ArgumentError(str(error)) from None
    return channels_of(network, texts, instead="")


def _size(network: Network, side: int | None) -> tuple[int, int]:
    """Return the size (H, W) of the pictures."""
    if network.size and len(network.size) != 2:
        raise ArgumentError(
            f"the network takes arrays {(*network.size, 'channels')}; wanted a network of pictures"
        )
    if side is None:
        height, width = network.size or (SIZE, SIZE)
        return height, width
    if network.size is not None and network.size != (side, side):
        height, width = network.size
        raise ArgumentError(
            f"the size is {side}; the network takes {width}x{height}: leave --size out"
        )
    if side < 16:
        raise ArgumentError(f"the size is {side}; wanted at least 16 pixels")
    return side, side


def _drawn(found):
    columns = ceil(sqrt(len(found)))
    rows = [found[start : start + columns] for start in range(0, len(found), columns)]
    return grid(
        [[result.picture for result in row] for row in rows],
        [["\n".join([result.name, *result.lines]) for result in row] for row in rows],
    )
