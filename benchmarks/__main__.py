"""`python -m benchmarks WORK`: measure minidl, and PyTorch where it is installed, and write the
README's results."""

import argparse
import sys
from functools import partial

from benchmarks import (
    convolution,
    faces,
    learn,
    losses,
    paint,
    pooling,
    proofs,
    readme,
    stylize,
    table,
    train,
    vgg19,
)
from benchmarks import visualize as inside
from minidl.errors import MinidlError

TABLES = {
    "convolution": convolution,
    "pooling": pooling,
    "losses": losses,
    "vgg19": vgg19,
    "stylize": stylize,
    "train": train,
}
OTHERS = {
    "paint": paint,
    "learn": learn,
    "faces": faces,
    "visualize": inside,
    "proofs": proofs,
    "readme": readme,
}


def main(argv=None):
    """0 when it went well, 2 for what the user can mend: one sentence on stderr."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    works = parser.add_subparsers(metavar="WORK", required=True)
    for name, work in (TABLES | OTHERS).items():
        summary = work.__doc__.partition("\n")[0]
        sub = works.add_parser(name, help=summary, description=summary)
        sub.set_defaults(run=partial(table.run, work) if name in TABLES else work.run)
        if name in TABLES:
            table.register(sub)
        if work in (stylize, learn):
            work.register(sub)
    try:
        arguments = parser.parse_args(argv)
        arguments.run(arguments)
    except MinidlError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
