"""Ctrl-C, a hang-up or SIGTERM stops a run at the end of a step, where its state is consistent."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS: list[signal.Signals] = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


@contextmanager
def handled_by(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Call handler(number, frame) on each of SIGNALS within the block.

    A signal that the process ignores stays ignored, as `nohup` requires for SIGHUP. Only the main
    thread receives signals: in another thread, this changes nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handled = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    previous = {number: signal.signal(number, handler) for number in handled}
    try:
        yield
    finally:
        for number, previous_handler in previous.items():
            signal.signal(number, previous_handler)


@contextmanager
def asked_to_stop() -> Iterator[Callable[[], bool]]:
    """Yield a function that returns whether one of SIGNALS has arrived within the block.

    The second signal raises KeyboardInterrupt at once.
    """
    requested = threading.Event()

    def request(number, frame):
        if requested.is_set():
            raise KeyboardInterrupt
        requested.set()

    with handled_by(request):
        yield requested.is_set
