"""Ctrl-C while the command `minidl` starts.

`import minidl` takes a while, and a KeyboardInterrupt during an import prints a traceback.
`quit_at_ctrl_c` therefore installs a handler that ends the process with one line, where the process
is the command itself. `minidl.cli.main` replaces that handler. A program that imports minidl as a
library keeps Python's own handler.
"""

import os
import signal
import sys
import threading
from itertools import pairwise
from pathlib import PurePath

STOPPED = 130  # the exit code that a shell reports for a process that SIGINT ended
MODULES = "minidl", "minidl.cli"  # modules that `python -m` runs as the command


def quit_at_ctrl_c():
    """End the process at SIGINT, if it is the command and SIGINT has Python's default handler."""
    is_default = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if is_default and _is_the_command() and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, _quit)


def interruptible():
    """Make SIGINT raise KeyboardInterrupt, if `quit_at_ctrl_c` made it end the process. Returns a
    function that undoes this."""
    if signal.getsignal(signal.SIGINT) is not _quit:
        return lambda: None
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return lambda: signal.signal(signal.SIGINT, _quit)


def _is_the_command():
    """Whether this process was started as `minidl` or with `python -m`. During the imports of
    `python -m`, argv[0] is "-m"."""
    if sys.argv[:1] == ["-m"]:
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
