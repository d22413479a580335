"""`minidl parity`: whether the GPU computes what the CPU does."""

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
        help="whether the GPU computes what the CPU does",
        description="Take the same few steps of style transfer on the CPU and on the GPU, and say how far apart features, "
        "losses, gradients and pictures are, beside what the rounding of float32 explains. Exit code 1 where it does not "
        "explain all.",
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
        "--steps", type=int, default=3, metavar="N", help="steps of gradient descent (default: 3)"
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
    # at the photograph itself its loss is 0, and has no digits
    settings = replace(Settings(), start="noise", noise=0.2)
    print(f"{'':24}{'GPU - CPU':>12}{'explained':>12}")
    differences = compare(content, style, settings, arguments.steps, arguments.tf32)
    for what, found, allowed in differences:
        print(
            f"{what:24}{found:12.1e}{allowed:12.1e}"
            + ("" if found <= allowed else "  MORE THAN ROUNDING")
        )
    wrong = sum(not difference.explained for difference in differences)
    print(
        f"\n{len(differences) - wrong} of {len(differences)} differences are what rounding explains"
    )
    return 1 if wrong else 0
