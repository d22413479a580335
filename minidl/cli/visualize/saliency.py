"""`minidl visualize saliency`: on which parts of a picture a number of the network depends."""

import time
from dataclasses import asdict
from pathlib import Path

from minidl.backend import current_device, device, read_numbers, to_device, to_numpy
from minidl.cli.lists import word_list
from minidl.cli.options import add_list_layers
from minidl.cli.output import shown
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
from minidl.visualize.choosing import unit_for
from minidl.visualize.drawing import short
from minidl.visualize.drawing.grids import grid
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
        help="the parts of a picture that a unit depends on",
        description="Maps of the parts of PICTURE that a number of the network depends on, by several methods, each in grey "
        "and laid over the picture in orange and, where numbers are negative, in blue. Each is scaled alone, to where 99 % of "
        "its numbers end.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("picture", metavar="PICTURE", type=Path)
    parser.add_argument(
        "--unit", metavar="UNIT",
        help="LAYER:CHANNEL, a LAYER, or a class (default: the likeliest class; of a network without classes, that channel of "
        "the deepest layer whose mean is furthest above what the pictures that ship give)",
    )  # fmt: skip
    parser.add_argument(
        "--over",
        choices=OVER,
        default="mean",
        help="of the positions of the unit: their mean, or the largest (default: mean)",
    )
    parser.add_argument(
        "--methods",
        type=word_list(METHODS),
        metavar="METHOD,...",
        help=f"of {', '.join(METHODS)} (default: all)",
    )
    parser.add_argument(
        "--baseline", choices=BASELINES, default="grey",
        help="what says nothing: of input, integrated gradients and occlusion (default: grey; mean: of the picture)",
    )  # fmt: skip
    parser.add_argument(
        "--samples", type=int, default=16, metavar="N", help="of SmoothGrad (default: 16)"
    )
    parser.add_argument(
        "--noise",
        type=float,
        default=0.15,
        metavar="SHARE",
        help="of SmoothGrad (default: 0.15 of the range)",
    )
    parser.add_argument(
        "--steps", type=int, default=32, metavar="N", help="of integrated gradients (default: 32)"
    )
    parser.add_argument(
        "--window",
        type=int,
        metavar="PIXELS",
        help="of occlusion (default: a quarter of the shorter side)",
    )
    parser.add_argument(
        "--stride", type=int, metavar="PIXELS", help="of occlusion (default: half the window)"
    )
    parser.add_argument(
        "--layer",
        metavar="LAYER",
        help="layer for Grad-CAM (default: the deepest after a ReLU, before that of the unit)",
    )
    add_list_layers(parser)
    parser.add_argument(
        "--sanity",
        action="store_true",
        help="make the maps again from random weights and tell how alike they are",
    )
    parser.add_argument(
        "--size", type=int, metavar="PIXELS", help=f"longer side, at most (default: {SIZE})"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of SmoothGrad's noise (default: 0)"
    )
    add_common(parser, "saliency.png")


def run(arguments):
    _check(arguments)
    begun = time.perf_counter()
    with device(arguments.device, arguments.tf32):
        network = open_network(arguments.model)
        example = read_picture(network, arguments, SIZE)
        picture = to_device(example, current_device())
        asks = arguments.unit is not None
        unit = (
            parse_unit(network, arguments.unit)
            if asks
            else unit_for(network, arguments.picture, picture)
        )
        scalar = Scalar(network, unit, arguments.over)
        names = ("baseline", "samples", "noise", "seed", "steps", "window", "stride", "layer")
        settings = Settings(**{name: getattr(arguments, name) for name in names})
        methods, settings = fitted(scalar, picture, arguments.methods, settings)
        if arguments.methods is None and "grad-cam" not in methods:
            say(f"grad-cam: left out, as no layer before {unit} has positions and a ReLU")
        [number] = read_numbers(value(scalar, picture[None]))
        say(f"{scalar}: {short(number)}")
        maps = []
        with progress(len(methods), "map") as bar:
            for each in saliency(scalar, picture, methods, settings):
                maps.append(each)
                bar.update()
        for each in maps:
            say(f"{each.method}: {each.note}" if each.note else each.method)
        title, pictures = (
            f"{scalar}: {short(number)}",
            [shades(each.values, example) for each in maps],
        )
        made = record(arguments, unit=str(unit), settings=asdict(settings))
        save_image(
            arguments.output, _drawn(example, maps, pictures, title, _fires(scalar, picture)), made
        )
        if arguments.sanity:
            for method, correlation in changes(scalar, picture, maps, settings):
                say(f"{method}: rank correlation {correlation:.2f} with random weights")
    say(f"{time.perf_counter() - begun:.0f} s; the maps are {shown(arguments.output)}")


def _check(arguments):
    check_numbers(arguments, 1, "samples", "steps", "size", "window", "stride")
    check_numbers(arguments, 0, "noise", "seed")
    check_files(arguments)


def _fires(scalar, picture):
    """(h, w): a unit's activations at its positions; None where it has none"""
    [activations] = scalar.network.activations(picture[None], [scalar.unit.layer]).values()
    if scalar.unit.channel is None or activations.ndim != 4:
        return None
    return to_numpy(scalar.unit.of(activations)[0])


def _drawn(example, maps, pictures, title, fires):
    """Rows of maps, each above the row of the same laid over the picture; the picture itself stands
    first"""
    own = None if fires is None else shades(fires, example)
    above, below = [example], [None if own is None else own.laid_over]
    texts, texts_below = ["the picture"], [own and f"where the unit fires\n{own.scale}"]
    for each, drawn in zip(maps, pictures, strict=True):
        above.append(drawn.grey)
        below.append(drawn.laid_over)
        texts.append("\n".join(filter(None, (each.method, each.note, drawn.scale))))
        texts_below.append(each.colours)
    parts = [slice(begin, begin + COLUMNS) for begin in range(0, len(above), COLUMNS)]
    rows = [row[part] for part in parts for row in (above, below)]
    captions = [row[part] for part in parts for row in (texts, texts_below)]
    return grid(rows, captions, title=title, side=max(160, *example.shape[:2]))
