"""`minidl visualize saliency`: the parts of a picture that a unit or class depends on."""

import time
from dataclasses import asdict

from minidl.backend import current_device, device, read_numbers, to_device, to_numpy
from minidl.cli.lists import word_list
from minidl.cli.options import add_list_layers
from minidl.cli.output import say
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
from minidl.typing import Array
from minidl.visualize.choosing import unit_for
from minidl.visualize.drawing import short
from minidl.visualize.drawing.shades import shades
from minidl.visualize.opening import open_network
from minidl.visualize.saliency.methods import BASELINES, METHODS, Settings, fitted, saliency
from minidl.visualize.saliency.sanity import changes
from minidl.visualize.scalars import OVER, Scalar, value
from minidl.visualize.units import parse_unit

COLUMNS = 4
SIZE = 224


def register(actions):
    parser = actions.add_parser(
        "saliency",
        help="show the parts of a picture that a unit or class depends on",
        description="Draw maps of the parts of PICTURE that a unit or class depends on, by several "
        "methods. Each map is drawn in grey, and laid over the picture in orange where its values "
        "are positive and in blue where they are negative. Each map has its own scale, which ends "
        "at the 99th percentile.",
    )
    parser.set_defaults(run=run)
    add_picture(parser)
    parser.add_argument(
        "--unit",
        metavar="UNIT",
        help="LAYER:CHANNEL, LAYER or a class (default: the most likely class; in a network "
        "without classes, the channel of the deepest layer whose mean is furthest above its mean "
        "on the shipped pictures)",
    )
    parser.add_argument(
        "--over",
        choices=OVER,
        default="mean",
        help="reduction over the positions of the unit (default: mean)",
    )
    parser.add_argument(
        "--methods",
        type=word_list(METHODS),
        metavar="METHOD,...",
        help=f"{', '.join(METHODS)} (default: all)",
    )
    add_list_layers(parser)
    _add_method_options(parser)
    parser.add_argument(
        "--sanity",
        action="store_true",
        help="also make the maps from random weights, and print their rank correlation with the "
        "others",
    )
    add_size(parser, SIZE)
    add_seed(parser, "SmoothGrad's noise")
    add_common(parser, "saliency.png")


def _add_method_options(parser):
    parser.add_argument(
        "--baseline",
        choices=BASELINES,
        default="grey",
        help="uninformative picture for gradient-x-input, integrated and occlusion; mean is the "
        "mean colour of the picture (default: grey)",
    )
    add_number(parser, "--samples", 16, "N", "number of noisy pictures for smoothgrad")
    add_number(
        parser, "--noise", 0.15, "SHARE", "noise of smoothgrad, as a share of the picture's range"
    )
    add_number(parser, "--steps", 32, "N", "number of steps of integrated")
    parser.add_argument(
        "--window",
        type=int,
        metavar="PIXELS",
        help="side of the square that occlusion covers (default: a quarter of the shorter side)",
    )
    parser.add_argument(
        "--stride",
        type=int,
        metavar="PIXELS",
        help="distance between the squares of occlusion (default: half the window)",
    )
    parser.add_argument(
        "--layer",
        metavar="LAYER",
        help="layer for grad-cam (default: the deepest layer before the unit that follows a ReLU)",
    )


def run(arguments):
    _check(arguments)
    start = time.perf_counter()
    with device(arguments.device, arguments.tf32):
        network = open_network(arguments.model)
        example = read_picture(network, arguments, SIZE)
        picture = to_device(example, current_device())
        unit = (
            unit_for(network, arguments.picture, picture)
            if arguments.unit is None
            else parse_unit(network, arguments.unit)
        )
        scalar = Scalar(network, unit, arguments.over)
        names = ("baseline", "samples", "noise", "seed", "steps", "window", "stride", "layer")
        settings = Settings(**{name: getattr(arguments, name) for name in names})
        methods, settings = fitted(scalar, picture, arguments.methods, settings)
        if arguments.methods is None and "grad-cam" not in methods:
            say(f"grad-cam: left out, as no layer before {unit} has positions and a ReLU")
        [number] = read_numbers(value(scalar, picture[None]))
        title = f"{scalar}: {short(number)}"
        say(title)
        maps = []
        with progress_bar(len(methods), "map", delay=0.1) as bar:
            for saliency_map in saliency(scalar, picture, methods, settings):
                maps.append(saliency_map)
                bar.update()
        for saliency_map in maps:
            say(": ".join(filter(None, (saliency_map.method, saliency_map.note))))
        metadata = record(arguments, unit=str(unit), settings=asdict(settings))
        drawing = _drawn(example, maps, title, _activations(scalar, picture))
        save_image(arguments.output, drawing, metadata)
        if arguments.sanity:
            for method, correlation in changes(scalar, picture, maps, settings):
                say(f"{method}: rank correlation {correlation:.2f} with random weights")
    say(f"{time.perf_counter() - start:.0f} s; the maps are in {arguments.output}")


def _check(arguments):
    check_numbers(arguments, 1, "samples", "steps", "size", "window", "stride")
    check_numbers(arguments, 0, "noise", "seed")
    check_files(arguments)


def _activations(scalar, picture):
    """Return the activations (h, w) of the unit, or None if its layer has no positions or if the
    unit is not a channel."""
    [activations] = scalar.network.activations(picture[None], [scalar.unit.layer]).values()
    if scalar.unit.channel is None or activations.ndim != 4:
        return None
    return to_numpy(scalar.unit.of(activations)[0])


def _drawn(example, maps, title, activations):
    """Return a drawing with pairs of rows. The upper row of a pair shows maps, and the lower row
    shows them laid over the picture. The first column shows the picture and the activations of the
    unit."""
    above, captions_above = [example], ["the picture"]
    below: list[Array | None] = []
    captions_below: list[str | None] = []
    if activations is None:
        below.append(None)
        captions_below.append(None)
    else:
        shading = shades(activations, example)
        below.append(shading.laid_over)
        captions_below.append(f"activation of the unit\n{shading.scale}")
    for saliency_map in maps:
        shading = shades(saliency_map.values, example)
        above.append(shading.grey)
        below.append(shading.laid_over)
        texts = (saliency_map.method, saliency_map.note, shading.scale)
        captions_above.append("\n".join(filter(None, texts)))
        captions_below.append(saliency_map.colours)
    parts = [slice(start, start + COLUMNS) for start in range(0, len(above), COLUMNS)]
    rows = [row[part] for part in parts for row in (above, below)]
    captions = [row[part] for part in parts for row in (captions_above, captions_below)]
    return grid(rows, captions, title=title, side=max(160, *example.shape[:2]))
