"""`minidl data`: download data sets, and describe those that are on this machine."""

from pathlib import Path

import numpy as np

from minidl.cli.options import LOOKUP, as_sentence
from minidl.cli.output import say, shown
from minidl.data import cifar10, mnist
from minidl.data.cifar10 import FORMS as CIFAR10_FORMS
from minidl.data.fetch import SOURCES, fetch
from minidl.data.mnist import FORMS as MNIST_FORMS
from minidl.data.places import find
from minidl.errors import FileError

READERS = {"mnist": (mnist, MNIST_FORMS), "cifar10": (cifar10, CIFAR10_FORMS)}


def register(commands):
    purpose = "download data sets, and describe those on this machine"
    parser = commands.add_parser("data", help=purpose, description=as_sentence(purpose))
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    command = actions.add_parser(
        "fetch",
        help="download a data set and verify it",
        description="Download a data set from its official address, and verify its checksums.",
    )
    command.add_argument("name", metavar="NAME", choices=SOURCES, help=" or ".join(SOURCES))
    command.add_argument(
        "--to",
        metavar="FOLDER",
        type=Path,
        help="folder for the files (default: minidl's folder in the user's cache)",
    )
    command.add_argument("--quiet", action="store_true", help="show no progress bar")
    command.set_defaults(run=_fetch)

    info = actions.add_parser(
        "info",
        help="describe the data sets on this machine",
        description="Read data sets, and print where they are and how many pictures of each class "
        "they contain. The exit code is 2 if one is missing or damaged.",
    )
    choices = " or ".join(READERS)
    info.add_argument(
        "name", metavar="NAME", nargs="?", choices=READERS, help=f"{choices} (default: both)"
    )
    info.add_argument("--data", metavar="FOLDER", type=Path, help=f"folder to look in {LOOKUP}")
    info.set_defaults(run=_info)


def _fetch(arguments):
    say(f"{arguments.name} is in {fetch(arguments.name, arguments.to, arguments.quiet)}")


def _info(arguments):
    if arguments.name:
        return _describe(arguments.name, arguments.data)
    code = 0
    for name in READERS:
        try:
            _describe(name, arguments.data)
        except FileError as error:
            print(f"{name}: {shown(error)}")
            code = 2
    return code


def _describe(name, folder):
    reader, forms = READERS[name]
    for part in forms:
        pictures, labels = reader(folder, part)
        height, width, *_ = pictures.shape[1:]
        place = find(name, forms[part], folder)[0].parent
        print(f"{name} {part}: {len(pictures):,} pictures of {height} x {width}, in {shown(place)}")
        counts = np.bincount(labels, minlength=10)
        print("  of each class:", ", ".join(f"{count:,}" for count in counts))
