"""Signals stop a run, their handlers are restored, and ignored signals stay ignored."""

import os
import signal

import pytest

from minidl.training.stopping import asked_to_stop, handled_by

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="only Unix has SIGHUP")


@pytest.fixture
def with_nohup():
    """Ignore SIGHUP, as the command `nohup` does."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGHUP, before)


def test_a_hang_up_requests_a_stop():
    before = signal.getsignal(signal.SIGHUP)
    with asked_to_stop() as stop:
        os.kill(os.getpid(), signal.SIGHUP)
        assert stop()
    assert signal.getsignal(signal.SIGHUP) is before


@pytest.mark.usefixtures("with_nohup")
def test_a_signal_that_is_ignored_stays_ignored():
    with asked_to_stop() as stop:
        os.kill(os.getpid(), signal.SIGHUP)
        assert not stop()
    with handled_by(lambda number, frame: None):
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        assert callable(signal.getsignal(signal.SIGTERM))
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
