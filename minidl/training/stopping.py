"""Ctrl-C, a hang-up or a request to end stops a run at the end of a step, where everything is
whole."""

import signal
import threading
from contextlib import contextmanager

SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


@contextmanager
def handled_by(handler):
    """These signals call handler(number, frame) within the block, but for those that are ignored,
    as nohup has it for the hang-up. (They reach the main thread alone: in another one nothing is
    changed.)"""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heeded = [each for each in SIGNALS if signal.getsignal(each) != signal.SIG_IGN]
    before = {each: signal.signal(each, handler) for each in heeded}
    try:
        yield
    finally:
        for each, handler_before in before.items():
            signal.signal(each, handler_before)


@contextmanager
def asked_to_stop():
    """A function that tells whether somebody has asked; a second request interrupts at once."""
    asked = threading.Event()

    def ask(number, frame):
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    with handled_by(ask):
        yield asked.is_set
