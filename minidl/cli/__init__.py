"""The command `minidl`. Each command is a file that parses arguments, calls the library and prints
the result.

words.py, lists.py, order.py, parser.py   parsing: arguments and options in any order, lists
options.py                                options that several commands share
output.py, progress.py                    results, messages, progress bars
"""

import shlex
import sys
import warnings
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stderr

import numpy as np

from minidl import __version__
from minidl.cli import (
    book,
    classify,
    data,
    exercise,
    explain,
    faces,
    gradcheck,
    info,
    parity,
    rerun,
    stylize,
    train,
    visualize,
    weights,
)
from minidl.cli.output import TolerantStream, discard, warn
from minidl.cli.parser import Parser
from minidl.dispatch import textbook, uses_textbook
from minidl.errors import MinidlError, MinidlWarning, printable
from minidl.interruption import STOPPED, interruptible

COMMANDS = (
    stylize,
    rerun,
    faces,
    visualize,
    train,
    classify,
    gradcheck,
    explain,
    book,
    exercise,
    weights,
    data,
    info,
    parity,
)
BROKEN_PIPE = 141  # the exit code that a shell reports for a process that SIGPIPE ended


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0    success
    1    a negative result, such as different people or a failed proof
    2    an error that the user can correct, with one sentence on the standard error
    130  the user pressed Ctrl-C
    141  the reader of the standard output closed it

    argv: the words after `minidl`, by default those of this process. Raise SystemExit with code 2
    for words that cannot be parsed, and with code 0 after --help, --version and --list-layers.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    restore_handler = interruptible()
    try:
        with redirect_stderr(sys.stderr and TolerantStream(sys.stderr)), warnings.catch_warnings():
            warnings.simplefilter("always", MinidlWarning)
            warnings.showwarning = lambda message, *location: warn(message)
            return _main(words)
    finally:
        restore_handler()


def _main(words):
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure:
        # print names in any script, even if the encoding of the terminal lacks its letters
        reconfigure(errors="backslashreplace")
    try:
        if words[:1] == ["help"]:
            words = [*words[1:], "--help"]
        arguments = program_parser().parse_args(words)
        uses_textbook()  # refuse an invalid MINIDL_TEXTBOOK before anything is printed
        arguments.command = shlex.join(["minidl", *words])
        # the library checks for NaN and infinity, and raises NonFiniteError
        by_definitions = textbook() if getattr(arguments, "textbook", False) else nullcontext()
        with np.errstate(all="ignore"), by_definitions:
            code = arguments.run(arguments) or 0
        if sys.stdout:
            sys.stdout.flush()  # an error here is still reported
        return code
    except MinidlError as error:
        return _report(str(error))
    except BrokenPipeError:
        discard(sys.stdout)
        return BROKEN_PIPE
    except MemoryError:
        return _report("there is not enough memory; use a smaller picture or network")
    except OSError as error:
        return _report(
            f"the operating system reports an error: {error}; "
            "free disk space or change the permissions, then run the command again"
        )
    except KeyboardInterrupt:
        return _report("stopped", code=STOPPED)


def program_parser() -> Parser:
    """Return the parser of the program, with all commands."""
    parser = Parser(
        prog="minidl",
        description="Deep learning from scratch in NumPy: paint pictures, recognise faces, train "
        "networks, check gradients, convert weights.",
        epilog="`minidl COMMAND --help` describes a command and its options. Options and "
        "arguments may be in any order. Items of lists are separated by spaces or commas.",
    )
    parser.add_argument("--version", action="version", version=f"minidl {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.register(commands)
    return parser


def _report(message, code=2):
    if sys.stderr:
        print(f"minidl: {printable(message)}", file=sys.stderr)
    return code
