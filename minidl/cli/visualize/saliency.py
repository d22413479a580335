"""`minidl visualize saliency`: the parts of a picture that a unit or class depends on."""

import time
from dataclasses import asdict
from itertools import chain

from minidl.backend import current_device, device, to_device
from minidl.cli.lists import word_list
from minidl.cli.options import add_list_layers
from minidl.cli.output import counted, say
from minidl.cli.progress import progress_bar
from minidl.cli.stopping import stoppable
from minidl.cli.visualize.common import (
    add_common,
    add_example,
    add_number,
    add_seed,
    add_size,
    check_files,
    check_numbers,
    named_example,
    record,
)
from minidl.cli.visualize.effort import add_long, announced, in_words, must_fit
from minidl.cli.visualize.naming import (
    add_classes,
    add_layers,
    add_units,
    classes_of,
    layers_of,
    units_of,
)
from minidl.data.images import save_image
from minidl.grids import grid
from minidl.visualize.choosing import unit_for
from minidl.visualize.classes import predictions
from minidl.visualize.drawing import columns, percent
from minidl.visualize.drawing.examples import caption, shaded, shown, with_bar
from minidl.visualize.opening import open_network
from minidl.visualize.saliency.explanation import Explanation
from minidl.visualize.saliency.methods import BASELINES, METHODS, Settings
from minidl.visualize.scalars import OVER, Scalar

COLUMNS = 4
SIZE = 224
MOST = 5  # classes that are printed


def register(actions):
    parser = actions.add_parser(
        "saliency",
        help="show the parts of a picture that a unit or class depends on",
        description="Draw maps of the parts of PICTURE that a unit or class depends on, by several "
        "methods. Each map is drawn in grey, and laid over the picture in orange where its values "
        "are positive and in blue where they are negative. Each map has its own scale, which ends "
        "at the 99th percentile. A signal is drawn as a curve, and a volume as slices.",
    )
    parser.set_defaults(run=run)
    add_example(parser)
    units = parser.add_mutually_exclusive_group()
    add_units(
        units,
        "LAYER:CHANNEL, LAYER or a class (default: the most likely class; in a network without "
        "classes, the channel of the deepest layer whose mean is furthest above its mean on the "
        "shipped pictures)",
    )
    add_classes(units, "classes")
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
    add_long(parser)
    add_common(parser, "saliency.png")


def _add_method_options(parser):
    parser.add_argument(
        "--baseline",
        choices=BASELINES,
        help="uninformative picture for gradient-x-input, integrated and occlusion; mean is the "
        "mean colour of the picture (default: grey; for a signal or a volume black, which is 0)",
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
        help="side of the square that occlusion covers (default: a quarter of the shorter side; of "
        "a signal a sixteenth)",
    )
    parser.add_argument(
        "--stride",
        type=int,
        metavar="PIXELS",
        help="distance between the squares of occlusion (default: half the window)",
    )
    add_layers(
        parser,
        "layers for grad-cam, one map each (default: the deepest layer before the unit that "
        "follows a ReLU)",
    )


def run(arguments):
    _check(arguments)
    with device(arguments.device, arguments.tf32), stoppable() as work:
        network = open_network(arguments.model)
        _, example = named_example(network, arguments, SIZE)
        picture = to_device(example, current_device())
        explanations = _explanations(network, picture, arguments)
        titles = _titles(network, explanations, arguments)
        start, total = time.perf_counter(), sum(len(found.tasks) for found in explanations)
        done = 0
        with progress_bar(total, "map", delay=0.1) as bar:
            for _ in work.steps(chain.from_iterable(found.compute() for found in explanations)):
                done += 1
                bar.update()
        work.must_have(done)
        for found in explanations:
            for saliency_map in found.maps:
                say(": ".join(filter(None, (saliency_map.method, saliency_map.note))))
        unit = ", ".join(str(found.scalar.unit) for found in explanations)
        settings = asdict(explanations[0].tasks[0][1])
        stopped = {"stopped_after": done} if work.stopped else {}
        metadata = record(arguments, unit=unit, settings=settings, **stopped)
        save_image(arguments.output, _drawn(example, explanations, titles), metadata)
        if arguments.sanity:
            for found in explanations:
                for saliency_map, correlation in work.steps(found.changes()):
                    say(
                        f"{saliency_map.method}: rank correlation {correlation:.2f} with random "
                        "weights"
                    )
    seconds = f"{time.perf_counter() - start:.0f} s"
    if work.stopped:
        seconds = f"stopped after {done} of {counted(total, 'map')} and {seconds}"
    say(f"{seconds}; the maps are in {arguments.output}")
    return work.code


def _check(arguments):
    check_numbers(arguments, 1, "samples", "steps", "size", "window", "stride")
    check_numbers(arguments, 0, "noise", "seed", "example")
    check_files(arguments)


def _explanations(network, picture, arguments):
    """Return the Explanations of the units, without their maps."""
    layers = layers_of(network, arguments.layers or ())
    units = [
        *units_of(network, arguments.units or ()),
        *classes_of(network, arguments.classes or ()),
    ] or [unit_for(network, arguments.picture, picture)]
    names = ("baseline", "samples", "noise", "seed", "steps", "window", "stride")
    settings = Settings(**{name: getattr(arguments, name) for name in names})
    explanations = []
    for unit in units:
        scalar = Scalar(network, unit, arguments.over)
        found = Explanation.of(scalar, picture, arguments.methods, settings, layers)
        if arguments.methods is None and "grad-cam" not in dict(found.tasks):
            say(f"grad-cam: left out, as no layer before {unit} has positions and a ReLU")
        explanations.append(found)
    return explanations


def _titles(network, explanations, arguments):
    """Say the value of each unit, the likeliest classes, and how long the maps will take. Return
    the titles."""
    extent = explanations[0].picture.shape[:-1]
    must_fit(network, extent, [found.scalar.unit.layer for found in explanations])
    passes = sum(found.passes for found in explanations) * (1 + arguments.sanity)
    first = announced(
        arguments,
        explanations[0].title,
        passes,
        f"{counted(passes, 'forward pass', 'forward passes')} of {in_words(extent)}",
        "take a smaller --size, a larger --stride, fewer --samples or --steps, or fewer --methods",
    )
    titles = [first, *(found.title() for found in explanations[1:])]
    for title in titles:
        say(title)
    if network.classes:
        best = predictions(network, explanations[0].picture, MOST)
        say(", ".join(f"{found.name} {percent(found.probability)}" for found in best))
    return titles


def _drawn(example, explanations, titles):
    """Return a drawing with pairs of rows. The upper row of a pair shows maps, and the lower row
    shows them laid over the picture. The first column shows the picture and the activations of the
    unit. The first row of each unit is labelled if there are several units."""
    rows, captions = [], []
    labels: list[str | None] = []
    for found, title in zip(explanations, titles, strict=True):
        pairs = _pairs(example, found)
        width = columns(len(pairs), COLUMNS)
        for start in range(0, len(pairs), width):
            for row in zip(*pairs[start : start + width], strict=True):
                rows.append([picture for picture, _ in row])
                captions.append([caption for _, caption in row])
                labels.append(None if start or len(labels) % 2 else title)
    several = len(explanations) > 1
    return grid(
        rows,
        captions,
        labels=labels if several else None,
        title=None if several else titles[0],
        side=max(160, *rows[0][0].shape[:2]),
    )


def _pairs(example, found):
    """Return ((picture, caption) above, (picture, caption) below) of each column."""
    activations, first = found.activations(), None
    if activations is not None:
        shading = shaded(activations, example)
        first = with_bar(shading), f"activation of the unit\n{shading.scale}"
    pairs = [((shown(example), caption(example)), first or (None, None))]
    for saliency_map in found.maps:
        shading = shaded(saliency_map.values, example)
        texts = (saliency_map.method, saliency_map.note, shading.scale)
        above = shading.grey, "\n".join(filter(None, texts))
        pairs.append((above, (with_bar(shading), saliency_map.colours)))
    return pairs
