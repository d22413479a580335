"""What all actions of `minidl visualize` take: a network, where to compute, where to write."""

import sys
from pathlib import Path

from tqdm import tqdm

from minidl.cli.options import add_device, add_tf32


def add_common(parser, output, what="PICTURE"):
    """output: the default name of what is written, a picture or another thing"""
    parser.add_argument(
        "--model", metavar="MODEL", default="vgg19",
        help="vgg19, a file of its weights, or a run of `minidl train` or its checkpoint (default: vgg19)",
    )  # fmt: skip
    parser.add_argument("-o", "--output", type=Path, metavar=what, default=Path(output), help=f"(default: {output})")
    add_device(parser)
    add_tf32(parser)


def short(number):
    """
    >>> short(13752.6), short(-2.4951)
    ('13,753', '-2.5')
    """
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def progress(total, unit):
    """A bar that is drawn often where somebody looks, and seldom in a log"""
    interval = 0.5 if sys.stderr and sys.stderr.isatty() else 10
    return tqdm(total=total, unit=unit, disable=not sys.stderr, mininterval=interval, delay=0.1)
