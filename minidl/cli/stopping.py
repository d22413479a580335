"""Work in steps that Ctrl-C, a hang-up or SIGTERM stops, so that what is there is kept."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from minidl.cli.output import counted
from minidl.interruption import STOPPED
from minidl.training.stopping import handled_by

Item = TypeVar("Item")
END: Any = object()


class Work:
    """The work of a command, within `stoppable`.

    A signal stops `steps` at once, in the middle of a step. Before the first step, it raises
    KeyboardInterrupt, because there is nothing to keep. After a step and between two loops it stops
    the next loop before its first step. After the last loop it changes nothing, so that the result
    is written as a whole.

    stopped: whether steps were left out
    """

    def __init__(self) -> None:
        self.stopped = False
        self._raises = True  # whether a signal raises KeyboardInterrupt
        self._is_asked = False

    @property
    def code(self) -> int:
        """The exit code of the command."""
        return STOPPED if self.stopped else 0

    def steps(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield the items, up to the last one or until a signal stops them."""
        try:
            iterator = iter(items)
            while not (self.stopped or self._is_asked):
                self._raises = True
                item = next(iterator, END)
                self._raises = False
                if item is END:
                    return
                yield item
            self.stopped = True
        except KeyboardInterrupt:
            self.stopped = True

    def must_have(self, things: object) -> None:
        """End the command, as Ctrl-C does, if it was stopped before there was anything to keep."""
        if self.stopped and not things:
            raise KeyboardInterrupt

    def counted(self, done: int, total: int, one: str, many: str | None = None) -> str:
        """Return how many of the steps were made, for a message."""
        all_of_them = counted(total, one, many)
        return f"stopped after {done:,} of {all_of_them}" if self.stopped else all_of_them

    def _interrupt(self, number, frame):
        if self._raises:
            self._raises = False
            raise KeyboardInterrupt
        self._is_asked = True


@contextmanager
def stoppable() -> Iterator[Work]:
    """Yield the Work of a command, which signals stop within the block."""
    work = Work()
    with handled_by(work._interrupt):
        yield work
