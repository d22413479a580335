"""`minidl parity`: compare the results of the GPU with those of the CPU."""

from dataclasses import replace

from minidl.backend import device
from minidl.cli.options import add_tf32
from minidl.cli.stylize import DEMO
from minidl.data.images import read_image, shipped_picture
from minidl.errors import ArgumentError
from minidl.style_transfer import Settings
from minidl.style_transfer.parity import compare


def register(commands):
    parser = commands.add_parser(
        "parity",
        help="compare the results of the GPU with those of the CPU",
        description="Run the same few steps of style transfer on the CPU and on the GPU. Print "
        "the differences between their features, losses, gradients and pictures, and the largest "
        "differences that rounding in float32 explains. The exit code is 1 if a difference is "
        "larger than that.",
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "--size",
        type=int,
        default=64,
        metavar="PIXELS",
        help="longer side of the pictures (default: 64)",
    )
    parser.add_argument(
        "--steps",
        type=int,
        default=3,
        metavar="N",
        help="number of steps of gradient descent (default: 3)",
    )
    add_tf32(parser)


def run(arguments):
    if arguments.size < 1 or arguments.steps < 1:
        raise ArgumentError(
            f"--size is {arguments.size} and --steps {arguments.steps}; wanted at least 1 each"
        )
    with device("gpu", tf32=arguments.tf32) as gpu:
        print(f"matrix products on the GPU in {gpu.arithmetic}\n")
    content, style = (read_image(shipped_picture(name), arguments.size) for name in DEMO)
    # a start at the photograph has a content loss of 0, and so no digits to compare
    settings = replace(Settings(), start="noise", noise=0.2)
    print(f"{'':24}{'GPU - CPU':>12}{'explained':>12}")
    differences = compare(content, style, settings, arguments.steps, arguments.tf32)
    for name, difference, allowed in differences:
        verdict = "" if difference <= allowed else "  MORE THAN ROUNDING"
        print(f"{name:24}{difference:12.1e}{allowed:12.1e}{verdict}")
    count, wrong = len(differences), sum(not entry.explained for entry in differences)
    print(f"\nrounding explains {count - wrong} of {count} differences")
    return 1 if wrong else 0
