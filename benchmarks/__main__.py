"""Measure minidl, and PyTorch if it is installed, and write the results to RESULTS.md."""

import argparse
import sys
from functools import partial

from benchmarks import (
    convolution,
    faces,
    layers,
    learn,
    losses,
    paint,
    pastiche,
    plan,
    pooling,
    proofs,
    report,
    stylize,
    table,
    textbook,
    train,
    vgg19,
)
from benchmarks import visualize as inside
from minidl.errors import MinidlError

TABLES = {
    "convolution": convolution,
    "pooling": pooling,
    "losses": losses,
    "layers": layers,
    "vgg19": vgg19,
    "stylize": stylize,
    "train": train,
}
OTHERS = {
    "paint": paint,
    "pastiche": pastiche,
    "plan": plan,
    "learn": learn,
    "faces": faces,
    "visualize": inside,
    "proofs": proofs,
    "textbook": textbook,
    "results": report,
}


def main(argv=None):
    """Run one work. Return 0, or 2 after printing one sentence to stderr about a user's mistake."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    works = parser.add_subparsers(metavar="WORK", required=True)
    for name, work in (TABLES | OTHERS).items():
        first_paragraph = work.__doc__.partition("\n\n")[0]
        summary = " ".join(first_paragraph.split())
        sub = works.add_parser(name, help=summary, description=summary)
        sub.set_defaults(run=partial(table.run, work) if name in TABLES else work.run)
        if name in TABLES:
            table.register(sub)
        if work in (stylize, pastiche, learn):
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
