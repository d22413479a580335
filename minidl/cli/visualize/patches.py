"""`minidl visualize patches`: what excites units, in many pictures."""

from pathlib import Path

import numpy as np

from minidl.backend import current_device, device, to_device
from minidl.cli.lists import layer_list
from minidl.cli.options import add_list_layers
from minidl.cli.output import counted, warn
from minidl.cli.saying import say
from minidl.cli.visualize.common import (
    add_common,
    check_files,
    check_idle,
    check_numbers,
    progress,
    record,
)
from minidl.data import cifar10, mnist, read_metadata
from minidl.data.images import save_image
from minidl.errors import ArgumentError, FileError
from minidl.files import must_differ
from minidl.visualize.albums import DataSet, Folder
from minidl.visualize.drawing import short
from minidl.visualize.features import default_layers
from minidl.visualize.opening import open_network
from minidl.visualize.patches import SCALED, WORDS, choose_units, figure, patches
from minidl.visualize.receptive_fields import receptive_fields
from minidl.visualize.rectifiers import RECTIFIERS
from minidl.visualize.strongest import strongest
from minidl.visualize.units import parse_unit

DATA_SETS = {"cifar10": cifar10, "mnist": mnist}
COUNT = 9  # patches of a unit
PER_LAYER, SIZE = 3, 224


def register(actions):
    parser = actions.add_parser(
        "patches",
        help="the patches of many pictures that excite units most",
        description="Search pictures for the nine patches that excite each unit most, at most one of a picture, and show them "
        "beside the way back from the unit to the picture: which part of it made the unit fire.",
    )
    parser.set_defaults(run=run)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "folder", metavar="FOLDER", type=Path, nargs="?", help="of pictures, with the folders in it"
    )
    where.add_argument("--dataset", choices=DATA_SETS, help="search its training pictures")
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="of the data set (default: MINIDL_DATA, then your cache)",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--units",
        metavar="UNIT,...",
        type=layer_list(),
        help="LAYER:CHANNEL, or classes of a trained network",
    )
    what.add_argument(
        "--layers",
        metavar="LAYER,...",
        type=layer_list(),
        help="(default: of each size the last behind a ReLU)",
    )
    add_list_layers(parser)
    parser.add_argument(
        "--per-layer", metavar="N", type=int,
        help="units of each layer: those whose fifth patch is the furthest above the mean of all pictures "
        f"(default: {PER_LAYER})",
    )  # fmt: skip
    parser.add_argument(
        "--backward",
        choices=RECTIFIERS,
        default="deconvnet",
        help="through ReLUs (default: deconvnet)",
    )
    parser.add_argument(
        "--size", metavar="PIXELS", type=int,
        help=f"of the square that the middle of each picture is made, where the network does not tell (default: {SIZE})",
    )  # fmt: skip
    parser.add_argument(
        "--tiles",
        action="store_true",
        help="do not shrink pictures but search them in squares of that size beside each other",
    )
    parser.add_argument("--limit", metavar="N", type=int, help="search the first N pictures alone")
    add_common(parser, "patches.png")


def run(arguments):
    _check(arguments)
    with device(arguments.device, arguments.tf32):
        network = open_network(arguments.model)
        album = _album(arguments, network.size)
        units = [parse_unit(network, text) for text in arguments.units or []]
        if whole := [unit for unit in units if unit.channel is None]:
            raise ArgumentError(
                f"{whole[0]} is a whole layer; wanted a unit such as {whole[0]}:17, or --layers {whole[0]}"
            )
        layers = (
            [unit.layer for unit in units]
            or arguments.layers
            or default_layers(network, album.size)
        )
        layers = list(dict.fromkeys(map(network.canonical, layers)))
        _check_channels(network, units, album.size)
        fields = receptive_fields(network, album.size, layers)
        refused = []
        found = strongest(
            network,
            album,
            layers,
            COUNT,
            _watched(len(album)),
            lambda error: refused.append(_say(error)),
        )
        units = units or choose_units(found, arguments.per_layer or PER_LAYER)
        hits = {unit: found[unit.layer].hits(unit.channel) for unit in units}
        shown_units = {
            unit: patches(network, album, unit, hits[unit], arguments.backward) for unit in units
        }
    if not any(hits.values()):
        raise ArgumentError("none of the units fires in these pictures; choose others, or --layers")
    searched, ways = counted(len(album) - len(refused), "picture"), f"{WORDS[arguments.backward]}s"
    title = f"What excites units most in {searched}, and the {ways}, {SCALED}"
    made = record(
        arguments,
        units=list(map(str, units)),
        backward=arguments.backward,
        size=album.size,
        pictures=searched,
    )
    save_image(
        arguments.output, figure(network, shown_units, fields, title, arguments.backward), made
    )
    for unit in units:
        best = ", ".join(f"{album.names[hit.picture[0]]} {short(hit.value)}" for hit in hits[unit])
        say(f"{unit}: {best or 'fires in none of the pictures'}")
    for layer in layers:
        _tell_silent(layer, found[layer])
    say(f"{arguments.output}: patches of {searched}, and their {ways}, {SCALED}")
    return 2 if refused else 0


def _check(arguments):
    check_numbers(arguments, 1, "per_layer", "size", "limit")
    if arguments.dataset:
        check_idle(arguments, "--dataset", "size", "tiles")
    else:
        check_idle(arguments, "a FOLDER", "data")
    if arguments.units:
        check_idle(arguments, "--units", "per_layer")
    check_files(arguments)


def _album(arguments, size):
    if size and len(size) != 2:
        raise ArgumentError(
            f"{arguments.model} takes arrays {(*size, 'channels')}, no pictures; name a network that sees pictures"
        )
    if arguments.dataset:
        pictures, _ = DATA_SETS[arguments.dataset](arguments.data, "train")
        return DataSet(pictures[: arguments.limit], size)
    if size:
        check_idle(arguments, f"a network that takes {'x'.join(map(str, size))}", "size")
    side = arguments.size or SIZE
    earlier = arguments.output if _is_of_patches(arguments.output) else None
    album = Folder(arguments.folder, size or (side, side), arguments.tiles, without=earlier)
    must_differ(
        {"--output": arguments.output}, {str(name): album.folder / name for name in album.names}
    )
    album.names = album.names[: arguments.limit]
    return album


def _is_of_patches(path):
    """Whether an earlier run of this command has written it"""
    try:
        return read_metadata(path)["command"].startswith("minidl visualize patches ")
    # there is none, or none of minidl's, or of anybody's
    except (FileError, TypeError, KeyError, AttributeError):
        return False


def _watched(total):
    """pictures -> pictures, with a bar"""

    def watched(pictures):
        with progress(total, "picture") as bar:
            for each in pictures:
                yield each
                bar.update()

    return watched


def _say(error):
    warn(error)
    return error


def _check_channels(network, units, size):
    """Refuse a channel that a layer lacks now, rather than after a long search"""
    if not units:
        return
    blank = to_device(np.zeros((1, *size, 3), np.float32), current_device())
    for layer, found in network.activations(blank, {unit.layer for unit in units}).items():
        for unit in units:
            if unit.layer == layer:
                unit.among(found.shape[-1])


def _tell_silent(layer, found):
    if silent := found.silent():
        channels = ", ".join(map(str, silent))
        say(
            f"{layer}: {len(silent)} of {found.values.shape[1]} units never fire in these pictures: {channels}"
        )
