"""`minidl visualize patches`: the patches of many pictures that activate units most."""

from pathlib import Path

import numpy as np

from minidl.backend import current_device, device, to_device
from minidl.cli.options import LOOKUP, add_list_layers
from minidl.cli.output import counted, say, warn
from minidl.cli.progress import progress_bar
from minidl.cli.stopping import stoppable
from minidl.cli.visualize.common import (
    add_common,
    check_files,
    check_idle,
    check_numbers,
    record,
)
from minidl.cli.visualize.effort import add_long, announced
from minidl.cli.visualize.naming import (
    add_classes,
    add_layers,
    add_units,
    channels_or_classes,
    layers_of,
)
from minidl.data import cifar10, mnist, read_metadata
from minidl.data.images import save_image
from minidl.errors import ArgumentError, FileError
from minidl.files import must_differ
from minidl.visualize.albums import DataSet, Folder
from minidl.visualize.classes import prediction
from minidl.visualize.drawing import percent, short
from minidl.visualize.features import default_layers
from minidl.visualize.opening import open_network
from minidl.visualize.patches import SCALED, WORDS, choose_units, figure, patches
from minidl.visualize.receptive_fields import receptive_fields
from minidl.visualize.rectifiers import RECTIFIERS
from minidl.visualize.strongest import strongest

DATA_SETS = {"cifar10": cifar10, "mnist": mnist}
COUNT = 9  # patches of a unit
PER_LAYER, SIZE = 3, 224


def register(actions):
    parser = actions.add_parser(
        "patches",
        help="find the patches of many pictures that activate units most",
        description=f"Search pictures for the {COUNT} patches that activate each unit most, at "
        "most one in each picture. Draw them next to the gradient of the unit in each patch, which "
        "shows the parts that activated the unit.",
    )
    parser.set_defaults(run=run)
    _add_pictures(parser)
    _add_units(parser)
    parser.add_argument(
        "--backward",
        choices=RECTIFIERS,
        default="deconvnet",
        help="rule for the gradient of a ReLU (default: deconvnet)",
    )
    add_long(parser)
    add_common(parser, "patches.png")


def _add_pictures(parser):
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "folder",
        metavar="FOLDER",
        type=Path,
        nargs="?",
        help="folder of pictures, with its subfolders",
    )
    source.add_argument(
        "--dataset",
        choices=DATA_SETS,
        help="search the training pictures of a data set instead of a folder",
    )
    parser.add_argument(
        "--data", type=Path, metavar="FOLDER", help=f"folder of the data set {LOOKUP}"
    )
    parser.add_argument("--limit", metavar="N", type=int, help="search only the first N pictures")
    parser.add_argument(
        "--size",
        metavar="PIXELS",
        type=int,
        help="side of the central square to which each picture is cropped and resized, if the "
        f"network takes any size (default: {SIZE})",
    )
    parser.add_argument(
        "--tiles",
        action="store_true",
        help="search pictures in full size, divided into squares of --size",
    )


def _add_units(parser):
    units = parser.add_mutually_exclusive_group()
    add_units(units, "units: LAYER:CHANNEL or LAYER CHANNEL, or classes")
    add_classes(units, "classes")
    add_layers(
        units,
        "layers to choose units from (default: the last layer of each size that follows a ReLU)",
    )
    parser.add_argument(
        "--per-layer",
        metavar="N",
        type=int,
        help="number of units of each layer: those whose fifth patch is furthest above the mean of "
        f"all pictures (default: {PER_LAYER})",
    )
    add_list_layers(parser)


def run(arguments):
    _check(arguments)
    refused = []

    def refuse(error):
        warn(error)
        refused.append(error)

    with device(arguments.device, arguments.tf32), stoppable() as work:
        network = open_network(arguments.model)
        album = _album(arguments, network.size)
        units = channels_or_classes(network, arguments)
        layers = _layers(network, album, units, arguments.layers)
        fields = receptive_fields(network, album.size, layers)
        _announce(arguments, network, album, units, layers)
        bar = _Searched(work, len(album))
        hits_of_layers = strongest(network, album, layers, COUNT, bar, refuse)
        units = units or choose_units(hits_of_layers, arguments.per_layer or PER_LAYER)
        hits = {unit: _hits(network, unit, hits_of_layers[unit.layer]) for unit in units}
        drawn = {
            unit: patches(network, album, unit, hits[unit], arguments.backward) for unit in units
        }
        if not any(hits.values()):
            raise ArgumentError(
                "none of the units is active in these pictures; choose others, or --layers"
            )
        searched = counted(bar.count - len(refused), "picture")
        gradients = f"{WORDS[arguments.backward]}s"
        title = f"What activates units most in {searched}, and the {gradients}, {SCALED}"
        metadata = record(
            arguments,
            units=list(map(str, units)),
            backward=arguments.backward,
            size=album.size,
            pictures=searched,
        )
        drawing = figure(network, drawn, fields, title, arguments.backward)
        save_image(arguments.output, drawing, metadata)
        for unit in units:
            _report(network, unit, album, hits[unit])
    for layer in layers:
        if not (network.classes and layer == network.steps[-1].name):
            _report_inactive(layer, hits_of_layers[layer])
    if work.stopped:
        searched = f"{searched}, stopped before the other {len(album) - bar.count:,}"
    say(f"{arguments.output}: patches of {searched}, and their {gradients}, {SCALED}")
    return work.code or (2 if refused else 0)


def _check(arguments):
    check_numbers(arguments, 1, "per_layer", "size", "limit")
    if arguments.dataset:
        check_idle(arguments, "--dataset", "size", "tiles")
    else:
        check_idle(arguments, "a FOLDER", "data")
    for option, named in (("--units", arguments.units), ("--class", arguments.classes)):
        if named:
            check_idle(arguments, option, "per_layer")
    check_files(arguments)


def _album(arguments, size):
    if size and len(size) != 2:
        raise ArgumentError(
            f"{arguments.model} takes arrays {(*size, 'channels')}, no pictures; "
            "name a network of pictures"
        )
    if arguments.dataset:
        pictures, _ = DATA_SETS[arguments.dataset](arguments.data, "train")
        return DataSet(pictures[: arguments.limit], size)
    if size:
        check_idle(arguments, f"a network that takes {'x'.join(map(str, size))}", "size")
    side = arguments.size or SIZE
    earlier = arguments.output if _is_of_patches(arguments.output) else None
    album = Folder(arguments.folder, size or (side, side), arguments.tiles, without=earlier)
    inputs = {str(name): album.folder / name for name in album.names}
    must_differ({"--output": arguments.output}, inputs)
    album.names = album.names[: arguments.limit]
    return album


def _is_of_patches(path):
    """Return whether this command wrote the file."""
    try:
        return read_metadata(path)["command"].startswith("minidl visualize patches ")
    except (FileError, TypeError, KeyError, AttributeError):
        # no such file, or one without metadata of minidl
        return False


def _layers(network, album, units, names):
    """Return the layers of the units, the named layers, or the default layers, each once."""
    layers = [unit.layer for unit in units] or names or default_layers(network, album.size)
    return layers_of(network, layers)


class _Searched:
    """Passes an iterable of pictures through, as far as it is not stopped, and shows a progress
    bar. count: the pictures so far"""

    def __init__(self, work, total):
        self._work, self._total, self.count = work, total, 0

    def __call__(self, pictures):
        with progress_bar(self._total, "picture", delay=0.1) as bar:
            for picture in self._work.steps(pictures):
                yield picture
                self.count += 1
                bar.update()
        self._work.must_have(self.count)


def _announce(arguments, network, album, units, layers):
    """Say how long the search will take. Refuse, before it, channels that a layer lacks."""
    count = album.count_parts()
    height, width = album.size
    blank = to_device(np.zeros((1, height, width, 3), np.float32), current_device())
    activations = announced(
        arguments,
        lambda: network.activations(blank, layers),
        count,
        f"searching {counted(count, 'picture')} of {width}x{height}",
        "take fewer pictures with --limit, or a smaller --size",
    )
    for unit in units:
        unit.among(activations[unit.layer].shape[-1])


def _hits(network, unit, found):
    """Return the Hits of a unit where it is active, and of a class with any score."""
    is_class = network.class_name(unit) is not None
    return found.hits(unit.channel, -np.inf if is_class else 0.0)


def _report(network, unit, album, hits):
    best = ", ".join(
        f"{album.names[hit.picture[0]]} {_strength(network, unit, album, hit)}" for hit in hits
    )
    name = network.class_name(unit) or unit
    say(f"{name}: {best or 'is active in none of the pictures'}")


def _strength(network, unit, album, hit):
    """Return the activation of a hit and, if the unit is a class, its probability."""
    if network.class_name(unit) is None:
        return short(hit.value)
    file, part = hit.picture
    picture = to_device(album.read(file)[part], current_device())
    found = prediction(network, picture, unit)
    assert found
    return f"{short(hit.value)} ({percent(found.probability)})"


def _report_inactive(layer, hits):
    if inactive := hits.silent():
        channels = ", ".join(map(str, inactive))
        count = hits.values.shape[1]
        say(
            f"{layer}: {len(inactive)} of {count} units are never active in these pictures: "
            f"{channels}"
        )
