"""`minidl visualize report`: all visualizations of one picture on an HTML page."""

import time

import minidl
from minidl.backend import device
from minidl.cli.lists import word_list
from minidl.cli.options import add_list_layers
from minidl.cli.output import say
from minidl.cli.progress import progress_bar
from minidl.cli.stopping import stoppable
from minidl.cli.visualize.common import (
    add_common,
    add_picture,
    add_seed,
    add_size,
    check_numbers,
    read_picture,
)
from minidl.cli.visualize.effort import add_long, announced, must_fit
from minidl.cli.visualize.naming import (
    add_classes,
    add_layers,
    add_units,
    channels_or_classes,
    layers_of,
)
from minidl.errors import ArgumentError
from minidl.files import must_be_writable, must_differ, must_exist, replacing
from minidl.visualize.drawing import percent, short
from minidl.visualize.drawing.page import page
from minidl.visualize.opening import open_network
from minidl.visualize.report import CHAPTERS, NAMES, Settings, Subject, passes, verdict
from minidl.visualize.scalars import value

SUFFIXES = (".html", ".htm")
SIZE = 224


def register(actions):
    parser = actions.add_parser(
        "report",
        help="make an HTML page with all visualizations of a picture",
        description="Make an HTML page that shows what a network computes from PICTURE: the "
        "likeliest classes, the parts that a class or another unit depends on, the pictures that "
        "activate single units most, the activation maps of layers, reconstructions from layers, "
        "and dreams. The page needs no other files, and no network.",
    )
    parser.set_defaults(run=run)
    add_picture(parser)
    parser.add_argument(
        "--chapters",
        type=word_list(NAMES),
        metavar="CHAPTER,...",
        default=list(NAMES),
        help=f"chapters after the first: {', '.join(NAMES)} (default: all)",
    )
    add_layers(parser, "layers to show (default: the last layer of each size that follows a ReLU)")
    unit = parser.add_mutually_exclusive_group()
    add_units(
        unit,
        "the unit to explain, LAYER:CHANNEL or a class (default: the likeliest class; in a network "
        "without classes, the most distinctive channel of the deepest layer)",
    )
    add_classes(unit, "the class to explain")
    add_list_layers(parser)
    add_size(parser, SIZE)
    add_seed(parser, "all random numbers")
    add_long(parser)
    add_common(parser, "report.html", form="page")


def run(arguments):
    _check(arguments)
    with device(arguments.device, arguments.tf32), stoppable() as work:
        network = open_network(arguments.model)
        # the total variation of a reconstruction compares neighbouring pixels
        example = read_picture(network, arguments, SIZE, least=2)
        subject = _subject(network, example, arguments, work)
        height, width, _ = example.shape
        must_fit(network, (height, width), [*subject.layers, subject.unit.layer])
        start = time.perf_counter()
        announced(
            arguments,
            lambda: value(subject.scalar, subject.picture[None]),
            passes(subject, arguments.chapters),
            f"a report on {width}x{height}",
            "take a smaller --size, or fewer --chapters or --layers",
        )
        sections = [verdict(subject)]
        work.must_have(len(sections[0].rows[0].figures) > 1)
        chapters = [
            chapter
            for name, chapter in zip(NAMES, CHAPTERS, strict=True)
            if name in arguments.chapters
        ]
        with progress_bar(len(chapters), "chapter", delay=0.1) as bar:
            for chapter in work.steps(chapters):
                bar.set_description(chapter.__name__.replace("_", " "))
                sections.append(chapter(subject))
                bar.update()
    for found in sections[0].bars:
        say(f"{found.name}: {short(found.score)}, probability {percent(found.probability)}")
    name, sections = arguments.picture.name, [section for section in sections if section.rows]
    text = page(
        f"Inside a network: {name}",
        f"What {arguments.model} computes from {name}, in {len(sections)} chapters."
        + work.stopped * " The computation was stopped before the end.",
        sections,
        f"{arguments.command} (minidl {minidl.__version__})",
    )
    with replacing(arguments.output) as path:
        path.write_text(text, encoding="utf-8")
    seconds = f"{time.perf_counter() - start:.0f} s"
    if work.stopped:
        seconds = f"stopped after {seconds}, in chapter {len(sections)} of {1 + len(chapters)}"
    say(f"{seconds}; the page is {arguments.output}")
    return work.code


def _subject(network, example, arguments, work):
    layers = layers_of(network, arguments.layers or ())
    units = channels_or_classes(network, arguments)
    if len(units) > 1:
        raise ArgumentError(
            f"found {len(units)} units; a report explains one: make a report for each"
        )
    settings, unit = Settings(seed=arguments.seed), units[0] if units else None
    return Subject.of(network, arguments.picture, example, settings, layers, unit, work.steps)


def _check(arguments):
    check_numbers(arguments, 32, "size")
    check_numbers(arguments, 0, "seed")
    must_exist(arguments.picture, "picture")
    must_differ(
        {"--output": must_be_writable(arguments.output)},
        {"PICTURE": arguments.picture, "--model": arguments.model},
    )
    if arguments.output.suffix.lower() not in SUFFIXES:
        raise ArgumentError(
            f"{arguments.output}: pages are written as {' or '.join(SUFFIXES)}; use that ending"
        )
