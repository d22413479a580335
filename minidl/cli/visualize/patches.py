"""`minidl visualize patches`: what excites units, in many pictures."""

import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from minidl.backend import current_device, device, to_device
from minidl.cli.output import counted, shown, warn
from minidl.cli.visualize.common import add_common
from minidl.data import cifar10, mnist, write_image
from minidl.data.images import picture_form
from minidl.errors import ArgumentError
from minidl.files import must_be_writable
from minidl.visualize.albums import DataSet, Folder
from minidl.visualize.features import default_layers
from minidl.visualize.opening import open_network
from minidl.visualize.patches import SCALED, WORDS, choose_units, figure, patches
from minidl.visualize.receptive_fields import receptive_fields
from minidl.visualize.rectifiers import RECTIFIERS
from minidl.visualize.strongest import strongest
from minidl.visualize.units import parse_unit

DATA_SETS = {"cifar10": cifar10, "mnist": mnist}
COUNT = 9  # patches of a unit


def register(actions):
    parser = actions.add_parser(
        "patches",
        help="the patches of many pictures that excite units most",
        description="Search pictures for the nine patches that excite each unit most, at most one of a picture, and show them "
        "beside the way back from the unit to the picture: which part of it made the unit fire.",
    )
    parser.set_defaults(run=run)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("folder", metavar="FOLDER", type=Path, nargs="?", help="of pictures, with the folders in it")
    where.add_argument("--dataset", choices=DATA_SETS, help="search its training pictures")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="of the data set (default: MINIDL_DATA, then your cache)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--units", metavar="UNIT", nargs="+", help="LAYER:CHANNEL, or classes of a trained network")
    what.add_argument("--layers", metavar="LAYER", nargs="+", help="(default: of each size the last layer behind a ReLU)")
    parser.add_argument(
        "--per-layer", metavar="N", type=int, default=3,
        help="units of each layer: those whose fifth patch is the furthest above the mean of all pictures (default: 3)",
    )  # fmt: skip
    parser.add_argument("--backward", choices=RECTIFIERS, default="deconvnet", help="through ReLUs (default: deconvnet)")
    parser.add_argument(
        "--size", metavar="PIXELS", type=int, default=224,
        help="of the square that the middle of each picture is made, where the network does not tell (default: 224)",
    )  # fmt: skip
    parser.add_argument(
        "--tiles", action="store_true", help="do not shrink pictures but search them in squares of that size beside each other"
    )
    parser.add_argument("--limit", metavar="N", type=int, help="search the first N pictures alone")
    add_common(parser, "patches.png")


def run(arguments):
    for name in ("per_layer", "size", "limit"):
        if (value := getattr(arguments, name)) is not None and value < 1:
            raise ArgumentError(f"--{name.replace('_', '-')} is {value}; wanted at least 1")
    picture_form(must_be_writable(arguments.output))
    with device(arguments.device, arguments.tf32):
        network = open_network(arguments.model)
        album = _album(arguments, network.size)
        units = [parse_unit(network, text) for text in arguments.units or []]
        if whole := [unit for unit in units if unit.channel is None]:
            raise ArgumentError(f"{whole[0]} is a whole layer; wanted a unit such as {whole[0]}:17, or --layers {whole[0]}")
        layers = [unit.layer for unit in units] or arguments.layers or default_layers(network, album.size)
        layers = list(dict.fromkeys(map(network.canonical, layers)))
        if units:
            _must_have(network, units, album.size)
        fields = receptive_fields(network, album.size, layers)
        refused = []
        found = strongest(network, album, layers, COUNT, _watched(len(album)), lambda error: refused.append(_say(error)))
        units = units or choose_units(found, arguments.per_layer)
        hits = {unit: found[unit.layer].hits(unit.channel) for unit in units}
        shown_units = {unit: patches(network, album, unit, hits[unit], arguments.backward) for unit in units}
    for unit in units:
        best = ", ".join(f"{shown(album.names[hit.picture[0]])} {hit.value:.4g}" for hit in hits[unit])
        print(f"{unit}: {best or 'fires in none of the pictures'}")
    for layer in layers:
        _tell_silent(layer, found[layer])
    if not any(hits.values()):
        raise ArgumentError("none of the units fires in these pictures; choose others, or --layers")
    searched, ways = counted(len(album) - len(refused), "picture"), f"{WORDS[arguments.backward]}s"
    title = f"What excites units most in {searched}, and the {ways}, {SCALED}"
    write_image(arguments.output, figure(network, shown_units, fields, title, arguments.backward))
    print(f"{shown(arguments.output)}: patches of {searched}, and their {ways}, {SCALED}")
    return 2 if refused else 0


def _album(arguments, size):
    if size and len(size) != 2:
        raise ArgumentError(
            f"{arguments.model} takes arrays {(*size, 'channels')}, no pictures; name a network that sees pictures"
        )
    if arguments.dataset:
        pictures, _ = DATA_SETS[arguments.dataset](arguments.data, "train")
        return DataSet(pictures[: arguments.limit], size)
    album = Folder(arguments.folder, size or (arguments.size, arguments.size), arguments.tiles)
    album.names = album.names[: arguments.limit]
    return album


def _watched(count):
    return lambda pictures: tqdm(pictures, total=count, unit="picture", leave=False, disable=not sys.stderr, mininterval=0.5)


def _say(error):
    warn(error)
    return error


def _must_have(network, units, size):
    """Refuse a channel that a layer lacks now, rather than after a long search"""
    blank = to_device(np.zeros((1, *size, 3), np.float32), current_device())
    for layer, found in network.activations(blank, {unit.layer for unit in units}).items():
        for unit in units:
            if unit.layer == layer and unit.channel >= found.shape[-1]:
                raise ArgumentError(f"there is no unit {unit}; {layer} has {found.shape[-1]} channels, from 0 on")


def _tell_silent(layer, found):
    if silent := found.silent():
        channels = ", ".join(map(str, silent))
        print(f"{layer}: {len(silent)} of {found.values.shape[1]} units never fire in these pictures: {channels}")
