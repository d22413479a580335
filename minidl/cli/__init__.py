"""The command `minidl`: one file a command; each parses its arguments, calls the library and prints."""

import argparse
import shlex
import sys

from minidl import __version__
from minidl.cli import gradcheck, stylize, weights
from minidl.errors import MinidlError


def main(argv=None):
    """Run one command; 0 when it went well, 2 for what the user can mend (one sentence on stderr), 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="minidl", description="Deep learning from scratch in NumPy: paint pictures, check gradients, convert weights."
    )
    parser.add_argument("--version", action="version", version=f"minidl {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (stylize, gradcheck, weights):
        command.register(commands)
    words = sys.argv[1:] if argv is None else argv
    arguments = parser.parse_args(words)
    arguments.command = shlex.join(["minidl", *words])
    try:
        return arguments.run(arguments) or 0
    except MinidlError as error:
        print(f"minidl: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("minidl: stopped", file=sys.stderr)
        return 130
