"""The loop learns, goes on to the same bytes, and loses at most the current epoch."""

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from minidl.backend import device
from minidl.errors import ArgumentError, FileError, NonFiniteError
from minidl.training import load, train
from tests.devices import GPUS, at
from tests.training.small import everything, loss, small_task

ROOT = Path(__file__).parents[2]


def test_it_learns():
    rows = train(small_task(), 8).rows
    assert [row["epoch"] for row in rows] == list(range(1, 9))
    assert rows[0]["step"] == 4  # 60 pictures, 16 at once
    assert rows[-1]["loss"] < 0.5 * rows[0]["loss"]
    assert rows[-1]["accuracy"] > 0.9
    assert [row["learning_rate"] for row in rows] == [0.05] * 2 + [0.025] * 6


def test_means_are_over_all_examples_of_the_epoch():
    task = small_task(loss=lambda model, x, labels: (loss(model, x, labels)[0], {"examples": np.float64(len(x))}))
    [row] = train(task, 1).rows
    assert row["examples"] == pytest.approx((3 * 16 * 16 + 12 * 12) / 60)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_run_that_was_resumed_has_the_same_bytes(tmp_path, optimizer):
    whole = small_task(optimizer)
    rows = train(whole, 5).rows
    for epochs in (1, 2, 4):
        train(small_task(optimizer), epochs, tmp_path / "run", resume=epochs > 1)
    resumed = small_task(optimizer)
    found = train(resumed, 5, tmp_path / "run", resume=True)
    assert everything(resumed) == everything(whole)
    timeless = [{name: value for name, value in row.items() if name != "seconds"} for row in found.rows]
    assert timeless == [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


@pytest.mark.parametrize("step", [1, 3, 4, 6, 11])
def test_ctrl_c_ends_the_step_and_the_run_goes_on_from_there(tmp_path, step):
    whole, steps = small_task(), []
    rows = train(whole, 3).rows

    def interrupting(model, *arrays):
        steps.append(0)
        if len(steps) == step:
            os.kill(os.getpid(), signal.SIGINT)
        return loss(model, *arrays)

    stopped = train(small_task(loss=interrupting), 3, tmp_path / "run")
    assert stopped.stopped
    assert len(steps) == step
    resumed = small_task()
    outcome = train(resumed, 3, tmp_path / "run", resume=True)
    assert not outcome.stopped
    assert everything(resumed) == everything(whole)
    assert [row["loss"] for row in outcome.rows] == [row["loss"] for row in rows]


def test_a_second_ctrl_c_interrupts_at_once(tmp_path):
    def interrupting(model, *arrays):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("this is not reached")

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train(small_task(loss=interrupting), 3, tmp_path / "run")
    assert signal.getsignal(signal.SIGINT) is before


def test_kill_9_loses_at_most_the_current_epoch(tmp_path):
    folder = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.training.small", str(folder), "50"], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    done = 0
    for line in process.stdout:
        done += "'epoch'" in line
        if done == 2 and "batch=2" in line:
            process.kill()
            break
    process.wait()
    process.stdout.close()
    assert load(folder / "checkpoint.h5")["batches"] == {"epoch": 2, "batch": 0}
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []
    resumed, whole = small_task(), small_task()
    train(resumed, 4, folder, resume=True)
    train(whole, 4)
    assert everything(resumed) == everything(whole)


def test_nan_stops_with_the_step(tmp_path):
    steps = []

    def breaking(model, *arrays):
        steps.append(0)
        value, measures = loss(model, *arrays)
        return (value * float("nan") if len(steps) == 6 else value), measures

    with pytest.raises(NonFiniteError, match=r"the loss is nan at step 6; try a learning rate below 0\.05, or clip"):
        train(small_task(loss=breaking), 3, tmp_path / "run")
    assert load(tmp_path / "run" / "checkpoint.h5")["batches"] == {"epoch": 1, "batch": 0}


def test_a_loss_at_a_baseline_is_said():
    def flat(model, x, labels):
        return loss(model, x * 0, labels)

    [row] = train(small_task(loss=flat), 1).rows
    assert "remark" not in train(small_task(), 3).rows[-1]
    assert row.get("remark", "the loss sits at 1.099, that of guessing: nothing is being learned").startswith(
        "the loss sits at"
    )


def test_what_is_left_behind(tmp_path):
    drawn = []
    task = small_task(
        validate=lambda model: {"accuracy": float(not model.training)}, draw=lambda model, path: drawn.append(path)
    )
    rows = train(task, 2, tmp_path / "new" / "run").rows
    folder = tmp_path / "new" / "run"
    with (folder / "log.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [float(row["loss"]) for row in table] == [row["loss"] for row in rows]
    assert all(row["validation_accuracy"] == 1 for row in rows)
    pytest.importorskip("matplotlib")
    assert (folder / "curves.png").stat().st_size > 5000
    assert len(drawn) == 2


def test_clipping_is_done():
    def weights(clip):
        task = small_task(clip=clip)
        train(task, 1)
        return task.model.state()["dense1/kernel"]

    assert not np.array_equal(weights(None), weights(1e-3))
    np.testing.assert_array_equal(weights(None), weights(1e9))


def test_what_cannot_be_gone_on_from_is_refused(tmp_path):
    folder = tmp_path / "run"
    with pytest.raises(FileError, match="there is no such checkpoint"):
        train(small_task(), 1, folder, resume=True)
    train(small_task(), 1, folder)
    with pytest.raises(FileError, match="is there already; go on from it with --resume, or choose another folder"):
        train(small_task(), 1, folder)
    other = small_task()
    other.settings = {"seed": 4}
    with pytest.raises(ArgumentError, match=r"was trained with other settings \(seed\)"):
        train(other, 2, folder, resume=True)
    with pytest.raises(ArgumentError, match="name its folder"):
        train(small_task(), 1, resume=True)
    (folder / "checkpoint.h5").write_bytes((folder / "checkpoint.h5").read_bytes()[:3000])
    with pytest.raises(FileError, match="is no whole checkpoint"):
        train(small_task(), 2, folder, resume=True)


@pytest.mark.parametrize("place", GPUS)
def test_a_gpu_learns_the_same(place):
    wanted = train(small_task(), 2).rows[-1]
    with at(place), device("gpu"):
        task = small_task()
        task.model.to("gpu")
        task.optimizer = type(task.optimizer)(task.model.named_parameters(), 0.1, 0.9, weight_decay=1e-3)
        found = train(task, 2).rows[-1]
    assert found["loss"] == pytest.approx(wanted["loss"], rel=1e-4)
