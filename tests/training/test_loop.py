"""The training loop: it learns, reports what is wrong, and writes the files of a run."""

import csv
import os
import sys

import numpy as np
import pytest

from minidl.backend import device
from minidl.errors import ArgumentError, FileError, MinidlWarning, NonFiniteError
from minidl.training import load, train
from tests.devices import GPUS, at
from tests.training.small import loss, small_task


def test_it_learns():
    rows = train(small_task(), 8).rows
    assert [row["epoch"] for row in rows] == list(range(1, 9))
    assert rows[0]["step"] == 4  # 60 pictures in batches of 16
    assert rows[-1]["loss"] < 0.5 * rows[0]["loss"]
    assert rows[-1]["accuracy"] > 0.9
    assert [row["learning_rate"] for row in rows] == [0.05] * 2 + [0.025] * 6


def test_means_are_over_all_examples_of_the_epoch():
    def counting(model, x, labels):
        return loss(model, x, labels)[0], {"examples": np.float64(len(x))}

    [row] = train(small_task(loss=counting), 1).rows
    assert row["examples"] == pytest.approx((3 * 16 * 16 + 12 * 12) / 60)


def test_gradients_are_clipped():
    def weights(clip):
        task = small_task(clip=clip)
        train(task, 1)
        return task.model.state()["dense1/kernel"]

    assert not np.array_equal(weights(None), weights(1e-3))
    np.testing.assert_array_equal(weights(None), weights(1e9))


def test_a_parameter_that_the_loss_does_not_reach_does_not_move_by_an_old_gradient():
    steps = []  # the parameters before each step

    def loss_of_some_parameters(model, x, labels):
        steps.append({name: p.data for name, p in model.named_parameters().items()})
        value, measures = loss(model, x, labels)
        if len(steps) in (3, 4):
            value = (model.layers["dense1"].bias * 1.0).sum()
        return value, measures

    message = "does not depend on 5 of 6 parameters, which stay as they are: "
    with pytest.warns(MinidlWarning, match=message) as warned:
        train(small_task(loss=loss_of_some_parameters), 2)
    assert len(warned) == 1
    for name, before in steps[2].items():
        is_reached = name == "dense1/bias"
        assert (steps[3][name] is before) == (steps[4][name] is before) == (not is_reached)
        assert steps[5][name] is not before


def test_measures_may_be_numbers_of_any_kind():
    def loss_with_measures(model, x, labels):
        value, measures = loss(model, x, labels)
        more = {"plain": 0.5, "whole": 2, "of_numpy": np.float32(0.25), "tensor": value * 0 + 3}
        return value, {**measures, **more}

    [row] = train(small_task(loss=loss_with_measures), 1).rows
    assert (row["plain"], row["whole"], row["of_numpy"], row["tensor"]) == (0.5, 2, 0.25, 3)


@pytest.mark.parametrize("place", GPUS)
def test_a_gpu_learns_the_same(place, tmp_path):
    def loss_with_number_of_the_host(model, x, labels):
        value, measures = loss(model, x, labels)
        return value, {**measures, "of_the_host": np.float64(len(x))}

    wanted = train(small_task(loss=loss_with_number_of_the_host), 2).rows[-1]
    with at(place), device("gpu"):
        task = small_task(loss=loss_with_number_of_the_host)
        task.model.to("gpu")
        parameters = task.model.named_parameters()
        task.optimizer = type(task.optimizer)(parameters, 0.1, 0.9, weight_decay=1e-3)
        row = train(task, 2, tmp_path).rows[-1]
    assert load(tmp_path / "checkpoint.h5")["model"].keys() == task.model.state().keys()
    assert row["of_the_host"] == wanted["of_the_host"]
    assert row["loss"] == pytest.approx(wanted["loss"], rel=1e-4)


# ---- arguments that are refused


@pytest.mark.parametrize("epochs", [float("nan"), 1.5, 0, -1, "2"])
def test_an_invalid_number_of_epochs_is_refused(epochs):
    message = r"the number of epochs is .*; wanted a whole number of at least 1"
    with pytest.raises(ArgumentError, match=message):
        train(small_task(), epochs)


@pytest.mark.parametrize("name", ["loss", "epoch", "validation_loss"])
def test_a_measure_with_the_name_of_a_column_is_refused(name):
    task = small_task(loss=lambda *batch: (loss(*batch)[0], {name: 1.0}))
    message = f"a measure '{name}', but this is a column of the log itself; rename the measure"
    with pytest.raises(ArgumentError, match=message):
        train(task, 1)


@pytest.mark.parametrize("value", [np.ones(2), {1, 2}, [np.float32(1)], float("nan")])
def test_settings_that_json_cannot_hold_are_refused_before_the_first_step(value, tmp_path):
    task = small_task(loss=None)
    task.settings = {"scale": value}
    with pytest.raises(ArgumentError, match="the task's settings cannot be saved"):
        train(task, 1, tmp_path)


def test_a_folder_without_write_permission_is_refused_before_the_first_step(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(FileError, match="may not be written to"):
        train(small_task(loss=None), 1, tmp_path)


def test_a_run_that_cannot_be_resumed_or_begun_is_refused(tmp_path):
    folder = tmp_path / "run"
    with pytest.raises(FileError, match=r"cannot open the folder .*run: no such file or directory"):
        train(small_task(), 1, folder, resume=True)
    folder.mkdir()
    with pytest.raises(FileError, match="there is no such checkpoint"):
        train(small_task(), 1, folder, resume=True)
    train(small_task(), 1, folder)
    message = "already exists; resume that run, or choose another folder"
    with pytest.raises(FileError, match=message):
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


# ---- numbers that are not finite


def test_a_loss_of_nan_stops_the_run_and_names_the_step(tmp_path):
    steps = []

    def loss_of_nan(model, *arrays):
        steps.append(0)
        value, measures = loss(model, *arrays)
        return (value * float("nan") if len(steps) == 6 else value), measures

    message = "the loss is nan at step 6; begin again in another folder, with a lower learn"
    with pytest.raises(NonFiniteError, match=message):
        train(small_task(loss=loss_of_nan), 3, tmp_path / "run")
    assert load(tmp_path / "run" / "checkpoint.h5")["batches"] == {"epoch": 1, "batch": 0}


@pytest.mark.parametrize("broken", ["dense1/kernel", "batchnorm1/variance", "velocity/dense1/bias"])
def test_a_state_that_is_not_finite_does_not_replace_a_good_checkpoint(broken, tmp_path):
    task = small_task()

    def breaking(model):
        if task.batches.epoch == 2:
            part = task.optimizer if broken.startswith("velocity") else model
            part.restore({**part.state(), broken: np.full(part.state()[broken].shape, np.inf)})
        return {}

    task.validate = breaking
    message = f"{broken} is not finite after step 8, so no checkpoint was saved; begin again in"
    with pytest.raises(NonFiniteError, match=message):
        train(task, 3, tmp_path / "run")
    assert load(tmp_path / "run" / "checkpoint.h5")["batches"] == {"epoch": 1, "batch": 0}
    assert len(train(small_task(), 2, tmp_path / "run", resume=True).rows) == 2


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_validation_loss_that_is_not_finite_stops_the_run_before_the_checkpoint(value, tmp_path):
    losses = iter([0.5, value])
    task = small_task(validate=lambda model: {"loss": next(losses)})
    message = f"the validation_loss is {value} after epoch 2, at step 8; begin again"
    with pytest.raises(NonFiniteError, match=message):
        train(task, 3, tmp_path)
    assert load(tmp_path / "checkpoint.h5")["batches"] == {"epoch": 1, "batch": 0}


# ---- the log and the files of a run


def test_a_loss_that_stays_at_a_baseline_gets_a_remark():
    def constant(model, x, labels):
        return loss(model, x * 0, labels)

    first, second = train(small_task(loss=constant), 2).rows
    assert "remark" not in first  # one epoch near a baseline is not enough
    remark = "the loss stays at 1.099, that of guessing: the network learns nothing"
    assert second["remark"] == remark
    assert not any("remark" in row for row in train(small_task(), 3).rows)


def test_a_loss_that_falls_past_a_baseline_gets_no_remark():
    task = small_task()
    task.baselines = {"another": train(small_task(), 2).rows[1]["loss"]}
    assert not any("remark" in row for row in train(task, 4).rows)


def test_missing_matplotlib_is_reported_at_the_beginning(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    events = []
    train(small_task(), 1, tmp_path, watch=events.append)
    assert events[0].startswith("no curves will be drawn: ")
    assert events[0].endswith("pip install 'minidl[plot]'")
    assert [event for event in events[1:] if isinstance(event, str)] == []
    assert (tmp_path / "log.csv").exists() and not (tmp_path / "curves.png").exists()


def test_an_epoch_is_saved_before_it_is_reported(tmp_path):
    def failing(event):
        if isinstance(event, dict):
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        train(small_task(), 3, tmp_path, watch=failing)
    assert load(tmp_path / "checkpoint.h5")["batches"] == {"epoch": 1, "batch": 0}
    assert (tmp_path / "log.csv").read_text().count("\n") == 2


def test_resuming_writes_the_table_that_a_killed_run_did_not_write(tmp_path):
    train(small_task(), 2, tmp_path)
    wanted = (tmp_path / "log.csv").read_text()
    (tmp_path / "log.csv").unlink()
    train(small_task(), 2, tmp_path, resume=True)
    assert (tmp_path / "log.csv").read_text() == wanted


def test_a_run_writes_its_table_and_its_pictures(tmp_path):
    drawn = []
    task = small_task(
        validate=lambda model: {"accuracy": float(not model.training)},
        draw=lambda model, path: drawn.append(path),
    )
    folder = tmp_path / "new" / "run"
    rows = train(task, 2, folder).rows
    with (folder / "log.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [float(row["loss"]) for row in table] == [row["loss"] for row in rows]
    assert all(row["validation_accuracy"] == 1 for row in rows)
    pytest.importorskip("matplotlib")
    assert (folder / "curves.png").stat().st_size > 5000
    assert len(drawn) == 2
