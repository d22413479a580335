"""`minidl visualize report`: all that can be seen of one picture, as a page."""

import time
from pathlib import Path

import minidl
from minidl.backend import device
from minidl.cli.output import shown
from minidl.cli.saying import say
from minidl.cli.visualize.common import add_common, progress
from minidl.errors import ArgumentError
from minidl.files import must_be_writable, must_differ, must_exist, replacing
from minidl.visualize.drawing.page import Figure, Row, Section, page
from minidl.visualize.opening import open_network
from minidl.visualize.report import CHAPTERS, Settings, Subject

PAGES = (".html", ".htm")


def register(actions):
    parser = actions.add_parser(
        "report",
        help="all of it as one page",
        description="What a network makes of PICTURE, looked into from all sides, as one HTML page that needs no server.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("picture", metavar="PICTURE", type=Path)
    parser.add_argument("--size", type=int, default=224, metavar="PIXELS", help="longer side, at most (default: 224)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of all that is random (default: 0)")
    add_common(parser, "report.html", "PAGE")


def run(arguments):
    if arguments.size < 32 or arguments.seed < 0:
        raise ArgumentError(
            f"found --size {arguments.size} and --seed {arguments.seed}; wanted at least 32 pixels, and a seed from 0 on"
        )
    must_exist(arguments.picture, "picture")
    must_differ({"--output": must_be_writable(arguments.output)}, {"PICTURE": arguments.picture, "--model": arguments.model})
    if arguments.output.suffix.lower() not in PAGES:
        raise ArgumentError(f"{arguments.output}: pages are written as {' or '.join(PAGES)}; give the name this ending")
    begun, sections = time.perf_counter(), []
    with device(arguments.device, arguments.tf32):
        network = open_network(arguments.model)
        subject = Subject.of(network, arguments.picture, arguments.size, Settings(seed=arguments.seed))
        with progress(len(CHAPTERS), "chapter") as bar:
            for chapter in CHAPTERS:
                bar.set_description(chapter.__name__.replace("_", " "))
                sections.append(chapter(subject))
                bar.update()
    name, (height, width) = arguments.picture.name, subject.example.shape[:2]
    itself = Row([Figure(subject.example, name)], size="large")
    picture = Section("The picture", f"{width}x{height}, as the network saw it.", [itself])
    words = f"What {arguments.model} makes of {name}, in {len(sections)} chapters."
    text = page(f"Inside a network: {name}", words, [picture, *sections], f"{arguments.command} (minidl {minidl.__version__})")
    with replacing(arguments.output) as path:
        path.write_text(text, encoding="utf-8")
    say(f"{time.perf_counter() - begun:.0f} s; the page is {shown(arguments.output)}")
