"""`minidl visualize report`: all visualizations of one picture on an HTML page."""

import time

import minidl
from minidl.backend import device
from minidl.cli.output import say
from minidl.cli.progress import progress_bar
from minidl.cli.visualize.common import (
    add_common,
    add_picture,
    add_seed,
    add_size,
    check_numbers,
    read_picture,
)
from minidl.errors import ArgumentError
from minidl.files import must_be_writable, must_differ, must_exist, replacing
from minidl.visualize.drawing.page import Figure, Row, Section, page
from minidl.visualize.opening import open_network
from minidl.visualize.report import CHAPTERS, Settings, Subject

SUFFIXES = (".html", ".htm")
SIZE = 224


def register(actions):
    parser = actions.add_parser(
        "report",
        help="make an HTML page with all visualizations of a picture",
        description="Make an HTML page that shows what a network computes from PICTURE: the "
        "activation maps of layers, the pictures that activate single units most, the parts that a "
        "unit or class depends on, reconstructions from layers, and a dream. The page needs no "
        "other files.",
    )
    parser.set_defaults(run=run)
    add_picture(parser)
    add_size(parser, SIZE)
    add_seed(parser, "all random numbers")
    add_common(parser, "report.html", form="page")


def run(arguments):
    _check(arguments)
    start, sections = time.perf_counter(), []
    with device(arguments.device, arguments.tf32):
        network = open_network(arguments.model)
        # the total variation of a reconstruction compares neighbouring pixels
        example = read_picture(network, arguments, SIZE, least=2)
        subject = Subject.of(network, arguments.picture, example, Settings(seed=arguments.seed))
        with progress_bar(len(CHAPTERS), "chapter", delay=0.1) as bar:
            for chapter in CHAPTERS:
                bar.set_description(chapter.__name__.replace("_", " "))
                sections.append(chapter(subject))
                bar.update()
    name, (height, width) = arguments.picture.name, example.shape[:2]
    original = Row([Figure(example, name)], size="large")
    picture = Section("The picture", f"{width}x{height}, as the network saw it.", [original])
    text = page(
        f"Inside a network: {name}",
        f"What {arguments.model} computes from {name}, in {len(sections)} chapters.",
        [picture, *sections],
        f"{arguments.command} (minidl {minidl.__version__})",
    )
    with replacing(arguments.output) as path:
        path.write_text(text, encoding="utf-8")
    say(f"{time.perf_counter() - start:.0f} s; the page is {arguments.output}")


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
