"""The messages about the epochs of a training run, with the time that is left."""

import pytest

from minidl.cli import progress
from minidl.cli.progress import Progress
from minidl.training.loop import Moment


@pytest.fixture
def clock(monkeypatch):
    """Replace the clock by a list with one number, the seconds that have passed."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    return now


def test_one_epoch_is_singular(clock, capsys):
    with Progress(epochs=1) as report:
        for batch in range(1, 4):
            clock[0] = 6.0 * batch
            report(Moment(1, batch, 10, {"loss": 1.5}, 0.1))
        assert capsys.readouterr().out == "about 42 s left for 1 epoch\n"  # 7 steps of 6 s


def test_the_time_left_is_printed_after_the_first_steps_and_after_each_epoch(clock, capsys):
    with Progress(epochs=3) as report:
        for step in range(1, 21):
            clock[0] = 6.0 * step
            epoch, batch = 1 + (step - 1) // 10, 1 + (step - 1) % 10
            report(Moment(epoch, batch, 10, {"loss": 1.5}, 0.1))
            if step == 3:  # 27 steps of 6 s are left
                assert capsys.readouterr().out == "about 3 min left for 3 epochs\n"
            if batch == 10:
                report({"epoch": epoch, "loss": 1.25, "remark": "nothing is being learned"})
    assert capsys.readouterr().out.splitlines() == [
        "epoch 1, loss 1.25, about 2 min left",
        "nothing is being learned",
        "epoch 2, loss 1.25, about 60 s left",
        "nothing is being learned",
    ]


def test_the_estimate_of_a_resumed_run_uses_only_its_own_steps(clock, capsys):
    with Progress(epochs=11) as report:
        for batch in range(1, 11):
            clock[0] = 1.0 * batch
            report(Moment(10, batch, 10, {}, 0.1))
        report({"epoch": 10})
        report(Moment(11, 10, 10, {}, 0.1))
        report({"epoch": 11})
    assert capsys.readouterr().out.splitlines() == ["epoch 10, about 10 s left", "epoch 11"]


def test_each_epoch_has_its_bar(clock, capsys):
    with Progress(epochs=2) as report:
        report(Moment(1, 1, 2, {"loss": 1.23456, "accuracy": 0.5}, 0.1))
        report._bar.refresh()
    error = capsys.readouterr().err
    assert "epoch 1 of 2" in error and "loss 1.235, accuracy 0.5, rate 0.1" in error
