"""The command `minidl`: one file a command; each parses its arguments, calls the library and
prints."""

import shlex
import sys
import warnings
from contextlib import redirect_stderr

import numpy as np

from minidl import __version__
from minidl.cli import (
    classify,
    data,
    faces,
    gradcheck,
    info,
    parity,
    stylize,
    train,
    visualize,
    weights,
)
from minidl.cli.output import warn
from minidl.cli.parser import Parser
from minidl.cli.saying import Unheard, let_go
from minidl.errors import MinidlError, MinidlWarning, printable
from minidl.interruption import STOPPED, interruptible

BROKEN_PIPE = 141  # as the shell has it for what SIGPIPE ends


def main(argv=None):
    """Run one command; 0 when it went well, 2 for what the user can mend (one sentence on stderr),
    130 after Ctrl-C, 141 where the reader of its output went away before the end."""
    words = sys.argv[1:] if argv is None else argv
    restore_handler = interruptible()
    try:
        with redirect_stderr(sys.stderr and Unheard(sys.stderr)), warnings.catch_warnings():
            warnings.simplefilter("always", MinidlWarning)
            warnings.showwarning = lambda message, *place: warn(message)
            return _main(words)
    finally:
        restore_handler()


def _main(words):
    if hasattr(sys.stdout, "reconfigure"):
        # no name is a reason to fail, whatever the terminal can show
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        if words[:1] == ["help"]:
            words = [*words[1:], "--help"]
        arguments = _parser().parse_args(words)
        arguments.command = shlex.join(["minidl", *words])
        # what is not finite is found where it matters, and said in words
        with np.errstate(all="ignore"):
            code = arguments.run(arguments) or 0
        if sys.stdout:
            sys.stdout.flush()  # while it can still be said that this fails
        return code
    except MinidlError as error:
        return _say(str(error))
    except BrokenPipeError:
        let_go(sys.stdout)
        return BROKEN_PIPE
    except MemoryError:
        return _say("there is not enough memory for this; take a smaller picture or network")
    except OSError as error:
        return _say(
            f"the system refused: {error}; make room or permissions there, and run it again"
        )
    except KeyboardInterrupt:
        return _say("stopped", code=STOPPED)


def _parser():
    parser = Parser(
        prog="minidl",
        description="Deep learning from scratch in NumPy: paint pictures, recognise faces, train networks, check gradients, "
        "convert weights.",
        epilog="`minidl COMMAND --help` describes the options of a command. Options and arguments may be in any order. Lists, "
        "such as of layers, are separated by spaces or commas.",
    )
    parser.add_argument("--version", action="version", version=f"minidl {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (
        stylize,
        faces,
        visualize,
        train,
        classify,
        gradcheck,
        weights,
        data,
        info,
        parity,
    ):
        command.register(commands)
    return parser


def _say(text, code=2):
    if sys.stderr:
        print(f"minidl: {printable(text)}", file=sys.stderr)
    return code
