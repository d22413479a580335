"""The best epoch is kept, and a run that no longer improves ends early, resumed or not."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from minidl.errors import ArgumentError, FileError
from minidl.training import load, train
from minidl.training.folder import network_file
from minidl.training.stops import best_epoch
from tests.training.small import bytes_of, small_task, validated_task
from tests.training.test_stopped_runs import ROOT, without_seconds

LOSSES = [0.9, 0.5, 0.7, 0.6, 0.4, 0.8, 0.8, 0.8]


def rows_of(losses):
    return [{"epoch": epoch, "validation_loss": loss} for epoch, loss in enumerate(losses, 1)]


def test_the_best_epoch_is_the_first_with_the_lowest_validation_loss():
    assert best_epoch(rows_of(LOSSES)) == 5
    assert best_epoch(rows_of([0.5, 0.4, 0.4])) == 2
    assert best_epoch([{"epoch": 1, "loss": 0.5}]) is None
    assert best_epoch([]) is None


def test_the_best_network_is_kept_beside_the_last(tmp_path):
    states, task = [], validated_task(LOSSES)
    validate = task.validate

    def recording(model):
        states.append(bytes_of(model.state()))
        return validate(model)

    task.validate = recording
    assert train(task, 8, tmp_path).best == 5
    for name, state in ("best.h5", states[4]), ("checkpoint.h5", states[7]):
        assert bytes_of(load(tmp_path / name)["model"]) == state
    assert network_file(tmp_path) == tmp_path / "best.h5"
    assert network_file(tmp_path / "checkpoint.h5") == tmp_path / "checkpoint.h5"


def test_without_validation_the_last_network_is_used(tmp_path):
    assert train(small_task(), 1, tmp_path).best is None
    assert not (tmp_path / "best.h5").exists()
    assert network_file(tmp_path) == tmp_path / "checkpoint.h5"


@pytest.mark.parametrize(("patience", "last"), [(1, 3), (2, 4), (3, 8), (None, 8)])
def test_a_run_ends_after_its_patience(patience, last, tmp_path):
    outcome = train(validated_task(LOSSES), 8, tmp_path / "run", patience=patience)
    assert not outcome.stopped and len(outcome.rows) == last
    remarks = [row["remark"] for row in outcome.rows if "remark" in row]
    if last == 8:
        assert remarks == []
    else:
        [remark] = remarks
        assert remark == (
            f"the run ends here: the validation loss has not fallen below 0.5, that of epoch 2, "
            f"for {patience} epochs"
        )
        assert remark in (tmp_path / "run" / "log.csv").read_text()


@pytest.mark.parametrize("stops", [(1,), (2, 3)])
def test_a_resumed_run_ends_at_the_same_epoch_with_the_same_bytes(stops, tmp_path):
    uninterrupted = validated_task(LOSSES)
    outcome = train(uninterrupted, 8, tmp_path / "whole", patience=2)
    for epochs in stops:
        resume = epochs > stops[0]
        train(validated_task(LOSSES), epochs, tmp_path / "run", resume=resume, patience=2)
    for _ in range(2):  # a run that has ended is not continued
        again = train(validated_task(LOSSES), 8, tmp_path / "run", resume=True, patience=2)
        assert without_seconds(again.rows) == without_seconds(outcome.rows)
        assert not again.stopped and again.best == outcome.best == 2
        for name in "best.h5", "checkpoint.h5":
            states = [load(tmp_path / run / name)["model"] for run in ("whole", "run")]
            assert bytes_of(states[0]) == bytes_of(states[1])


def test_a_run_that_has_ended_continues_with_more_patience(tmp_path):
    train(validated_task(LOSSES), 8, tmp_path, patience=2)
    outcome = train(validated_task(LOSSES), 8, tmp_path, resume=True, patience=3)
    assert len(outcome.rows) == 8 and outcome.best == 5


@pytest.mark.parametrize("patience", [0, -1, 1.5, "2", float("nan")])
def test_an_invalid_patience_is_refused(patience):
    with pytest.raises(ArgumentError, match=r"the patience is .*; wanted a whole number of epochs"):
        train(validated_task(LOSSES), 8, patience=patience)


@pytest.mark.parametrize("validate", [None, lambda model: {"accuracy": 1.0}])
def test_a_patience_without_a_validation_loss_is_refused(validate):
    with pytest.raises(ArgumentError, match="and there is none; give the Task a function `validat"):
        train(small_task(validate=validate), 8, patience=2)


def test_a_best_network_of_another_run_is_not_overwritten(tmp_path):
    (tmp_path / "best.h5").write_bytes(b"")
    with pytest.raises(FileError, match=r"best\.h5 already exists; resume that run, or choose"):
        train(validated_task(LOSSES), 8, tmp_path)


@pytest.mark.parametrize(
    ("save", "epochs_left"),
    [(3, {"best.h5": 1, "checkpoint.h5": 1}), (4, {"best.h5": 2, "checkpoint.h5": 1})],
)
def test_kill_9_in_the_middle_of_a_save_keeps_the_best_network(save, epochs_left, tmp_path):
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "tests.training.small", str(folder), "8", str(save), "0.9,0.5"]
    killed = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert killed.returncode == -signal.SIGKILL
    for name, epochs in epochs_left.items():
        assert load(folder / name)["batches"] == {"epoch": epochs, "batch": 0}
    train(validated_task(LOSSES), 8, folder, resume=True, patience=2)
    train(validated_task(LOSSES), 8, tmp_path / "whole", patience=2)
    for name in epochs_left:
        states = [load(path / name)["model"] for path in (folder, tmp_path / "whole")]
        assert bytes_of(states[0]) == bytes_of(states[1])
    assert [path for path in Path(folder).iterdir() if path.name.startswith(".")] == []
