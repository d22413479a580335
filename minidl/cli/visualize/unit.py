"""`minidl visualize unit`: the pictures that units like best."""

import time
from math import ceil, sqrt

from minidl.backend import device, to_numpy
from minidl.cli.lists import split
from minidl.cli.options import add_list_layers
from minidl.cli.output import counted, warn
from minidl.cli.saying import say
from minidl.cli.visualize.common import add_common, check_files, check_numbers, progress, record
from minidl.data.images import save_image
from minidl.errors import ArgumentError, printable
from minidl.visualize.drawing import short
from minidl.visualize.drawing.grids import grid
from minidl.visualize.maximization import Maximization
from minidl.visualize.opening import open_network
from minidl.visualize.units import Unit, is_channel

SIZE = 160  # pixels a side, where the network takes any


def register(actions):
    parser = actions.add_parser(
        "unit",
        help="the picture that excites a unit most",
        description="Paint, from noise, the pictures that excite channels of a layer most, or classes of a trained network.",
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "units",
        metavar="LAYER CHANNEL",
        nargs="+",
        help="a layer and numbers of its channels; or names of classes",
    )
    add_list_layers(parser)
    parser.add_argument(
        "--steps", type=int, default=96, metavar="N", help="steps uphill (default: 96)"
    )
    parser.add_argument(
        "--size",
        type=int,
        metavar="PIXELS",
        help=f"of each picture's sides (default: {SIZE}, or what the network takes)",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of the noise (default: 0)"
    )
    add_common(parser, "unit.png")


def run(arguments):
    check_numbers(arguments, 1, "steps")
    check_numbers(arguments, 0, "seed")
    check_files(arguments)
    with device(arguments.device, arguments.tf32):
        network = open_network(arguments.model)
        units = _units(network, arguments.units)
        size = _size(network, arguments.size)
        begun = time.perf_counter()
        maximization = Maximization(network, units, size, arguments.seed)
        before = maximization.objectives().tolist()
        with progress(arguments.steps, "step") as bar:
            for _ in range(arguments.steps):
                maximization.step()
                bar.update()
        after = maximization.objectives().tolist()
        pictures = list(to_numpy(maximization.pictures()))
    names = [network.class_name(unit) or str(unit) for unit in units]
    has_rectifier = network.before_rectifier(units[0].layer) != units[0].layer
    for name, low, high in zip(names, before, after, strict=True):
        _tell(name, low, high, has_rectifier)
    strengths = dict(zip(names, zip(before, after, strict=True), strict=True))
    made = record(arguments, steps=arguments.steps, seed=arguments.seed, units=strengths)
    save_image(arguments.output, _drawn(pictures, names, before, after), made)
    say(
        f"{counted(arguments.steps, 'step')} in {time.perf_counter() - begun:.0f} s; the picture is {arguments.output}"
    )


def _units(network, words):
    """[Unit] of one layer"""
    if network.classes and set(words) <= set(network.classes):
        return [Unit(network.steps[-1].name, network.classes.index(word)) for word in words]
    layer, *channels = split(" ".join(words))
    layer = network.canonical(layer)
    if not channels or not all(map(is_channel, channels)):
        raise ArgumentError(
            f"found {printable(' '.join(words), 80)!r}; wanted a layer and numbers of its channels, such as conv4_2 17 40"
        )
    return [Unit(layer, int(word)) for word in channels]


def _size(network, side):
    """(H, W)"""
    if network.size and len(network.size) != 2:
        raise ArgumentError(
            f"the network takes arrays {(*network.size, 'channels')}; wanted one of pictures, to paint what it likes"
        )
    if side is None:
        return network.size or (SIZE, SIZE)
    if network.size not in (None, (side, side)):
        raise ArgumentError(
            "the size is {}; the network takes {}x{}: leave --size out".format(
                side, *network.size[::-1]
            )
        )
    if side < 16:
        raise ArgumentError(f"the size is {side}; wanted at least 16 pixels")
    return side, side


def _tell(name, before, after, has_rectifier):
    say(f"{name}: {short(before)} -> {short(after)}")
    if after <= before:
        warn(
            f"{name} did not rise: nothing that it sees changes it, or it needs more --steps or another --seed"
        )
    elif after <= 0 and has_rectifier:
        warn(f"{name} rose, but its mean is not above 0 even so: in most places it does not fire")


def _drawn(pictures, names, before, after):
    columns = ceil(sqrt(len(pictures)))
    captions = [
        f"{name}\n{short(low)} -> {short(high)}"
        for name, low, high in zip(names, before, after, strict=True)
    ]
    parts = range(0, len(pictures), columns)
    return grid(
        [pictures[i : i + columns] for i in parts], [captions[i : i + columns] for i in parts]
    )
