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
from minidl.errors import ArgumentError, FileError, MinidlWarning, NonFiniteError
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
    task = small_task(
        loss=lambda model, x, labels: (loss(model, x, labels)[0], {"examples": np.float64(len(x))})
    )
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
    timeless = [
        {name: value for name, value in row.items() if name != "seconds"} for row in found.rows
    ]
    assert timeless == [
        {name: value for name, value in row.items() if name != "seconds"} for row in rows
    ]


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
        [sys.executable, "-m", "tests.training.small", str(folder), "50"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    done = 0
    for line in process.stdout:
        done += "'epoch'" in line
        if done == 2 and "batch=2" in line:
            process.kill()
            break
    process.wait()
    process.stdout.close()
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []
    went_on_from_epoch_2(folder)


def test_kill_9_in_the_middle_of_a_save_leaves_the_one_before(tmp_path):
    folder = tmp_path / "run"
    killed = subprocess.run(
        [sys.executable, "-m", "tests.training.small", str(folder), "50", "3"], cwd=ROOT, stdout=-1
    )
    assert killed.returncode == -signal.SIGKILL
    # the half
    assert [path.suffix for path in folder.iterdir() if path.name.startswith(".")] == [".h5"]
    went_on_from_epoch_2(folder)


def went_on_from_epoch_2(folder):
    assert load(folder / "checkpoint.h5")["batches"] == {"epoch": 2, "batch": 0}
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

    with pytest.raises(
        NonFiniteError,
        match=r"the loss is nan at step 6; begin again in another folder, with a lower learn",
    ):
        train(small_task(loss=breaking), 3, tmp_path / "run")
    assert load(tmp_path / "run" / "checkpoint.h5")["batches"] == {"epoch": 1, "batch": 0}


@pytest.mark.parametrize("broken", ["dense1/kernel", "batchnorm1/variance", "velocity/dense1/bias"])
def test_what_is_not_finite_does_not_replace_a_good_checkpoint(broken, tmp_path):
    task = small_task()

    def breaking(model):
        if task.batches.epoch == 2:
            part = task.optimizer if broken.startswith("velocity") else model
            part.restore({**part.state(), broken: np.full(part.state()[broken].shape, np.inf)})
        return {}

    task.validate = breaking
    with pytest.raises(
        NonFiniteError,
        match=f"{broken} is not finite after step 8, so no checkpoint was saved; begin again in",
    ):
        train(task, 3, tmp_path / "run")
    assert load(tmp_path / "run" / "checkpoint.h5")["batches"] == {"epoch": 1, "batch": 0}
    assert len(train(small_task(), 2, tmp_path / "run", resume=True).rows) == 2


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_validation_loss_that_is_no_number_stops_before_the_checkpoint(value, tmp_path):
    losses = iter([0.5, value])
    task = small_task(validate=lambda model: {"loss": next(losses)})
    with pytest.raises(
        NonFiniteError,
        match=f"the validation_loss is {value} after epoch 2, at step 8; begin again",
    ):
        train(task, 3, tmp_path)
    assert load(tmp_path / "checkpoint.h5")["batches"] == {"epoch": 1, "batch": 0}


@pytest.mark.parametrize("epochs", [float("nan"), 1.5, 0, -1, "2"])
def test_epochs_that_are_none(epochs):
    with pytest.raises(
        ArgumentError, match=r"the number of epochs is .*; wanted a whole number of at least 1"
    ):
        train(small_task(), epochs)


@pytest.mark.parametrize("name", ["loss", "epoch", "validation_loss"])
def test_a_measure_does_not_take_the_place_of_a_column(name):
    task = small_task(loss=lambda *batch: (loss(*batch)[0], {name: 1.0}))
    with pytest.raises(
        ArgumentError,
        match=f"a measure '{name}', but this is a column of the log itself; rename the measure",
    ):
        train(task, 1)


@pytest.mark.parametrize("value", [np.ones(2), {1, 2}, [np.float32(1)], float("nan")])
def test_settings_that_cannot_be_kept_are_refused_before_the_first_step(value, tmp_path):
    task = small_task(loss=None)
    task.settings = {"scale": value}
    with pytest.raises(ArgumentError, match="the task's settings cannot be saved"):
        train(task, 1, tmp_path)


def test_that_there_will_be_no_curves_is_said_at_the_beginning(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    told = []
    train(small_task(), 1, tmp_path, watch=told.append)
    assert told[0].startswith("no curves will be drawn: ") and told[0].endswith(
        "pip install 'minidl[plot]'"
    )
    assert [each for each in told[1:] if isinstance(each, str)] == []
    assert (tmp_path / "log.csv").exists() and not (tmp_path / "curves.png").exists()


def test_a_loss_at_a_baseline_is_said():
    def flat(model, x, labels):
        return loss(model, x * 0, labels)

    first, second = train(small_task(loss=flat), 2).rows
    assert "remark" not in first  # it may be passing by
    assert second["remark"] == "the loss stays at 1.099, that of guessing: the network learns nothing"
    assert not any("remark" in row for row in train(small_task(), 3).rows)


def test_a_loss_that_falls_past_a_baseline_is_learning():
    task = small_task()
    task.baselines = {"another": train(small_task(), 2).rows[1]["loss"]}
    assert not any("remark" in row for row in train(task, 4).rows)


def test_measures_may_be_numbers_of_any_kind():
    def many(model, x, labels):
        value, measures = loss(model, x, labels)
        return value, {
            **measures,
            "plain": 0.5,
            "whole": 2,
            "of_numpy": np.float32(0.25),
            "tensor": value * 0 + 3,
        }

    [row] = train(small_task(loss=many), 1).rows
    assert (row["plain"], row["whole"], row["of_numpy"], row["tensor"]) == (0.5, 2, 0.25, 3)


def test_a_step_that_does_not_reach_a_parameter_does_not_move_it_by_an_old_gradient():
    points = []

    def partly(model, x, labels):
        points.append({name: p.data for name, p in model.named_parameters().items()})
        value, measures = loss(model, x, labels)
        return (
            (model.layers["dense1"].bias * 1.0).sum() if len(points) in (3, 4) else value
        ), measures

    with pytest.warns(
        MinidlWarning, match="does not depend on 5 of 6 parameters, which stay as they are: "
    ) as warned:
        train(small_task(loss=partly), 2)
    assert len(warned) == 1
    for name, before in points[2].items():
        assert (points[3][name] is before) == (points[4][name] is before) == (name != "dense1/bias")
        assert points[5][name] is not before


def test_an_epoch_is_kept_before_it_is_told(tmp_path):
    def deaf(told):
        if isinstance(told, dict):
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        train(small_task(), 3, tmp_path, watch=deaf)
    assert load(tmp_path / "checkpoint.h5")["batches"] == {"epoch": 1, "batch": 0}
    assert (tmp_path / "log.csv").read_text().count("\n") == 2


def test_to_resume_writes_anew_what_a_kill_has_left_out(tmp_path):
    train(small_task(), 2, tmp_path)
    wanted = (tmp_path / "log.csv").read_text()
    (tmp_path / "log.csv").unlink()
    train(small_task(), 2, tmp_path, resume=True)
    assert (tmp_path / "log.csv").read_text() == wanted


def test_a_folder_that_takes_no_files_is_found_out_before_the_first_step(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(FileError, match="may not be written to"):
        train(small_task(loss=None), 1, tmp_path)


def test_tensorboard_gets_each_epoch_once_and_no_folder_where_nothing_begins(tmp_path, monkeypatch):
    told = []
    writer = type(
        "SummaryWriter",
        (),
        {"add_scalar": lambda self, *words: told.append(words), "flush": lambda self: None},
    )
    made = lambda folder: Path(folder).mkdir() or writer()  # noqa: E731
    monkeypatch.setitem(
        sys.modules, "tensorboardX", type("tensorboardX", (), {"SummaryWriter": staticmethod(made)})
    )
    rows = train(small_task(), 2, tmp_path / "run", tensorboard=True).rows
    assert [words for words in told if words[0] == "loss"] == [
        ("loss", row["loss"], row["step"]) for row in rows
    ]
    train(small_task(), 1, tmp_path / "other")
    with pytest.raises(FileError, match="already exists"):
        train(small_task(), 1, tmp_path / "other", tensorboard=True)
    assert not (tmp_path / "other" / "tensorboard").exists()


def test_what_is_left_behind(tmp_path):
    drawn = []
    task = small_task(
        validate=lambda model: {"accuracy": float(not model.training)},
        draw=lambda model, path: drawn.append(path),
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
    with pytest.raises(FileError, match=r"cannot open the folder .*run: no such file or directory"):
        train(small_task(), 1, folder, resume=True)
    folder.mkdir()
    with pytest.raises(FileError, match="there is no such checkpoint"):
        train(small_task(), 1, folder, resume=True)
    train(small_task(), 1, folder)
    with pytest.raises(
        FileError, match="already exists; resume that run, or choose another folder"
    ):
        train(small_task(), 1, folder)
    other = small_task()
    other.settings = {"seed": 4}
    with pytest.raises(ArgumentError, match=r"was trained with other settings \(seed\)"):
        train(other, 2, folder, resume=True)
    with pytest.raises(ArgumentError, match="there is no folder to resume from"):
        train(small_task(), 1, resume=True)
    (folder / "checkpoint.h5").write_bytes((folder / "checkpoint.h5").read_bytes()[:3000])
    with pytest.raises(FileError, match="is not a complete checkpoint"):
        train(small_task(), 2, folder, resume=True)


@pytest.mark.parametrize("place", GPUS)
def test_a_gpu_learns_the_same(place, tmp_path):
    def measured(model, x, labels):
        value, measures = loss(model, x, labels)
        return value, {**measures, "of_the_host": np.float64(len(x))}

    wanted = train(small_task(loss=measured), 2).rows[-1]
    with at(place), device("gpu"):
        task = small_task(loss=measured)
        task.model.to("gpu")
        task.optimizer = type(task.optimizer)(
            task.model.named_parameters(), 0.1, 0.9, weight_decay=1e-3
        )
        found = train(task, 2, tmp_path).rows[-1]
    assert load(tmp_path / "checkpoint.h5")["model"].keys() == task.model.state().keys()
    assert found["of_the_host"] == wanted["of_the_host"]
    assert found["loss"] == pytest.approx(wanted["loss"], rel=1e-4)
