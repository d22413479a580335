"""The log for TensorBoard has the numbers of each step and each epoch once, also after a resume."""

import os
import signal
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

from minidl.errors import FileError
from minidl.training import load, save, train
from tests.training.small import loss, small_task, validated_task

FIRST_FILE = "events.out.tfevents.1"


@pytest.fixture
def scalars(monkeypatch):
    """[(name, value, step)] of the newest log, which a stand-in for tensorboardX writes."""
    scalars, opened, closed = [], [], []

    class SummaryWriter:
        def __init__(self, folder, **options):
            Path(folder).mkdir(exist_ok=True)
            assert options == ({"purge_step": 0} if scalars else {})
            assert not list(Path(folder).iterdir())  # the log is replaced, not continued
            Path(folder, FIRST_FILE).touch()
            scalars.clear()
            opened.append(0)

        def add_scalar(self, *arguments):
            scalars.append(arguments)

        def flush(self):
            pass

        def close(self):
            closed.append(0)

    module = type("tensorboardX", (), {"SummaryWriter": SummaryWriter})
    monkeypatch.setitem(sys.modules, "tensorboardX", module)
    yield scalars
    assert len(closed) == len(opened)


def numbers(scalars, *left_out):
    """The log as a sorted list. Each name occurs once for a step."""
    assert len({(name, step) for name, _, step in scalars}) == len(scalars)
    return sorted((name, step, value) for name, value, step in scalars if name not in left_out)


def test_each_step_and_each_epoch_is_logged_once(scalars, tmp_path):
    seen = []
    task = validated_task([0.5, 0.4])
    rows = train(task, 2, tmp_path, watch=seen.append, tensorboard=True).rows
    by_name = {}
    for name, value, step in scalars:
        by_name.setdefault(name, {})[step] = value
    for name in ("loss", "accuracy", "validation_loss", "learning_rate"):
        assert by_name[name] == {row["step"]: row[name] for row in rows}
    assert by_name["step/learning_rate"] == dict.fromkeys(range(1, 9), 0.05)
    losses, sizes = by_name["step/loss"], [16, 16, 16, 12]
    for row, steps in zip(rows, (range(1, 5), range(5, 9)), strict=True):
        mean = np.average([losses[step] for step in steps], weights=sizes)
        assert mean == pytest.approx(row["loss"])
    assert len(by_name["step/accuracy"]) == 8


@pytest.mark.parametrize("batch", [4, 6])
def test_a_resumed_run_has_the_log_of_one_that_never_stopped(batch, scalars, tmp_path):
    train(small_task(), 3, tmp_path / "whole", tensorboard=True)
    wanted, calls = numbers(scalars, "seconds"), []
    scalars.clear()

    def interrupting(model, *arrays):
        calls.append(0)
        if len(calls) == batch:
            os.kill(os.getpid(), signal.SIGINT)
        return loss(model, *arrays)

    train(small_task(loss=interrupting), 3, tmp_path / "run", tensorboard=True)
    train(small_task(), 3, tmp_path / "run", resume=True, tensorboard=True)
    assert numbers(scalars, "seconds") == wanted


def test_a_log_that_begins_with_a_resume_has_the_steps_before(scalars, tmp_path):
    train(small_task(), 3, tmp_path / "whole", tensorboard=True)
    wanted = numbers(scalars, "seconds")
    scalars.clear()
    train(small_task(), 2, tmp_path / "run")
    train(small_task(), 3, tmp_path / "run", resume=True, tensorboard=True)
    assert numbers(scalars, "seconds") == wanted


def test_a_measure_that_some_steps_lack_or_that_is_nan_is_left_out_there(scalars, tmp_path):
    calls = []

    def loss_and_sometimes_more(model, *arrays):
        calls.append(0)
        value, _ = loss(model, *arrays)
        return value, {2: {"late": 1.0}, 3: {"late": float("nan")}}.get(len(calls), {})

    train(small_task(loss=loss_and_sometimes_more), 1, tmp_path, tensorboard=True)
    assert [scalar for scalar in scalars if scalar[0] == "step/late"] == [("step/late", 1.0, 2)]
    before = numbers(scalars)
    train(small_task(loss=loss_and_sometimes_more), 1, tmp_path, resume=True, tensorboard=True)
    assert str(numbers(scalars)) == str(before)  # NaN, the mean of the epoch, differs from itself


def test_a_checkpoint_of_an_earlier_version_has_no_numbers_of_its_steps(scalars, tmp_path):
    train(small_task(), 1, tmp_path)
    state = load(tmp_path / "checkpoint.h5")
    del state["steps"]
    save(tmp_path / "checkpoint.h5", state)
    for epochs in (2, 3):
        train(small_task(), epochs, tmp_path, resume=True, tensorboard=True)
        steps = [step for name, _, step in scalars if name == "step/loss"]
        assert steps == list(range(5, 4 * epochs + 1))
        assert [step for name, _, step in scalars if name == "loss"] == [4, 8, 12][:epochs]


COLUMN = np.zeros(4)


@pytest.mark.parametrize(
    "steps",
    [
        3,
        {},
        {"first": 1, "numbers": 3},
        {"first": 1, "numbers": {"loss": 3}},
        {"first": 1, "numbers": {"loss": np.zeros(3)}},
        {"first": 1, "numbers": {"loss": np.zeros((4, 1))}},
        {"first": 1, "numbers": {"loss": COLUMN.astype(int)}},
        {"first": 1, "numbers": {"loss": COLUMN, "accuracy": np.zeros(3)}},
        {"first": 1, "numbers": {"\x1b": COLUMN}},
        {"first": 2, "numbers": {"loss": COLUMN}},
        {"first": 0, "numbers": {"loss": np.zeros(5)}},
        {"first": "1", "numbers": {"loss": COLUMN}},
        {"first": 10**30, "numbers": {}},
    ],
)
def test_invalid_numbers_of_steps_are_refused(steps, tmp_path):
    train(small_task(), 1, tmp_path)
    save(tmp_path / "checkpoint.h5", load(tmp_path / "checkpoint.h5") | {"steps": steps})
    with pytest.raises(FileError, match="holds invalid numbers of its steps; wanted those of a r"):
        train(small_task(), 2, tmp_path, resume=True)


def test_no_log_is_begun_if_no_run_begins(scalars, tmp_path):
    train(small_task(), 1, tmp_path)
    with pytest.raises(FileError, match="already exists"):
        train(small_task(), 1, tmp_path, tensorboard=True)
    assert not (tmp_path / "tensorboard").exists()


def test_the_files_of_tensorboardx(tmp_path):
    """TensorBoard's records are (length, its checksum, event, its checksum)."""
    tensorboard = pytest.importorskip("tensorboardX")
    train(small_task(), 1, tmp_path, tensorboard=True)
    train(small_task(), 2, tmp_path, resume=True, tensorboard=True)
    [path] = (tmp_path / "tensorboard").glob("events.out.tfevents.*")
    contents, events = path.read_bytes(), []
    while contents:
        (length,) = struct.unpack("<Q", contents[:8])
        events.append(tensorboard.proto.event_pb2.Event.FromString(contents[12 : 12 + length]))
        contents = contents[16 + length :]
    found = [(value.tag, event.step) for event in events for value in event.summary.value]
    assert sorted(step for tag, step in found if tag == "step/loss") == list(range(1, 9))
    assert sorted(step for tag, step in found if tag == "loss") == [4, 8]
