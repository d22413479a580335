"""Handle Ctrl-C while the command `minidl` starts.

`import minidl` takes a while, and a KeyboardInterrupt during an import prints a traceback.
`quit_at_ctrl_c` therefore installs a signal handler that prints one line and ends the process, but
only if the process is the command itself. `minidl.cli.main` replaces that handler. A program that
imports minidl as a library keeps Python's own handler.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import PurePath

STOPPED = 130  # the exit code that a shell reports for a process that SIGINT ended
MODULES = "minidl", "minidl.cli"  # the modules that `python -m` runs as the command


def quit_at_ctrl_c() -> None:
    """Make SIGINT end the process, if it is the command and SIGINT has Python's default handler."""
    is_default = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if is_default and _is_the_command() and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, _quit)


def interruptible() -> Callable[[], object]:
    """Make SIGINT raise KeyboardInterrupt, if `quit_at_ctrl_c` made it end the process. Return a
    function that undoes this."""
    if signal.getsignal(signal.SIGINT) is not _quit:
        return lambda: None
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return lambda: signal.signal(signal.SIGINT, _quit)


def _is_the_command():
    """Whether this process was started as `minidl` or with `python -m`."""
    if sys.argv[:1] == ["-m"]:  # the value of argv[0] during the imports of `python -m`
        return any(
            flag[:1] == "-" and flag[-1:] == "m" and name in MODULES
            for flag, name in pairwise(sys.orig_argv)
        )
    return bool(sys.argv) and PurePath(sys.argv[0]).stem in ("minidl", "minidl-script")


def _quit(number, frame):
    try:
        os.write(2, b"minidl: stopped\n")
    finally:
        os._exit(STOPPED)
