"""Signals are heeded and given back; those that somebody has told to ignore are left alone."""

import os
import signal

import pytest

from minidl.training.stopping import asked_to_stop, handled_by

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="a hang-up is for Unix")


@pytest.fixture
def with_nohup():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGHUP, before)


def test_a_hang_up_asks_to_stop():
    before = signal.getsignal(signal.SIGHUP)
    with asked_to_stop() as stop:
        os.kill(os.getpid(), signal.SIGHUP)
        assert stop()
    assert signal.getsignal(signal.SIGHUP) is before


@pytest.mark.usefixtures("with_nohup")
def test_nohup_is_nohup():
    with asked_to_stop() as stop:
        os.kill(os.getpid(), signal.SIGHUP)
        assert not stop()
    with handled_by(lambda number, frame: None):
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        assert callable(signal.getsignal(signal.SIGTERM))
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
