"""Ctrl-C while the command `minidl` is starting.

`import minidl` takes a while, and a KeyboardInterrupt in the middle of an import prints a traceback. Where the process is the
command itself, `quit_at_ctrl_c` therefore ends it at once, with one line, until `minidl.cli.main` takes over. Whoever imports
minidl as a library keeps Python's own handler.
"""

import os
import signal
import sys
import threading
from itertools import pairwise
from pathlib import PurePath

STOPPED = 130  # the exit code of a shell for what SIGINT ends
MODULES = "minidl", "minidl.cli"  # which `python -m` runs as the command


def quit_at_ctrl_c():
    """End the process at SIGINT, if it is the command, and nobody has another handler or ignores the signal."""
    is_default = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if is_default and _is_the_command() and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, _quit)


def interruptible():
    """From here on SIGINT raises KeyboardInterrupt, where it ended the process. Returns a function that undoes this."""
    if signal.getsignal(signal.SIGINT) is not _quit:
        return lambda: None
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return lambda: signal.signal(signal.SIGINT, _quit)


def _is_the_command():
    """Whether this process was started as `minidl`, or with `python -m`: that is then the first word while it imports."""
    if sys.argv[:1] == ["-m"]:
        return any(flag[:1] == "-" and flag[-1:] == "m" and name in MODULES for flag, name in pairwise(sys.orig_argv))
    return bool(sys.argv) and PurePath(sys.argv[0]).stem in ("minidl", "minidl-script")


def _quit(number, frame):
    try:
        os.write(2, b"minidl: stopped\n")
    finally:
        os._exit(STOPPED)
