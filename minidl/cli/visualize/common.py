"""What all actions of `minidl visualize` take, refuse and record: a network, where to compute,
where to write."""

import sys
from math import inf
from pathlib import Path

from tqdm import tqdm

import minidl
from minidl.cli.options import add_device, add_tf32
from minidl.data.images import picture_form
from minidl.errors import ArgumentError
from minidl.files import must_be_writable, must_differ, must_exist
from minidl.visualize.opening import is_array, read_for


def add_common(parser, output, what="PICTURE"):
    """output: the default name of what is written, a picture or another thing"""
    parser.add_argument(
        "--model", metavar="MODEL", default="vgg19",
        help="vgg19, a file of its weights, or a run of `minidl train` or its checkpoint (default: vgg19)",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--output", type=Path, metavar=what, default=Path(output), help=f"(default: {output})"
    )
    add_device(parser)
    add_tf32(parser)


def check_numbers(arguments, least, *names):
    """Refuse options that are below `least`, or no finite number; those that were not given
    pass."""
    for name in names:
        if (given := getattr(arguments, name)) is not None and not least <= given < inf:
            raise ArgumentError(f"{_option(name)} is {given}; wanted a number of at least {least}")


def check_idle(arguments, reason, *names):
    """Refuse options that were given but would be read by nobody. reason: with what, such as
    "--dataset"."""
    for name in names:
        if getattr(arguments, name):
            raise ArgumentError(f"{_option(name)} would change nothing with {reason}; leave it out")


def check_files(arguments, **outputs):
    """Find out before a long run that --output, a picture, cannot be written, or that an input is
    missing or would be overwritten. outputs: more of them, name of an option -> path"""
    inputs = {"--model": arguments.model}
    if getattr(arguments, "picture", None):
        inputs["PICTURE"] = must_exist(arguments.picture, "picture")
    picture_form(must_be_writable(arguments.output))
    must_differ({"--output": arguments.output, **outputs}, inputs)


def read_example(network, arguments, longest):
    """What `read_for` makes of PICTURE. longest: in the place of a --size that was not given, and
    must not be where nothing is made smaller."""
    if is_array(arguments.picture):
        check_idle(arguments, "an .npy file", "size")
    elif network.size:
        check_idle(arguments, f"a network that takes {'x'.join(map(str, network.size))}", "size")
    return read_for(network, arguments.picture, arguments.size or longest)


def read_picture(network, arguments, longest, least=1):
    """(H, W, 3), as `read_example`; least: pixels of each side. Raises ArgumentError for an array
    that is no picture."""
    picture = read_example(network, arguments, longest)
    if picture.ndim != 3 or picture.shape[-1] != 3:
        raise ArgumentError(
            f"{arguments.picture} holds an array {picture.shape}; wanted a picture (H, W, 3)"
        )
    height, width, _ = picture.shape
    if min(height, width) < least:
        raise ArgumentError(
            f"the picture is {width}x{height}; wanted at least {least} pixels a side"
        )
    return picture


def record(arguments, **found):
    """What a picture tells of how it was made"""
    return {"command": arguments.command, "minidl": minidl.__version__, **found}


def progress(total, unit):
    """A bar that is drawn often where somebody looks, and seldom in a log"""
    interval = 0.5 if sys.stderr and sys.stderr.isatty() else 10
    return tqdm(total=total, unit=unit, disable=not sys.stderr, mininterval=interval, delay=0.1)


def _option(name):
    return f"--{name.replace('_', '-')}"
