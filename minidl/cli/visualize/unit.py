"""`minidl visualize unit`: pictures that activate units most, by gradient ascent."""

import time
from math import ceil, sqrt

from minidl.backend import device, to_numpy
from minidl.cli.options import add_list_layers
from minidl.cli.output import counted, say, warn
from minidl.cli.progress import progress_bar
from minidl.cli.visualize.common import (
    add_common,
    add_number,
    add_seed,
    check_files,
    check_numbers,
    record,
)
from minidl.cli.words import split
from minidl.data.images import save_image
from minidl.errors import ArgumentError, printable
from minidl.grids import grid
from minidl.visualize.drawing import short
from minidl.visualize.maximization import Maximization
from minidl.visualize.network import Network
from minidl.visualize.opening import open_network
from minidl.visualize.units import Unit, is_channel

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
        nargs="+",
        help="a layer and the numbers of one or more of its channels; or names of classes",
    )
    add_list_layers(parser)
    add_number(parser, "--steps", 96, "N", "number of steps")
    parser.add_argument(
        "--size",
        type=int,
        metavar="PIXELS",
        help=f"side of the pictures (default: {SIZE}, or the size that the network takes)",
    )
    add_seed(parser, "the noise")
    add_common(parser, "unit.png")


def run(arguments):
    check_numbers(arguments, 1, "steps")
    check_numbers(arguments, 0, "seed")
    check_files(arguments)
    with device(arguments.device, arguments.tf32):
        network = open_network(arguments.model)
        units = _units(network, arguments.units)
        size = _size(network, arguments.size)
        start = time.perf_counter()
        maximization = Maximization(network, units, size, arguments.seed)
        before = maximization.objectives().tolist()
        with progress_bar(arguments.steps, "step", delay=0.1) as bar:
            for _ in range(arguments.steps):
                maximization.step()
                bar.update()
        after = maximization.objectives().tolist()
        pictures = list(to_numpy(maximization.pictures()))
    names = [network.class_name(unit) or str(unit) for unit in units]
    has_rectifier = network.before_rectifier(units[0].layer) != units[0].layer
    for name, low, high in zip(names, before, after, strict=True):
        _report(name, low, high, has_rectifier)
    strengths = dict(zip(names, zip(before, after, strict=True), strict=True))
    metadata = record(arguments, steps=arguments.steps, seed=arguments.seed, units=strengths)
    save_image(arguments.output, _drawn(pictures, names, before, after), metadata)
    steps, seconds = counted(arguments.steps, "step"), time.perf_counter() - start
    say(f"{steps} in {seconds:.0f} s; the picture is {arguments.output}")


def _units(network, words):
    """Return the Units, all of the same layer."""
    if network.classes and set(words) <= set(network.classes):
        return [Unit(network.steps[-1].name, network.classes.index(word)) for word in words]
    name, *channels = split(" ".join(words))
    layer = network.canonical(name)
    if not channels or not all(map(is_channel, channels)):
        raise ArgumentError(
            f"found {printable(' '.join(words), 80)!r}; "
            "wanted a layer and numbers of its channels, such as conv4_2 17 40"
        )
    return [Unit(layer, int(channel)) for channel in channels]


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


def _report(name, before, after, has_rectifier):
    say(f"{name}: {short(before)} -> {short(after)}")
    if after <= before:
        warn(
            f"{name} did not rise: its gradient is zero, or it needs more --steps or another --seed"
        )
    elif after <= 0 and has_rectifier:
        warn(f"{name} rose, but its mean is still not above 0: it is inactive at most positions")


def _drawn(pictures, names, before, after):
    columns = ceil(sqrt(len(pictures)))
    captions = [
        f"{name}\n{short(low)} -> {short(high)}"
        for name, low, high in zip(names, before, after, strict=True)
    ]
    rows = [slice(start, start + columns) for start in range(0, len(pictures), columns)]
    return grid([pictures[row] for row in rows], [captions[row] for row in rows])
