"""Words for the user, which may find nobody there."""

import os
import sys

from minidl.errors import printable


def say(text):
    """Print a line; a closed terminal is no reason to lose a painting or an epoch."""
    try:
        print(printable(str(text)), flush=True)
    except OSError:
        let_go(sys.stdout)


def say_nothing(text):
    """In the place of `say` for --quiet."""


def let_go(stream):
    """What is still in the buffer of a stream whose reader is gone, and what follows, goes
    nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


class Unheard:
    """A stream, but to write to it goes well though nobody reads it any more: what only tells of
    the work does not end it."""

    def __init__(self, stream):
        self._stream = stream

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text):
        try:
            return self._stream.write(text)
        except OSError:
            let_go(self._stream)
            return len(text)

    def flush(self):
        try:
            self._stream.flush()
        except OSError:
            let_go(self._stream)
