"""`minidl visualize report`: one picture, looked into from all sides, as a page."""

import time
from pathlib import Path

import minidl
from minidl.backend import device
from minidl.cli.output import shown
from minidl.cli.saying import say
from minidl.cli.visualize.common import add_common, check_numbers, progress, read_picture
from minidl.errors import ArgumentError
from minidl.files import must_be_writable, must_differ, must_exist, replacing
from minidl.visualize.drawing.page import Figure, Row, Section, page
from minidl.visualize.opening import open_network
from minidl.visualize.report import CHAPTERS, Settings, Subject

PAGES = (".html", ".htm")
SIZE = 224


def register(actions):
    parser = actions.add_parser(
        "report",
        help="one picture, looked into from all sides, as a page",
        description="What a network makes of PICTURE, as one HTML page that needs no server: where channels fire, what single "
        "units look for, on which parts a unit or class depends, what layers keep, and a dream.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("picture", metavar="PICTURE", type=Path)
    parser.add_argument(
        "--size", type=int, metavar="PIXELS", help=f"longer side, at most (default: {SIZE})"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of all that is random (default: 0)"
    )
    add_common(parser, "report.html", "PAGE")


def run(arguments):
    check_numbers(arguments, 32, "size")
    check_numbers(arguments, 0, "seed")
    must_exist(arguments.picture, "picture")
    must_differ(
        {"--output": must_be_writable(arguments.output)},
        {"PICTURE": arguments.picture, "--model": arguments.model},
    )
    if arguments.output.suffix.lower() not in PAGES:
        raise ArgumentError(
            f"{arguments.output}: pages are written as {' or '.join(PAGES)}; give the name this ending"
        )
    begun, sections = time.perf_counter(), []
    with device(arguments.device, arguments.tf32):
        network = open_network(arguments.model)
        example = read_picture(network, arguments, SIZE, least=2)  # neighbours are compared
        subject = Subject.of(network, arguments.picture, example, Settings(seed=arguments.seed))
        with progress(len(CHAPTERS), "chapter") as bar:
            for chapter in CHAPTERS:
                bar.set_description(chapter.__name__.replace("_", " "))
                sections.append(chapter(subject))
                bar.update()
    name, (height, width) = arguments.picture.name, example.shape[:2]
    itself = Row([Figure(example, name)], size="large")
    picture = Section("The picture", f"{width}x{height}, as the network saw it.", [itself])
    words = f"What {arguments.model} makes of {name}, in {len(sections)} chapters."
    text = page(
        f"Inside a network: {name}",
        words,
        [picture, *sections],
        f"{arguments.command} (minidl {minidl.__version__})",
    )
    with replacing(arguments.output) as path:
        path.write_text(text, encoding="utf-8")
    say(f"{time.perf_counter() - begun:.0f} s; the page is {shown(arguments.output)}")
