"""Options, checks and metadata that several actions of `minidl visualize` share."""

from math import inf
from pathlib import Path

import minidl
from minidl.cli.options import add_device, add_tf32, flag
from minidl.data.images import picture_form
from minidl.errors import ArgumentError
from minidl.files import must_be_writable, must_differ, must_exist
from minidl.visualize.arrays import is_array
from minidl.visualize.opening import read_for


def add_common(parser, output, form="picture"):
    """Add the options for the network, the output file and the device.

    output: default name of the output file; form: "picture" or "page"
    """
    parser.add_argument(
        "--model",
        metavar="MODEL",
        default="vgg19",
        help="network: vgg19, a file of its weights, the folder of a run of `minidl train`, or a "
        "checkpoint (default: vgg19)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        default=Path(output),
        help=f"file for the {form} (default: {output})",
    )
    add_device(parser)
    add_tf32(parser)


def add_picture(parser):
    parser.add_argument("picture", metavar="PICTURE", type=Path, help="picture file")


def add_example(parser):
    """Add PICTURE, and --example in its place."""
    example = parser.add_mutually_exclusive_group(required=True)
    example.add_argument(
        "picture",
        metavar="PICTURE",
        type=Path,
        nargs="?",
        help="picture file, or .npy file of a picture (H, W, 3) in RGB from 0 to 255, of a signal "
        "(L, C) or of a volume (D, H, W, C)",
    )
    example.add_argument(
        "--example",
        metavar="N",
        type=int,
        help="example N of the test set instead of a picture, counted from 0; for networks that "
        "`minidl train signals` or `minidl train volumes` has trained",
    )


def add_size(parser, default):
    """Add the longest side of the picture that the network sees."""
    parser.add_argument(
        "--size",
        type=int,
        metavar="PIXELS",
        help="resize the picture if its longer side is longer than this; pictures are not "
        f"enlarged (default: {default})",
    )


def add_seed(parser, purpose):
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help=f"seed of {purpose} (default: 0)"
    )


def add_number(parser, option, default, metavar, purpose):
    """Add an option for a number of the type of its default."""
    parser.add_argument(
        option,
        type=type(default),
        default=default,
        metavar=metavar,
        help=f"{purpose} (default: {default})",
    )


def check_numbers(arguments, least, *names):
    """Refuse options that are less than `least` or not finite. Options that were not given pass."""
    for name in names:
        value = getattr(arguments, name)
        if value is not None and not least <= value < inf:
            raise ArgumentError(f"{flag(name)} is {value}; wanted a number of at least {least}")


def check_idle(arguments, reason, *names):
    """Refuse options that were given but have no effect.

    reason: the option or input that makes them ineffective, such as "--dataset"
    """
    for name in names:
        if getattr(arguments, name):
            raise ArgumentError(f"{flag(name)} would change nothing with {reason}; leave it out")


def check_files(arguments, **outputs):
    """Refuse, before the computation, an --output that cannot be written as a picture, a missing
    input, and an output that would overwrite an input.

    outputs: further output files, as {option: path}
    """
    inputs = {"--model": arguments.model}
    if getattr(arguments, "picture", None):
        inputs["PICTURE"] = must_exist(arguments.picture, "picture")
    picture_form(must_be_writable(arguments.output))
    must_differ({"--output": arguments.output, **outputs}, inputs)


def read_example(network, arguments, longest):
    """Return PICTURE as `read_for` reads it for the network.

    longest: default of --size. Raise ArgumentError if --size is given but has no effect.
    """
    if is_array(arguments.picture):
        check_idle(arguments, "an .npy file", "size")
    elif network.size:
        check_idle(arguments, f"a network that takes {'x'.join(map(str, network.size))}", "size")
    return read_for(network, arguments.picture, arguments.size or longest)


def named_example(network, arguments, longest):
    """Return the name of PICTURE or of --example, and its array (*spatial, C), as `read_example`
    reads it."""
    number = arguments.example
    if number is None:
        return arguments.picture.name, read_example(network, arguments, longest)
    if network.examples is None:
        raise ArgumentError(
            f"{arguments.model} has no examples of its own; name a PICTURE instead of --example"
        )
    check_idle(arguments, "--example", "size")
    examples = network.examples()
    if number >= len(examples):
        raise ArgumentError(
            f"--example is {number}; the test set has {len(examples)}: "
            f"wanted one from 0 to {len(examples) - 1}"
        )
    return f"example {number}", examples[number]


def read_picture(network, arguments, longest, least=1):
    """Return PICTURE (H, W, 3) as `read_example` reads it.

    least: smallest number of pixels of each side. Raise ArgumentError for a smaller picture, and
    for an array that is not a picture.
    """
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


def record(arguments, **facts):
    """Return the metadata of a picture: the command, minidl's version, and these facts."""
    return {"command": arguments.command, "minidl": minidl.__version__, **facts}
