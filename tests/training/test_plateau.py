"""A run whose learning rate falls at plateaus: resumed, it gives the same bytes as unstopped."""

import os
import signal

import pytest

from minidl.errors import ArgumentError
from minidl.optim import Constant, Plateau, Steps, Warmup
from minidl.training import train
from tests.training.small import everything, small_task

FALLING = Plateau(Constant(0.05), "validation_noise", factor=0.5, patience=0)


def noisy(model):
    """A measure that improves in the second and fourth epoch only"""
    epochs.append(len(epochs) + 1)
    return {"noise": {1: 5.0, 2: 4.0, 3: 4.5, 4: 3.0}.get(len(epochs), 9.0), "loss": 1.0}


epochs: list[int] = []


def task(schedule=FALLING, **options):
    made = small_task(validate=noisy, **options)
    made.schedule = schedule
    return made


@pytest.fixture(autouse=True)
def from_the_first_epoch():
    epochs.clear()


def test_the_rate_falls_after_each_plateau():
    rows = train(task(), 6).rows
    assert [row["learning_rate"] for row in rows] == [0.05, 0.05, 0.05, 0.025, 0.025, 0.0125]


def test_a_resumed_run_gives_the_same_bytes(tmp_path):
    whole = task()
    wanted = train(whole, 6, tmp_path / "whole").rows
    epochs.clear()
    for stop in (3, 5, 6):
        resumed = task()
        rows = train(resumed, stop, tmp_path / "parts", resume=stop > 3).rows
    assert everything(resumed) == everything(whole)
    assert [row["learning_rate"] for row in rows] == [row["learning_rate"] for row in wanted]


def test_a_run_stopped_in_mid_epoch_keeps_the_rate(tmp_path):
    whole = task()
    train(whole, 5)
    epochs.clear()

    def stop_in_the_fourth(event):
        if getattr(event, "epoch", 0) == 4 and event.batch == 2:
            os.kill(os.getpid(), signal.SIGINT)

    stopped = train(task(), 5, tmp_path, watch=stop_in_the_fourth)
    assert stopped.stopped and len(stopped.rows) == 3
    resumed = task()
    train(resumed, 5, tmp_path, resume=True)
    assert everything(resumed) == everything(whole)


def test_a_plateau_of_a_training_measure_needs_no_validation():
    made = small_task()
    made.schedule = Plateau(Constant(0.05), "accuracy", better="higher", patience=0, threshold=9.0)
    rates = [row["learning_rate"] for row in train(made, 3).rows]
    assert rates == pytest.approx([0.05, 0.05, 0.005])


def test_another_plateau_does_not_resume(tmp_path):
    train(task(), 1, tmp_path)
    other = Plateau(Constant(0.05), "validation_noise", factor=0.5, patience=1)
    with pytest.raises(ArgumentError, match=r"other settings \(schedule\)"):
        train(task(other), 2, tmp_path, resume=True)


def test_a_plateau_without_validation_is_refused_before_the_first_step():
    made = small_task()
    made.schedule, steps = FALLING, []
    message = "plateau of validation_noise, but the task has no validate; give it one, or choose"
    with pytest.raises(ArgumentError, match=message):
        train(made, 2, watch=steps.append)
    assert not steps


def test_a_measure_that_the_log_lacks_is_named():
    message = "plateau of 'validation_nois', which the log lacks; it has epoch, step, .*_noise"
    with pytest.raises(ArgumentError, match=message):
        train(task(Plateau(Constant(0.05), "validation_nois")), 2)


def test_a_plateau_inside_another_schedule_is_refused():
    message = r"put other schedules into it, as in Plateau\(Warmup\(5, Constant\(0.1\)\)\)"
    with pytest.raises(ArgumentError, match=message):
        train(task(Warmup(2, FALLING)), 1)


def test_other_schedules_inside_a_plateau_apply_too():
    schedule = Plateau(Steps(0.05, {2: 0.1}), "validation_noise", factor=0.5, patience=0)
    rows = train(task(schedule), 4).rows
    assert [row["learning_rate"] for row in rows] == pytest.approx([0.05, 0.05, 0.005, 0.0025])
