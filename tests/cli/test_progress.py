"""How long a run will take, and what is said of its epochs."""

import pytest

from minidl.cli import progress
from minidl.cli.progress import Progress
from minidl.training.loop import Moment


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass where the test says so"""
    now = [0.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    return now


def test_one_epoch_is_singular(clock, capsys):
    with Progress(epochs=1) as told:
        for step in range(1, 4):
            clock[0] = 6.0 * step
            told(Moment(1, step, 10, {"loss": 1.5}, 0.1))
        assert capsys.readouterr().out == "about 42 s left for 1 epoch\n"  # 7 steps of 6 s


def test_how_long_it_takes_is_said_once_the_first_steps_are_timed_and_after_each_epoch(
    clock, capsys
):
    with Progress(epochs=3) as told:
        for step in range(1, 21):
            clock[0] = 6.0 * step
            told(Moment(1 + (step - 1) // 10, 1 + (step - 1) % 10, 10, {"loss": 1.5}, 0.1))
            if step == 3:
                # 27 steps of 6 s
                assert capsys.readouterr().out == "about 3 min left for 3 epochs\n"
            if step % 10 == 0:
                told({"epoch": step // 10, "loss": 1.25, "remark": "nothing is being learned"})
    assert capsys.readouterr().out.splitlines() == [
        "epoch 1, loss 1.25, about 2 min left", "nothing is being learned",
        "epoch 2, loss 1.25, about 60 s left", "nothing is being learned",
    ]  # fmt: skip


def test_a_resumed_run_counts_its_own_steps_alone(clock, capsys):
    with Progress(epochs=11) as told:
        for batch in range(1, 11):
            clock[0] = 1.0 * batch
            told(Moment(10, batch, 10, {}, 0.1))
        told({"epoch": 10})
        told(Moment(11, 10, 10, {}, 0.1))
        told({"epoch": 11})
    assert capsys.readouterr().out.splitlines() == ["epoch 10, about 10 s left", "epoch 11"]


def test_each_epoch_has_its_bar(clock, capsys):
    with Progress(epochs=2) as told:
        told(Moment(1, 1, 2, {"loss": 1.23456, "accuracy": 0.5}, 0.1))
        told._bar.refresh()
    assert (
        "epoch 1 of 2" in (error := capsys.readouterr().err)
        and "loss 1.235, accuracy 0.5, rate 0.1" in error
    )
