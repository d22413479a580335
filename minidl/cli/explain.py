"""`minidl explain`: the maths, the code, the proof and the time of an op, a loss or a layer."""

import os
import sys

from minidl.book import explanation, overview, subject


def register(commands):
    parser = commands.add_parser(
        "explain",
        help="show the maths, the code, the proof and the time of an op, a loss, a layer, an "
        "optimiser, a schedule or an algorithm",
        description="Explain NAME: the shapes and the formula, each gradient with its derivation, "
        "the code with the numbers of its lines, and where the engine's fast implementation is. "
        "The worked example, the proof and the time are computed now. Without a NAME, list all "
        "names.",
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="such as convolution, Adam or winograd"
    )


def run(arguments):
    colour = bool(sys.stdout) and sys.stdout.isatty() and "NO_COLOR" not in os.environ
    if arguments.name is None:
        lines = overview(colour)
    else:
        lines = explanation(subject(arguments.name), colour)
    for line in lines:
        print(line, flush=True)
