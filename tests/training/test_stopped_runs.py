"""A run that was stopped, interrupted or killed resumes to the same bytes as one that never was."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from minidl.training import load, train
from tests.training.small import everything, loss, small_task

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "tests.training.small"]


def without_seconds(rows):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_resumed_run_has_the_same_bytes(tmp_path, optimizer):
    uninterrupted = small_task(optimizer)
    rows = train(uninterrupted, 5).rows
    for epochs in (1, 2, 4):
        train(small_task(optimizer), epochs, tmp_path / "run", resume=epochs > 1)
    resumed = small_task(optimizer)
    outcome = train(resumed, 5, tmp_path / "run", resume=True)
    assert everything(resumed) == everything(uninterrupted)
    assert without_seconds(outcome.rows) == without_seconds(rows)


@pytest.mark.parametrize("step", [1, 3, 4, 6, 11])
def test_ctrl_c_stops_after_the_step_and_the_run_resumes_there(tmp_path, step):
    uninterrupted, steps = small_task(), []
    rows = train(uninterrupted, 3).rows

    def interrupting(model, *arrays):
        steps.append(0)
        if len(steps) == step:
            os.kill(os.getpid(), signal.SIGINT)
        return loss(model, *arrays)

    outcome = train(small_task(loss=interrupting), 3, tmp_path / "run")
    assert outcome.stopped
    assert len(steps) == step
    resumed = small_task()
    outcome = train(resumed, 3, tmp_path / "run", resume=True)
    assert not outcome.stopped
    assert everything(resumed) == everything(uninterrupted)
    assert [row["loss"] for row in outcome.rows] == [row["loss"] for row in rows]


def test_a_second_ctrl_c_interrupts_at_once(tmp_path):
    def interrupting(model, *arrays):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("this is not reached")

    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train(small_task(loss=interrupting), 3, tmp_path / "run")
    assert signal.getsignal(signal.SIGINT) is handler


@pytest.mark.thorough
def test_kill_9_loses_at_most_the_current_epoch(tmp_path):
    folder = tmp_path / "run"
    process = subprocess.Popen(
        [*COMMAND, str(folder), "50"], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    epochs = 0
    for line in process.stdout:
        epochs += "'epoch'" in line
        if epochs == 2 and "batch=2" in line:
            process.kill()
            break
    process.wait()
    process.stdout.close()
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []
    check_that_it_resumes_after_epoch_2(folder)


def test_kill_9_in_the_middle_of_a_save_keeps_the_previous_checkpoint(tmp_path):
    folder = tmp_path / "run"
    killed = subprocess.run([*COMMAND, str(folder), "50", "3"], cwd=ROOT, stdout=subprocess.PIPE)
    assert killed.returncode == -signal.SIGKILL
    half_written = [path.suffix for path in folder.iterdir() if path.name.startswith(".")]
    assert half_written == [".h5"]
    check_that_it_resumes_after_epoch_2(folder)


def check_that_it_resumes_after_epoch_2(folder):
    assert load(folder / "checkpoint.h5")["batches"] == {"epoch": 2, "batch": 0}
    resumed, uninterrupted = small_task(), small_task()
    train(resumed, 4, folder, resume=True)
    train(uninterrupted, 4)
    assert everything(resumed) == everything(uninterrupted)
