"""minidl data: download data sets, and say which are there."""

from pathlib import Path

import numpy as np

from minidl.cli.output import shown
from minidl.cli.saying import say
from minidl.data import cifar10, mnist
from minidl.data.cifar10 import FORMS as CIFAR10_FORMS
from minidl.data.fetch import SOURCES, fetch
from minidl.data.mnist import FORMS as MNIST_FORMS
from minidl.data.places import find
from minidl.errors import FileError

READERS = {"mnist": (mnist, MNIST_FORMS), "cifar10": (cifar10, CIFAR10_FORMS)}


def register(commands):
    """Add `minidl data fetch | info` to the command line."""
    parser = commands.add_parser("data", help="download data sets, and say which are there")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    command = actions.add_parser(
        "fetch", help="download a data set from its official address, and verify it"
    )
    command.add_argument("name", metavar="NAME", choices=SOURCES, help=" or ".join(SOURCES))
    command.add_argument(
        "--to",
        metavar="FOLDER",
        type=Path,
        help="where to put it (default: minidl's folder in your cache)",
    )
    command.add_argument("--quiet", action="store_true", help="no progress bar")
    command.set_defaults(run=_fetch)

    info = actions.add_parser(
        "info", help="read the data sets that are found, and count their pictures"
    )
    info.add_argument(
        "name",
        metavar="NAME",
        nargs="?",
        choices=READERS,
        help=f"{' or '.join(READERS)} (default: all)",
    )
    info.add_argument(
        "--data",
        metavar="FOLDER",
        type=Path,
        help="where to look (default: MINIDL_DATA, then your cache)",
    )
    info.set_defaults(run=_info)


def _fetch(arguments):
    say(f"{arguments.name} is in {fetch(arguments.name, arguments.to, arguments.quiet)}")


def _info(arguments):
    """2 where one that was looked for is missing or damaged"""
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
        where = find(name, forms[part], folder)[0].parent
        print(f"{name} {part}: {len(pictures):,} pictures of {height} x {width}, in {shown(where)}")
        print(
            "  of each class:",
            ", ".join(f"{count:,}" for count in np.bincount(labels, minlength=10)),
        )
