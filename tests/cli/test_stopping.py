"""Signals stop the steps of a command, at any moment, and the command keeps what it has."""

import os
import signal

import pytest

from minidl.cli.stopping import stoppable
from minidl.interruption import STOPPED


def ask(number=signal.SIGINT):
    os.kill(os.getpid(), number)


def counting(until, asks_at=None):
    for number in range(until):
        if number == asks_at:
            ask()
        yield number


def test_all_steps_are_made_without_a_signal():
    with stoppable() as work:
        assert list(work.steps(range(3))) == [0, 1, 2]
    assert not work.stopped and work.code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_after_a_step_stops_the_next_one(number):
    made = []
    with stoppable() as work:
        for step in work.steps(range(9)):
            made.append(step)
            if step == 2:
                ask(number)
        assert list(work.steps(range(9))) == []
    assert made == [0, 1, 2] and work.stopped and work.code == STOPPED


def test_a_signal_within_a_step_interrupts_it():
    with stoppable() as work:
        assert list(work.steps(counting(9, asks_at=4))) == [0, 1, 2, 3]
        ask()  # the picture is being written
    assert work.stopped


def test_a_signal_before_the_first_step_ends_the_command():
    with pytest.raises(KeyboardInterrupt), stoppable():
        ask()


def test_a_signal_after_the_last_step_changes_nothing():
    with stoppable() as work:
        assert list(work.steps(range(3))) == [0, 1, 2]
        ask()
    assert not work.stopped and work.code == 0


def test_an_error_within_a_step_is_raised():
    def failing():
        yield 1
        raise ValueError

    with stoppable() as work, pytest.raises(ValueError):
        list(work.steps(failing()))
    assert not work.stopped
